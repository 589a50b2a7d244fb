// Products of gradients by their factors: those of the gradients themselves.
#include "tools/checks/gradient_conflict.h"

#include "engine/tape.h"
#include "test/model/tiny.h"
#include "tools/runs/step.h"

using namespace afina;

namespace {

Sample row_of(std::vector<int32_t> tokens, size_t first_target) {
  Sample row;
  row.trained.assign(tokens.size(), 0);
  for (size_t i = first_target; i < tokens.size(); ++i) row.trained[i] = 1;
  row.tokens = std::move(tokens);
  return row;
}

// The gradient in all linear weights, formed, in f64.
std::vector<double> gradient_of(Model& model, const Sample& row) {
  Samples samples;
  samples.rows.push_back(row);
  BatchOptions options;
  options.length = 32;
  options.shuffle = false;
  const Batch batch = BatchSource(samples, options).once().at(0);
  Tape tape;
  tape.backward(
      model.loss(inputs_of(batch, 0, -1, Device::cpu), 1. / double(batch.target_count)).total);
  std::vector<double> all;
  for (Linear* layer : model.parameters->linears)
    for (double value : layer->weight.value.grad().value().values64()) all.push_back(value);
  for (Parameter* p : model.parameters->trained()) {
    p->add_uses();
    p->value.grad().drop();
  }
  return all;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

const Sample one = row_of({1, 7, 9, 4, 30, 12, 5, 8}, 3);
const Sample other = row_of({1, 7, 9, 4, 31, 17, 5, 8, 22, 3, 6}, 5);

}  // namespace

BOOST_AUTO_TEST_SUITE(gradient_conflict)

BOOST_AUTO_TEST_CASE(the_product_by_factors_is_that_of_the_gradients) {
  for (const char* name : {"llama", "gpt2"}) {  // gpt2 has biases, and layers stored transposed
    BuildOptions options;
    options.dtype = Dtype::f64;
    auto model = tiny_model(tiny_path(name), "full", options);
    const GradientFactors a = gradient_factors(*model, one), b = gradient_factors(*model, other);
    const std::vector<double> ga = gradient_of(*model, one), gb = gradient_of(*model, other);
    const double expected = dot(ga, gb);
    BOOST_TEST(std::fabs(expected) > 1e-9);
    BOOST_TEST(gradient_product(a, b) == expected, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(a.squared == dot(ga, ga), boost::test_tools::tolerance(1e-9));
    BOOST_TEST(gradient_cosine(a, b) == expected / std::sqrt(dot(ga, ga) * dot(gb, gb)),
               boost::test_tools::tolerance(1e-9));
    BOOST_TEST(gradient_cosine(a, a) == 1., boost::test_tools::tolerance(1e-12));
    for (const Parameter* p : model->parameters->trained())
      BOOST_TEST(!p->value.grad().touched());  // nothing stays behind for the next step
  }
}

BOOST_AUTO_TEST_CASE(frozen_weights_below_adapters_have_the_same_factors) {
  BuildOptions options;
  options.dtype = Dtype::f64;
  auto full = tiny_model(tiny_path("llama"), "full", options),
       lora = tiny_model(tiny_path("llama"), "lora:rank=2", options);
  // A fresh LoRA changes nothing, so its layers read the same and get the same back.
  const double expected =
      gradient_product(gradient_factors(*full, one), gradient_factors(*full, other));
  BOOST_TEST(
      gradient_product(gradient_factors(*lora, one), gradient_factors(*lora, other)) == expected,
      boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_row_without_a_target_is_an_error) {
  auto model = tiny_model(tiny_path("llama"));
  BOOST_CHECK_THROW(gradient_factors(*model, row_of({1, 2, 3}, 3)), Error);
}

BOOST_AUTO_TEST_SUITE_END()
