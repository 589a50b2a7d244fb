// What training changed: ranks of low-rank adapters, of whole weights, and intruder dimensions.
#include "model/change.h"

#include "engine/random.h"
#include "model/model.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina {

namespace {

struct Opened {
  ModelFiles files;
  std::unique_ptr<Model> model;
  Opened(const std::string& name, const std::string& method, Dtype dtype = Dtype::f32)
      : files(open_model(tiny_path(name))) {
    BuildOptions options;
    options.dtype = dtype;
    model = build_model(files.config, *files.source, make_method(parse_method(method)), options);
  }
  std::vector<LayerChange> changed(ChangeDepth depth = ChangeDepth::intruders) {
    return layer_changes(*model, *files.source, depth);
  }
  // Adds size * u vᵀ with random unit vectors to a layer's weight; `more` times.
  void turn(size_t layer, double size, int more = 1) {
    Parameter& weight = model->parameters->linears[layer]->weight;
    std::vector<float> values = weight.exact().values();
    const int64_t rows = weight.shape[0], columns = weight.shape[1];
    for (int k = 0; k < more; ++k) {
      const Random u(uint64_t(k), "change", "u"), v(uint64_t(k), "change", "v");
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < columns; ++j)
          values[size_t(i * columns + j)] +=
              float(size * u.normal(uint64_t(i)) / std::sqrt(double(rows)) * v.normal(uint64_t(j)) /
                    std::sqrt(double(columns)));
    }
    weight.assign(values.data());
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(change)

BOOST_AUTO_TEST_CASE(nothing_changes_before_the_first_step) {
  for (const char* method : {"full", "lora:rank=2", "prompt:tokens=2", "norms"})
    for (Dtype dtype : {Dtype::f32, Dtype::bf16})
      BOOST_TEST(Opened("llama", method, dtype).changed().empty(), method);
  BOOST_TEST(summary_of({}).relative == 0.);
}

BOOST_AUTO_TEST_CASE(a_lora_has_as_many_directions_as_its_rank) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
    Opened opened("llama", "lora:rank=3,targets=q_proj+down_proj", dtype);
    for (Parameter& p : opened.model->parameters->all)
      if (p.added) {
        p.init = {Init::normal, 0.05f};
        initialise(p, 7);
      }
    int adapted = 0;
    for (const LayerChange& one : opened.changed(ChangeDepth::ranks)) {
      const bool target = one.layer.ends_with("q_proj") || one.layer.ends_with("down_proj");
      BOOST_TEST((one.norm > 0.) == target, one.layer);
      if (!target) continue;
      ++adapted;
      BOOST_TEST(one.spectrum.size() == 3u, one.layer);
      BOOST_TEST((one.stable_rank > 1. && one.stable_rank < 3.));
      BOOST_TEST((one.effective_rank >= one.stable_rank && one.effective_rank < 3.));
      double squares = 0.;
      for (double s : one.spectrum) squares += s * s;
      BOOST_TEST(std::fabs(std::sqrt(squares) / one.norm - 1.) < 1e-5);
    }
    BOOST_TEST(adapted == 4);
  }
}

BOOST_AUTO_TEST_CASE(a_new_direction_that_leads_is_an_intruder) {
  Opened opened("llama", "full");
  opened.turn(0, 0.02);    // little: hidden among those that were there
  opened.turn(1, 50.);     // leads by far
  opened.turn(7, 50., 2);  // the second block's q_proj
  const std::vector<LayerChange> all = opened.changed();
  BOOST_REQUIRE(all.size() == opened.model->parameters->linears.size());
  BOOST_TEST(all[0].intruders == 0);
  BOOST_TEST(all[1].intruders == 1);
  BOOST_TEST(all[7].intruders == 2);
  BOOST_TEST(std::fabs(all[1].stable_rank - 1.) < 1e-6);
  BOOST_TEST(std::fabs(all[1].effective_rank - 1.) < 1e-4);
  BOOST_TEST(all[2].norm == 0.);
  const ChangeSummary sum = summary_of(all);
  BOOST_TEST(sum.changed == 3);
  BOOST_TEST(sum.intruders == 3);
  BOOST_TEST(sum.relative > 1.);
  BOOST_TEST(opened.changed(ChangeDepth::ranks)[1].intruders == 0);
}

BOOST_AUTO_TEST_CASE(a_broken_weight_is_an_error) {
  Opened opened("llama", "full");
  opened.turn(0, INFINITY);
  check_error([&] { opened.changed(); }, {"model.layers.0.self_attn.q_proj", "not finite"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
