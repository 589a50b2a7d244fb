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

struct Answer {
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
Answer continue_tokens(Model& model, const Tokenizer& tokenizer, const std::vector<int32_t>& ids,
                       const GenerateOptions& options, const WriteText& write);

class Dialogue {
 public:
  // Model and tokenizer must outlive it. system: the system text, may be empty. options.each is
  // not used.
  Dialogue(Model& model, const Tokenizer& tokenizer, ChatTemplate format, GenerateOptions options,
           const std::string& system);
  // Goes on with another model of the same tokenizer, as one with another adapter, and with its
  // template and options; what was said stays.
  void use(Model& model, ChatTemplate format, GenerateOptions options);
  // Answers a user's turn; both stay in the conversation. The oldest exchanges are dropped where
  // less room than --max-tokens, or a quarter of the context, would be left for the answer.
  Answer say(const std::string& text, const WriteText& write);

 private:
  std::vector<int32_t> fit(int64_t& left_out);
  Model* model_;
  const Tokenizer& tokenizer_;
  ChatTemplate format_;
  GenerateOptions options_;
  std::vector<Message> messages_;
};

}  // namespace afina
