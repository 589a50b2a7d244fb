// Text generation, one token at a time, with a cache of keys and values. The result is bit for bit
// the same with and without the cache.
#pragma once
#include <functional>

#include "model/model.h"

namespace afina {

// How to choose tokens and when to stop.
struct GenerateOptions {
  int64_t most = 128;       // maximum number of new tokens
  double temperature = 0.;  // 0: always the most likely token (the lower id on a tie)
  int64_t top_k = 0;        // sample from the k most likely tokens; 0: all
  double top_p = 1.;        // nucleus sampling (Holtzman et al., 2020): the most likely tokens that
                            // together reach this probability
  uint64_t seed = 0;
  std::vector<int32_t> stop;  // ids that end the text
  bool cache = true;          // false: recompute everything for each token
  // Ids that may be chosen; empty: every row of the head. A vocabulary may be padded beyond the
  // tokenizer, and its ids may have gaps: such rows mean no text.
  std::function<bool(int32_t token)> known;
  std::function<bool(int32_t token)> each;  // called with each token; return false to stop
};

// The generated tokens, why generation ended, and the time it took.
struct Generated {
  std::vector<int32_t> tokens;  // new tokens, without the stop token
  enum End : uint8_t { stop, length, context, caller } end = length;
  int32_t stopped_at = -1;  // the stop token that the model chose, where `end` is stop
  double prompt_seconds = 0., token_seconds = 0.;  // wall time until the first token, and after it
};

// Keys and values of a text, kept from one call of generate() to the next, so that a conversation
// does not compute its beginning again with every turn. For one model, whose weights do not change
// in between; a new model needs a new one.
struct KeptCache {
  KvCache cache;
  std::vector<int32_t> tokens;  // whose keys and values it holds
};

// Continues `prompt`. Throws if the prompt is empty or fills the context, or if an option is out of
// range. kept: what it shares with the beginning of the prompt is not computed again, and it holds
// the whole text afterwards; the tokens are the same with and without it. A model with virtual
// tokens computes everything again.
Generated generate(Model& model, const std::vector<int32_t>& prompt, const GenerateOptions& options,
                   KeptCache* kept = nullptr);

// Chooses the token at `position` of a text from logits (vocabulary). Depends only on the logits,
// the options and the position. Throws if a logit is not finite, or if options.known takes none.
int32_t choose_token(const std::vector<float>& logits, const GenerateOptions& options,
                     int64_t position);

}  // namespace afina
