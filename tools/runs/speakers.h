// Who answers in a conversation: a model under one of its adapters, with the template and the end
// tokens that belong to it.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "model/generate.h"
#include "tools/runs/adapters.h"

namespace afina {

// How tokens are chosen.
struct SamplingOptions : GenerateOptions {
  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("max-tokens", o.most, Bits::keep, "maximum number of new tokens");
    v("temperature", o.temperature, Bits::keep,
      "softmax temperature; 0: always the likeliest token");
    v("top-k", o.top_k, Bits::keep, "sample among the k likeliest tokens", shown("all"));
    v("top-p", o.top_p, Bits::keep,
      "sample among the likeliest tokens that together reach this probability");
    v("seed", o.seed, Bits::keep, "seeds the sampling");
  }
  // Errors of `afina command`: no token, or a choice among likely tokens without a temperature.
  void check(const std::string& command) const;
};

struct Speaker {
  OpenedModels::Opened opened;
  std::optional<ChatTemplate> format;  // none: text is continued without a template
  GenerateOptions options;             // with the tokens at which answers end
};

// The tokens at which other programs stop, or the tokenizer's end where the files name none.
std::vector<int32_t> ends_of(const ModelFiles& files, const Tokenizer& tokenizer);
// ends: ends_of. choice: its folder is replaced by that of `opened`; raw: no template. Answers end
// where others stop, so that nothing waits elsewhere that is not seen here, and where the template
// ends a turn.
Speaker make_speaker(const OpenedModels::Opened& opened, const Tokenizer& tokenizer,
                     const std::vector<int32_t>& ends, const GenerateOptions& options,
                     const TemplateChoice& choice, bool raw = false);

}  // namespace afina
