// What holds for every tiny model: agreement with stored numbers, packed documents, caches.
#pragma once
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina {

inline std::vector<float> gradient_of(const Model& model, const std::string& name) {
  Parameter* p = model.parameters->find(name);
  BOOST_REQUIRE_MESSAGE(p && p->value.grad().touched(), "no gradient of " << name);
  p->add_uses();
  std::vector<float> values = p->value.grad().value().values();
  if (!p->stored_transposed) return values;
  std::vector<float> turned(values.size());
  size_t out = size_t(p->shape[0]), in = size_t(p->shape[1]);
  for (size_t o = 0; o < out; ++o)
    for (size_t i = 0; i < in; ++i) turned[i * out + o] = values[o * in + i];
  return turned;
}

inline double norm_of(const std::vector<float>& values) {
  double sum = 0.;
  for (float v : values) sum += double(v) * double(v);
  return std::sqrt(sum);
}

inline void check_against_reference(const std::string& name, double tolerance = 2e-5) {
  Reference reference(tiny_path(name) + "/reference.safetensors");
  auto model = tiny_model(tiny_path(name));
  auto targets = reference.integers("targets");
  Inputs inputs = plain_inputs(2, reference.integers("input_ids"), targets);
  BOOST_TEST(distance(model->logits(inputs).values(), reference.numbers("logits")) < tolerance);
  Tape tape;
  Loss loss = model->loss(inputs, scale_of(targets));
  BOOST_TEST(std::fabs(loss.total.item() / reference.numbers("loss")[0] - 1.) < 1e-5);
  tape.backward(loss.total);
  size_t seen = 0;
  for (const StoredTensor& t : reference.tensors()) {
    if (!t.name.starts_with("grad.")) continue;
    std::string parameter = t.name.substr(5);
    std::vector<float> found = gradient_of(*model, parameter);
    double far = distance(sampled(found), reference.numbers(t.name)),
           norm = reference.numbers("grad_norm." + parameter)[0];
    BOOST_TEST(far < 1e-4, parameter << ": " << far);
    BOOST_TEST(std::fabs(norm_of(found) / norm - 1.) < 1e-4, parameter << ": norm");
    ++seen;
  }
  BOOST_TEST(seen == model->parameters->all.size());
}

inline void check_packed(const std::string& name, double tolerance = 2e-5) {
  Reference reference(tiny_path(name) + "/reference.safetensors");
  auto model = tiny_model(tiny_path(name));
  auto tokens = reference.integers("packed.input_ids"),
       starts = starts_of(reference.integers("packed.segments"));
  auto packed =
      model->logits(make_inputs(1, int64_t(tokens.size()), tokens, {}, starts, {})).values();
  BOOST_TEST(distance(packed, reference.numbers("packed.logits")) < tolerance);
  size_t cut = size_t(starts.back());
  std::vector<float> apart;
  for (auto& part : {std::vector<int32_t>(tokens.begin(), tokens.begin() + long(cut)),
                     std::vector<int32_t>(tokens.begin() + long(cut), tokens.end())}) {
    auto logits = model->logits(make_inputs(part)).values();
    apart.insert(apart.end(), logits.begin(), logits.end());
  }
  BOOST_TEST((packed == apart), name << ": packed documents differ from the same ones apart");
}

// Tokens given one, then two, then the rest at a time must give the bits of all at once.
inline void check_cache(const std::string& name, Dtype dtype) {
  Reference reference(tiny_path(name) + "/reference.safetensors");
  auto model = tiny_model(tiny_path(name), "full", {.dtype = dtype});
  auto tokens = reference.integers("packed.input_ids");
  auto whole = model->logits(make_inputs(tokens)).values();
  KvCache cache = model->cache(int64_t(tokens.size()));
  std::vector<float> stepwise;
  size_t at = 0;
  for (size_t count : {size_t(1), size_t(2), tokens.size() - 3}) {
    std::vector<int32_t> part(tokens.begin() + long(at), tokens.begin() + long(at + count));
    auto logits = model->logits(make_inputs(part, int64_t(at)), &cache).values();
    stepwise.insert(stepwise.end(), logits.begin(), logits.end());
    at += count;
  }
  BOOST_TEST((whole == stepwise), name << " in " << afina::name(dtype)
                                       << ": a cache of keys and values changes the logits");
  BOOST_TEST(cache.length == int64_t(tokens.size()));
  check_error([&] { model->logits(make_inputs({1}, cache.length), &cache); },
              {"cache", "12", "13"});
}

}  // namespace afina
