// Chat templates: render messages as the text that a model was trained to read, and mark the bytes
// of each answer.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/tokenizer.h"
#include "engine/files/json_value.h"

namespace afina {

// One turn of a conversation.
struct Message {
  std::string role, content;  // role: system, user, assistant, tool, ...
  // The turn's other keys as the file has them (tool_calls, reasoning_content, name, ...): a
  // template may read them. "content" is among them, as null, where the turn has no text: a
  // template finds no such key then, as with transformers.
  OrderedJson more = {};
  bool trained = true;  // of an assistant's turn: is it a target?
  bool operator==(const Message&) const = default;
};

// What a conversation has beside its turns, for the template.
struct TemplateInput {
  OrderedJson tools = {};      // an array of functions as JSON schemas, or null
  OrderedJson variables = {};  // an object: more variables (chat_template_kwargs), or null
};

// A conversation as text. An answer covers what the assistant writes, up to and including the token
// that ends its turn; text between that token and the next turn (for example a newline) is not
// included. Where the template marks what the assistant writes ({% generation %}), its marks count.
struct Rendered {
  std::string text;
  std::vector<Range> answers;  // bytes of the text, ascending; of turns that are trained
};

// Whose answers to find.
enum class Answers { all, last, none };

// Which template to take.
struct TemplateChoice {
  // One of the model's named templates, one of the built-in names, or a file; empty: the adapter's,
  // or else the model's own.
  std::string name;
  std::string adapter = {};  // a folder that may hold the template its adapter was trained with
  std::string date = default_date;  // what strftime_now() formats: YYYY-MM-DD
  // The day that Llama 3's templates fall back to. Fixed, so that the same data gives the same
  // tokens on every day.
  static constexpr const char* default_date = "2024-07-26";
};

// A chat template, bound to the special tokens of one tokenizer. Copies share their data; rendering
// is thread-safe. A template renders what transformers' apply_chat_template gives: all tokens of a
// conversation are in the text, and nothing is put before it.
class ChatTemplate {
 public:
  // Throws for a name that is none of the model's, none of the built-in ones and no file; listing
  // them. A template that cannot be parsed is an Error where it is rendered, so that plain text
  // needs none.
  static ChatTemplate choose(const TemplateChoice& choice, const Tokenizer& tokenizer);
  // A built-in template. Throws for an unknown name, and where the tokenizer lacks its tokens.
  static ChatTemplate named(std::string_view name, const Tokenizer& tokenizer);
  // The model's own; "plain" for a model that has none.
  static ChatTemplate own(const Tokenizer& tokenizer);
  // Names of all built-in templates.
  static std::vector<std::string> names();

  // What messages call it: a built-in name, or where it came from.
  const std::string& name() const;
  // Its Jinja text, and whether it is another than the one in the model's files: then what is
  // trained with it is written with it.
  const std::string& source() const;
  bool chosen() const;
  // Its words that a record's keys could be: does the text mention `key`? Reasoning is mentioned
  // under any of its names.
  bool mentions(const std::string& key) const;

  // The text of a conversation. With `ask` it ends where the assistant's answer begins (for
  // generation). Throws what the template raises.
  std::string text(const std::vector<Message>& messages, bool ask = false,
                   const TemplateInput& input = {}) const;
  // Throws where the template drops a turn, its tool calls, its reasoning, or the tools.
  void check_read(const std::vector<Message>& messages, const TemplateInput& input = {}) const;
  // The text and the answers in it. Throws where the template drops a turn, its tool calls, its
  // reasoning or the tools, and where it is not certain which bytes the assistant writes.
  Rendered render(const std::vector<Message>& messages, const TemplateInput& input = {},
                  Answers answers = Answers::all) const;

  // Id of the token that ends an assistant turn, where generation stops; -1 if none is known.
  int32_t end_of_turn() const;
  // Ids of the special tokens that the template puts around turns.
  const std::vector<int32_t>& marks() const;
  // Empty, or a note for the user: what the template writes between the prompt for an answer and
  // the answer, which is learned with it (an empty thought, a heading).
  std::string lead_note() const;
  // Empty, or a note for the user: the date that the template has asked for.
  std::string date_note() const;

  struct State;  // data/chat_state.h

 private:
  bool mentions_word(const std::string& key) const;
  explicit ChatTemplate(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace afina
