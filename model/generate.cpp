// Token sampling and the generation loop.
#include "model/generate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/math.h"
#include "engine/meter.h"
#include "engine/random.h"

namespace afina {

namespace {

void check(const GenerateOptions& o) {
  require(o.most >= 0, "generation of ", o.most, " tokens is not possible");
  require(o.temperature >= 0. && o.temperature <= 1e6, "temperature ", o.temperature,
          " where 0 (greedy) or more is expected");
  require(o.top_k >= 0, "top-k ", o.top_k, " where 0 (all) or more is expected");
  require(o.top_p > 0. && o.top_p <= 1., "top-p ", o.top_p,
          " where a number above 0 and up to 1 is expected");
}

bool contains(const std::vector<int32_t>& all, int32_t one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// Takes what is kept, cut to what the prompt begins with, its last token left out: the model must
// be asked about that one. Where there is not enough room for `most` new tokens, an empty one of
// twice the room. What is kept holds nothing until it is given back, so that an error in between
// cannot leave it with tokens that are not its own.
KvCache shared_cache(Model& model, const std::vector<int32_t>& prompt, int64_t most,
                     KeptCache& kept) {
  KvCache cache = std::move(kept.cache);
  const std::vector<int32_t> tokens = std::move(kept.tokens);
  kept = {};
  if (model.method->virtual_tokens() != 0) return {};
  const int64_t context = model.context(), needed = int64_t(prompt.size()) + most;
  if (cache.layers.empty() || cache.capacity < std::min(context, needed))
    return model.cache(std::min(context, 2 * needed));
  const auto [at, other] =
      std::mismatch(tokens.begin(), tokens.end(), prompt.begin(), prompt.end() - 1);
  cache.length = int64_t(at - tokens.begin());
  return cache;
}

}  // namespace

int32_t choose_token(const std::vector<float>& logits, const GenerateOptions& options,
                     int64_t position) {
  for (float l : logits)
    require(std::isfinite(l),
            "the model's logits are not finite; its weights are damaged or it has diverged");
  std::vector<int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  if (options.known) std::erase_if(order, [&](int32_t id) { return !options.known(id); });
  require(!order.empty(), "none of the ", logits.size(), " rows of the head is a known token");
  auto more_likely = [&](int32_t a, int32_t b) {
    return logits[size_t(a)] != logits[size_t(b)] ? logits[size_t(a)] > logits[size_t(b)] : a < b;
  };
  if (options.temperature == 0.) return *std::min_element(order.begin(), order.end(), more_likely);
  size_t candidates =
      options.top_k > 0 ? std::min(size_t(options.top_k), order.size()) : order.size();
  std::partial_sort(order.begin(), order.begin() + long(candidates), order.end(), more_likely);
  std::vector<double> weight(candidates);
  double total = 0.;
  for (size_t i = 0; i < candidates; ++i)
    total += weight[i] =
        math::exp((double(logits[size_t(order[i])]) - double(logits[size_t(order[0])])) /
                  options.temperature);
  double reached = 0.;
  size_t count = 0;
  while (count < candidates && (count == 0 || reached < options.top_p * total))
    reached += weight[count++];
  double left = double(Random(options.seed, "generate").uniform(uint64_t(position))) * reached;
  for (size_t i = 0; i + 1 < count; ++i)
    if ((left -= weight[i]) < 0.) return order[i];
  return order[count - 1];
}

Generated generate(Model& model, const std::vector<int32_t>& prompt, const GenerateOptions& options,
                   KeptCache* kept) {
  check(options);
  require(!prompt.empty(), "generation needs a prompt of at least one token");
  int64_t context = model.context(), prompt_length = int64_t(prompt.size());
  require(prompt_length < context, "the prompt of ", prompt_length,
          " tokens fills the model's context of ", context);
  Generated out;
  Device device = model.parameters->device;
  PhaseScope phase(Phase::evaluation);
  const HeldDerived held(*model.method);
  KvCache cache;
  if (kept && options.cache) cache = shared_cache(model, prompt, options.most, *kept);
  if (cache.layers.empty())
    cache = model.cache(options.cache ? std::min(context, prompt_length + options.most) : 1);
  std::vector<int32_t> text = prompt, next(prompt.begin() + cache.length, prompt.end());
  double start = seconds_now();
  while (int64_t(out.tokens.size()) < options.most) {
    Inputs inputs =
        options.cache ? make_inputs(next, cache.length, device) : make_inputs(text, 0, device);
    int32_t token =
        choose_token(model.last_logits(inputs, options.cache ? &cache : nullptr).values(), options,
                     int64_t(text.size()));
    if (out.prompt_seconds == 0.) out.prompt_seconds = seconds_now() - start;
    if (contains(options.stop, token)) out.end = Generated::stop;
    if (out.end == Generated::stop) {
      out.stopped_at = token;
      break;
    }
    out.tokens.push_back(token);
    text.push_back(token);
    next = {token};
    if (options.each && !options.each(token)) out.end = Generated::caller;
    else if (int64_t(text.size()) == context) out.end = Generated::context;
    if (out.end != Generated::length) break;
  }
  out.token_seconds = seconds_now() - start - out.prompt_seconds;
  if (kept && options.cache && model.method->virtual_tokens() == 0) {
    kept->tokens.assign(text.begin(), text.begin() + cache.length);
    kept->cache = std::move(cache);
  }
  return out;
}

}  // namespace afina
