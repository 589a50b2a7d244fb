// Points of an architecture: virtual tokens with and without a cache, beside padding, and where
// they are refused.
#include "engine/train/trainer.h"
#include "model/files/save.h"
#include "model/generate.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina {

namespace {

const char* const virtual_methods[] = {"prefix:tokens=5", "prompt:tokens=5"};
const char* const bases[] = {"llama", "qwen2", "gpt2"};

}  // namespace

BOOST_AUTO_TEST_SUITE(points)

BOOST_AUTO_TEST_CASE(virtual_tokens_with_a_cache_give_the_same_tokens) {
  for (const char* base : bases)
    for (const char* method : virtual_methods)
      for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
        auto model = tiny_model(tiny_path(base), method, {.dtype = dtype}),
             plain = tiny_model(tiny_path(base), "full", {.dtype = dtype});
        GenerateOptions options;
        options.most = 12;
        auto with = generate(*model, {5, 6, 7}, options);
        options.cache = false;
        auto without = generate(*model, {5, 6, 7}, options);
        BOOST_TEST(with.tokens == without.tokens, base << " " << method);
        BOOST_TEST(with.tokens.size() == 12u);
        BOOST_TEST((model->logits(make_inputs({5, 6, 7})).values() !=
                    plain->logits(make_inputs({5, 6, 7})).values()));
      }
}

// The context is shorter by the virtual tokens.
BOOST_AUTO_TEST_CASE(virtual_tokens_take_their_part_of_the_context) {
  for (const char* method : virtual_methods) {
    auto model = tiny_model(tiny_path("gpt2"), method);
    GenerateOptions options;
    options.most = 100;
    auto all = generate(*model, {5, 6, 7}, options);
    BOOST_TEST((all.end == Generated::context));
    BOOST_TEST(all.tokens.size() == 24u);
    check_error([&] { model->logits(make_inputs(std::vector<int32_t>(28, 1))); },
                {"33 tokens", "context of 32"});
    check_error([&] { tiny_model(tiny_path("gpt2"), std::string(method, 7) + "tokens=32"); },
                {"32 virtual tokens", "context of 32"});
  }
}

BOOST_AUTO_TEST_CASE(padding_does_not_show_and_documents_that_share_a_row_are_refused) {
  const std::vector<int32_t> text = {5, 6, 7, 8}, next = {6, 7, 8, 9};
  for (const char* method : virtual_methods) {
    auto model = tiny_model(tiny_path("llama"), method);
    auto loss = [&](std::vector<int32_t> tokens, std::vector<int32_t> targets,
                    std::vector<int32_t> starts) {
      const int64_t length = int64_t(tokens.size());
      return model->loss(make_inputs(1, length, tokens, targets, starts, {}), 1.).total.item();
    };
    const double alone = loss(text, next, {0, 0, 0, 0});
    BOOST_TEST(loss({5, 6, 7, 8, 0, 0}, {6, 7, 8, 9, -1, -1}, {0, 0, 0, 0, 4, 4}) == alone);
    check_error(
        [&] {
          loss({5, 6, 7, 8, 5, 6}, {6, 7, 8, 9, 6, 7}, {0, 0, 0, 0, 4, 4});
        },
        {method[1] == 'r' && method[2] == 'e' ? "'prefix'" : "'prompt'", "--pack off"});
  }
}

// PEFT has no bottleneck: our own form of it is read back.
BOOST_AUTO_TEST_CASE(a_bottleneck_comes_back) {
  ScratchFolder scratch;
  auto model = tiny_model(tiny_path("llama"), "bottleneck:size=3,places=mlp");
  for (Parameter* p : model->parameters->trained()) {
    std::vector<float> values(size_t(p->shape.size()));
    for (size_t i = 0; i < values.size(); ++i) values[i] = 0.01f * float(i % 7) - 0.02f;
    p->assign(values.data());
  }
  save_adapter(scratch / "adapter", *model, "base");
  AdapterFiles adapter = load_adapter(scratch / "adapter");
  ModelFiles files = open_model(tiny_path("llama"));
  auto again = build_model(files.config, *files.source, make_method(adapter.method), {});
  adapter.apply(*again);
  Inputs inputs = make_inputs({5, 6, 7});
  BOOST_TEST((again->logits(inputs).values() == model->logits(inputs).values()));
  BOOST_TEST(adapter.method.options.at("size") == "3");
  check_error([&] { save_model(scratch / "model", *model, Dtype::f32, true); },
              {"cannot be merged", "activation"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
