// Chat templates: messages to the text a model was trained to read, with the bytes of each answer
// marked.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/tokenizer.h"

namespace afina {

struct Message {
  std::string role, content;  // role: system, user, assistant
  bool operator==(const Message&) const = default;
};

// A conversation as text. An answer is the content of an assistant turn and the token that ends the
// turn; what follows it up to the next turn (a newline, say) is not part of it.
struct Rendered {
  std::string text;
  std::vector<Range> answers;
};

struct ChatLayout;  // data/chat_layouts.h

class ChatTemplate {
 public:
  // By name, as --template gives it; an unknown name is an error that lists the known ones.
  static ChatTemplate named(std::string_view name, const Tokenizer& tokenizer);
  // From the Jinja text of the tokenizer; a text that is none of the known ones is an error that
  // offers --template. A tokenizer without one gets "plain".
  static ChatTemplate recognised(const Tokenizer& tokenizer);
  // named(name) where a name is given, recognised otherwise.
  static ChatTemplate choose(std::string_view name, const Tokenizer& tokenizer);
  static std::vector<std::string> names();

  const std::string& name() const { return name_; }
  const std::string& default_system() const { return default_system_; }
  // The text of a whole conversation. With `ask`, ends where the assistant is to begin (for
  // generation).
  Rendered render(const std::vector<Message>& messages, bool ask = false) const;
  // The token that ends an assistant turn, where generation stops; -1 when the template has none.
  int32_t end_of_turn() const { return end_of_turn_; }

 private:
  ChatTemplate() = default;
  std::string filled(std::string_view part) const;
  const ChatLayout* layout_ = nullptr;
  std::string name_, default_system_, bos_, eos_;
  int32_t end_of_turn_ = -1;
};

}  // namespace afina
