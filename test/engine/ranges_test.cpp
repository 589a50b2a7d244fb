// Places in one range of addresses, and how little lies unused between them in a training step.
#include "engine/ranges.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <utility>

#include "engine/files/json.h"
#include "engine/shapes.h"
#include "engine/train/trainer.h"
#include "model/model.h"

using namespace afina;

namespace {

// What the pool would have had at most, beside what was held at most, in two steps of SmolLM2's
// shape.
double pool_beside_meter(const std::string& method, Dtype dtype, int64_t rows, int64_t length) {
  trim_shapes();
  reset_memory_peak(Device::shapes);
  RandomWeights source(1);
  ModelConfig config = parse_config(
      parse_json_file(AFINA_SOURCE_DIR "/data/configs/smollm2-135m/config.json"), "test");
  auto model = build_model(config, source, make_method(parse_method(method)),
                           {dtype, Device::shapes, 1, Checkpointing::none});
  TrainOptions options;
  options.schedule = {1e-5, 100, 0, Decay::constant, 0.};
  Trainer trainer(model->parameters->trained(), options, model->method.get());
  std::vector<int32_t> tokens(size_t(rows * length), 1), starts(tokens.size(), 0);
  for (int step = 0; step < 2; ++step) {
    Inputs inputs = make_inputs(rows, length, tokens, tokens, starts, {}, Device::shapes);
    trainer.step(1, rows * length,
                 [&](size_t, double scale) { return model->loss(inputs, scale); });
  }
  return double(shapes_pool_bytes()) / double(memory_use(Device::shapes).total_peak);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ranges)

BOOST_AUTO_TEST_CASE(the_shortest_place_that_is_long_enough_is_taken_from_above) {
  Ranges r;
  for (size_t at : {0, 100, 200, 300, 400}) BOOST_TEST(r.take(100, 1000) == at);
  r.give_back(0, 100);
  r.give_back(100, 100);  // 200 at 0
  r.give_back(300, 100);  // 100 at 300
  BOOST_TEST(r.take(60, 1000) == 340u);
  BOOST_TEST(r.take(60, 1000) == 140u);  // 40 at 300 are too short
  BOOST_TEST(r.take(140, 1000) == 0u);
  BOOST_TEST(r.take(41, 1000) == 500u);
  BOOST_TEST(r.take(40, 1000) == 300u);
  BOOST_TEST(r.end() == 541u);
  BOOST_TEST(r.take(460, 1000) == Ranges::none);
  for (auto [at, bytes] : {std::pair<size_t, size_t>{340, 60},
                           {0, 140},
                           {200, 100},
                           {500, 41},
                           {140, 60},
                           {300, 40},
                           {400, 100}})
    r.give_back(at, bytes);
  BOOST_TEST(r.end() == 0u);
  r.each_free([](size_t, size_t) { BOOST_ERROR("nothing is left below the end"); });
}

BOOST_AUTO_TEST_CASE(a_step_leaves_little_unused) {
  for (const char* method : {"full", "lora:rank=16"})
    for (Dtype dtype : {Dtype::f32, Dtype::bf16})
      for (int64_t rows : {1, 4})
        BOOST_TEST(pool_beside_meter(method, dtype, rows, 256) < 1.01,
                   method << " " << name(dtype) << " " << rows);
}

// Used before, partly used, given back to the system up to the middle of a page: zeros are zeros.
BOOST_AUTO_TEST_CASE(what_is_asked_for_as_zeros_is_zero) {
  for (int64_t used : {1000, 100003, 3000000})
    for (int64_t wanted : {1000, 100003, 6000000})
      for (bool trimmed : {false, true}) {
        {
          Tensor dirty({used}, Dtype::f32);
          std::fill_n(dirty.data<float>(), used, 1.f);
        }
        Tensor held({7}, Dtype::f32);
        std::fill_n(held.data<float>(), 7, 1.f);
        if (trimmed) trim_memory();
        Tensor zeros = Tensor::zeros({wanted}, Dtype::f32);
        BOOST_TEST(std::count(zeros.data<float>(), zeros.data<float>() + wanted, 0.f) == wanted,
                   used << " " << wanted << " " << trimmed);
        std::fill_n(zeros.data<float>(), wanted, 1.f);
      }
}

BOOST_AUTO_TEST_SUITE_END()
