// Chat templates: render messages as the text that a model was trained to read, and mark the bytes
// of each answer.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/tokenizer.h"

namespace afina {

// One turn of a conversation.
struct Message {
  std::string role, content;  // role: system, user, assistant
  bool operator==(const Message&) const = default;
};

// A conversation as text. An answer covers the assistant's message and the token that ends its
// turn; text between that token and the next turn (for example a newline) is not included.
struct Rendered {
  std::string text;
  std::vector<Range> answers;
};

struct ChatLayout;  // data/chat_layouts.h

// A chat template, bound to the special tokens of one tokenizer.
class ChatTemplate {
 public:
  // Finds a template by the name given to --template. Throws for an unknown name, listing the known
  // ones.
  static ChatTemplate named(std::string_view name, const Tokenizer& tokenizer);
  // Recognises the tokenizer's Jinja template. Throws if it is none of the known ones, and suggests
  // --template. A tokenizer without a template gets "plain".
  static ChatTemplate recognised(const Tokenizer& tokenizer);
  // named(name, tokenizer) if a name is given, recognised(tokenizer) otherwise.
  static ChatTemplate choose(std::string_view name, const Tokenizer& tokenizer);
  // Names of all known templates.
  static std::vector<std::string> names();

  const std::string& name() const { return name_; }
  const std::string& default_system() const { return default_system_; }
  // Renders a conversation. With `ask` the text ends where the assistant's answer begins (for
  // generation). Throws for an unknown role.
  Rendered render(const std::vector<Message>& messages, bool ask = false) const;
  // Id of the token that ends an assistant turn, where generation stops; -1 if the template has
  // none.
  int32_t end_of_turn() const { return end_of_turn_; }

 private:
  ChatTemplate() = default;
  std::string filled(std::string_view part) const;
  const ChatLayout* layout_ = nullptr;
  std::string name_, default_system_, bos_, eos_;
  int32_t end_of_turn_ = -1;
};

}  // namespace afina
