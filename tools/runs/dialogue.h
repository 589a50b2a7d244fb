// A conversation with a model, turn by turn, within its context. Text goes to a function of the
// caller; nothing of the process (streams, terminal) is used, so that several may go on at once.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "data/chat_template.h"
#include "data/tokenizer/tokenizer.h"
#include "model/generate.h"

namespace afina {

// Receives an answer's text piece by piece, each whole UTF-8. False ends the answer.
using WriteText = std::function<bool(const std::string&)>;

struct GivenAnswer {
  std::string text;
  int64_t prompt_tokens = 0;
  int64_t left_out = 0;  // oldest exchanges that were dropped, as the context had no room for them
  Generated generated;
};

// Token ids of a text, with the begin-of-text token first where the model expects one.
std::vector<int32_t> prompt_tokens(const Tokenizer& tokenizer, const std::string& text);
// The same options, choosing among the tokenizer's tokens alone: a model may have more rows than
// its tokenizer has tokens. The tokenizer must outlive them.
GenerateOptions within(const Tokenizer& tokenizer, GenerateOptions options);
// Continues these tokens. Errors are those of generate(): no token, or more than the context holds.
GivenAnswer continue_tokens(Model& model, const Tokenizer& tokenizer,
                            const std::vector<int32_t>& ids, const GenerateOptions& options,
                            const WriteText& write, KeptCache* kept = nullptr);

class Dialogue {
 public:
  // Model and tokenizer must outlive it. system: the system text, may be empty. options.each is
  // not used.
  Dialogue(Model& model, const Tokenizer& tokenizer, ChatTemplate format, GenerateOptions options,
           const std::string& system);
  Dialogue(const Dialogue&) = delete;  // two would write into one cache
  Dialogue& operator=(const Dialogue&) = delete;
  // Goes on with another model of the same tokenizer, as one with another adapter, and with its
  // template and options; what was said stays.
  void use(Model& model, ChatTemplate format, GenerateOptions options);
  // Another system text, or none; what was said stays. An Error, and no change, where the template
  // does not read a system text.
  void system(const std::string& text);
  // Forgets all turns but the system text.
  void reset();
  // Takes the last question and its answer back. False where there is none.
  bool undo();
  // Answers a user's turn; both stay in the conversation, and neither after an Error. An answer
  // that `write` ends stays as far as it came. The oldest exchanges are left out of what the model
  // reads where less room than --max-tokens, or a quarter of the context, would be left.
  GivenAnswer say(const std::string& text, const WriteText& write);
  // What another model of the same tokenizer would answer; nothing stays. `write` may end it.
  GivenAnswer would_say(Model& model, const ChatTemplate& format, const GenerateOptions& options,
                        const std::string& text, const WriteText& write) const;
  // Everything that was said, with the system text first where there is one.
  const std::vector<Message>& messages() const { return messages_; }

 private:
  size_t first() const { return !messages_.empty() && messages_[0].role == "system" ? 1 : 0; }
  Model* model_;
  const Tokenizer& tokenizer_;
  ChatTemplate format_;
  GenerateOptions options_;
  std::vector<Message> messages_;
  size_t left_out_ = 0;  // oldest exchanges that the model does not read
  KeptCache kept_;
};

}  // namespace afina
