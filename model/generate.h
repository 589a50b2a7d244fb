// Text generation: token after token, with a cache of keys and values. The same bits with the cache
// and without.
#pragma once
#include <functional>

#include "model/model.h"

namespace afina {

struct GenerateOptions {
  int64_t most = 128;       // new tokens at most
  double temperature = 0.;  // 0: always the likeliest token (of equals the one with the lower id)
  int64_t top_k = 0;        // only the k likeliest; 0 for all
  double top_p = 1.;        // only the likeliest that together reach this probability
  uint64_t seed = 0;
  std::vector<int32_t> stop;                // tokens that end the text
  bool cache = true;                        // false: everything is computed again for each token
  std::function<bool(int32_t token)> each;  // called as tokens come; false ends the text
};

struct Generated {
  std::vector<int32_t> tokens;  // new ones, without the stop token
  enum End : uint8_t { stop, length, context, caller } end = length;
  double prompt_seconds = 0., token_seconds = 0.;  // until the first token, and for the rest
};

// An empty prompt, or one that fills the context, is an Error.
Generated generate(Model& model, const std::vector<int32_t>& prompt,
                   const GenerateOptions& options);

// The token chosen from logits (vocabulary) for place `position` of the text: a function of the
// logits, the options and the place alone.
int32_t choose_token(const std::vector<float>& logits, const GenerateOptions& options,
                     int64_t position);

}  // namespace afina
