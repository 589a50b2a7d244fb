// Adapters of every method merged into the weights and taken out again, to the bit.
#include "model/merge.h"

#include "engine/random.h"
#include "engine/train/trainer.h"
#include "model/files/save.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

using namespace afina;

namespace {

// The base under a method, what it trains moved away from its start.
std::unique_ptr<Model> moved(const std::string& base, const std::string& method, Dtype dtype) {
  auto model = tiny_model(tiny_path(base), method, {.dtype = dtype});
  for (Parameter* p : model->parameters->trained()) {
    std::vector<float> values = p->exact().values();
    Random random(1, "merge", p->name);
    for (size_t i = 0; i < values.size(); ++i) values[i] += 0.1f * random.normal(i);
    p->assign(values.data());
  }
  return model;
}

std::map<std::string, std::pair<uint64_t, uint64_t>> bits_of(const Model& model) {
  std::map<std::string, std::pair<uint64_t, uint64_t>> all;
  for (const Parameter& p : model.parameters->all)
    all[p.name] = {checksum(p.value), p.master ? checksum(p.master) : 0};
  return all;
}

void unmerges(const std::string& base, const std::string& method, Dtype dtype) {
  auto model = moved(base, method, dtype);
  if (!model->method->why_not_mergeable().empty()) {
    BOOST_CHECK_THROW(MergedAdapters merged(*model), Error);
    return;
  }
  auto logits = [&] { return model->logits(make_inputs({3, 1, 41, 5, 9, 2, 6})).values(); };
  const auto bits = bits_of(*model);
  const std::vector<float> before = logits();
  MergedAdapters merged(*model);
  for (const Linear* linear : model->parameters->linears) BOOST_TEST(!linear->adapter);
  BOOST_TEST(!model->ends().adapted());
  merged.unmerge();
  BOOST_TEST((bits_of(*model) == bits));
  BOOST_TEST((logits() == before));
  check_error([&] { merged.unmerge(); }, {"already"});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(merging)

BOOST_AUTO_TEST_CASE(unmerging_gives_every_bit_back) {
  for (const std::string base : {"llama", "qwen2", "gpt2"})
    for (auto& [name, entry] : methods()) {
      const MethodCard& card = entry.card;
      if (!card.why_not(Promise::merges).empty() ||
          (card.fits && !card.fits(*tiny_model(tiny_path(base))->parameters)))
        continue;
      for (const std::string& method : card.tries)
        for (Dtype dtype : {Dtype::f32, Dtype::bf16})
          BOOST_TEST_CONTEXT(method << " on " << base << " in " << afina::name(dtype))
      unmerges(base, method, dtype);
    }
}

// It is not the difference that is subtracted: that rounds, and in bf16 often to another weight.
BOOST_AUTO_TEST_CASE(merging_changes_the_weights_in_between) {
  auto model = moved("llama", "lora:rank=2,targets=q_proj", Dtype::bf16);
  const auto bits = bits_of(*model);
  MergedAdapters merged(*model);
  size_t changed = 0;
  for (auto& [name, now] : bits_of(*model)) changed += now != bits.at(name);
  BOOST_TEST(changed == 2u);
}

BOOST_AUTO_TEST_CASE(agreements_add_up) {
  const Tensor a = Tensor::from(std::vector<float>{1, 2, 3, 0, 0, 5}, {1, 2, 3}),
               b = Tensor::from(std::vector<float>{1, 2, 3, 0, 6, 5}, {1, 2, 3});
  Agreement sum = agreement(a, b);
  BOOST_TEST(sum.share() == 0.5);
  const double kl = sum.kl;
  BOOST_TEST(kl > 0.);
  sum.add(agreement(a, a));
  BOOST_TEST(sum.positions == 4);
  BOOST_TEST(sum.same_choice == 3);
  BOOST_TEST(sum.largest_difference == 6.);
  BOOST_TEST(std::fabs(sum.kl - kl / 2.) < 1e-12);
  const Tensor broken = Tensor::from(std::vector<float>{1, 2, NAN, 0, 0, 5}, {1, 2, 3});
  check_error([&] { agreement(a, broken); }, {"not finite"});
}

BOOST_AUTO_TEST_SUITE_END()
