// The tiny models against PyTorch and transformers: logits, loss, every gradient, packed documents;
// and what must hold to the bit.
#include "test/model/tiny_checks.h"

namespace afina {

namespace {

const char* const tiny_names[] = {"llama", "llama3", "llama_linear", "mistral", "qwen2", "gpt2"};
}  // namespace

BOOST_AUTO_TEST_SUITE(model)

BOOST_AUTO_TEST_CASE(tiny_models_agree_with_transformers) {
  for (const char* name : tiny_names) BOOST_TEST_CONTEXT(name) check_against_reference(name);
}
BOOST_AUTO_TEST_CASE(packed_documents_do_not_see_each_other) {
  for (const char* name : tiny_names) BOOST_TEST_CONTEXT(name) check_packed(name);
}
BOOST_AUTO_TEST_CASE(cache_gives_the_same_bits) {
  for (const char* name : tiny_names)
    for (Dtype dtype : {Dtype::f32, Dtype::bf16}) check_cache(name, dtype);
}

BOOST_AUTO_TEST_CASE(bf16_is_near_f32) {
  for (const char* name : tiny_names) {
    Reference reference(tiny_path(name) + "/reference.safetensors");
    auto model = tiny_model(tiny_path(name), "full", {.dtype = Dtype::bf16});
    BOOST_TEST(distance(model->logits(plain_inputs(2, reference.integers("input_ids"))).values(),
                        reference.numbers("logits")) < 0.05);
  }
}

BOOST_AUTO_TEST_CASE(inputs_that_cannot_be) {
  auto model = tiny_model(tiny_path("llama"));
  check_error([&] { model->logits(make_inputs({1, 80})); }, {"token 80", "vocabulary of 80"});
  check_error([&] { model->logits(make_inputs({-1})); }, {"token -1"});
  check_error([&] { model->logits(make_inputs(std::vector<int32_t>(65, 1))); },
              {"65 tokens", "context of 64"});
  check_error(
      [&] {
        tiny_model(tiny_path("gpt2"))->logits(make_inputs({1, 2}, 31));
      },
      {"33 tokens", "context of 32"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
