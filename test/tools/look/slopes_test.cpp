// Slopes against gradients: right ones pass, a wrong one is found and named.
#include "tools/look/slopes.h"

#include <boost/test/unit_test.hpp>

#include "engine/ops.h"
#include "test/tools/look/bench.h"
#include "test/tools/runs/faulty_methods.h"

using namespace afina;

namespace {

// Doubles nothing, but its gradient is too large by a thousandth.
struct TooLarge : Adapter {
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    Tensor y = layer.plain(x), same = y.copy();
    return Tape::record("too_large", same, {y}, [dy_grad = y.grad()](const Tensor& dy) {
      Tensor dx = like(dy);
      kernel::affine(dx, dy, 1.001, 0.);
      dy_grad += dx;
    });
  }
  void merge(Tensor&, Tensor&) const override {}
};

// Has no form in f64.
struct OnlyF32 : Adapter {
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    if (x.dtype() != Dtype::f32) unsupported_dtype("only_f32", x.dtype());
    return layer.plain(x);
  }
  void merge(Tensor&, Tensor&) const override {}
};

std::vector<ParameterSlope> check(const std::string& method, const Workbench& bench,
                                  int64_t elements = 1) {
  SlopeOptions options;
  options.elements = elements;
  SlopeCheck slopes(bench, parse_method(method), options);
  return slopes.go([](int64_t, int64_t) {});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(slopes)

BOOST_AUTO_TEST_CASE(right_gradients_pass) {
  Workbench bench = small_bench();
  bench.run.batch = 1;
  for (const char* method :
       {"lora:rank=2,targets=q_proj,dropout=0.1", "ia3", "adalora:rank=2,targets=q_proj"}) {
    const std::vector<ParameterSlope> all = check(method, bench);
    BOOST_TEST(all.size() > 5, method);
    BOOST_TEST(all[0].share() < 0.5, method << ": " << all[0].name << " " << all[0].share());
    for (size_t i = 1; i < all.size(); ++i) BOOST_TEST(all[i].share() <= all[i - 1].share());
    // Something was tested: not all slopes are zero.
    size_t some = 0;
    for (const ParameterSlope& p : all) some += p.slope != 0.;
    BOOST_TEST(some > all.size() / 2, method);
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_gradient_is_found) {
  const With<TooLarge> registered("too_large");
  Workbench bench = small_bench();
  bench.run.batch = 1;
  // model.norm is behind all layers: its gradient is right. Of what is trained before a layer with
  // the fault nothing is; the method trains nothing there, so a norm before the layers is needed.
  struct Before : Faulty<TooLarge> {
    using Faulty::Faulty;
    bool trains(const std::string& name) const override {
      return name == "model.norm.weight" || name == "model.layers.0.input_layernorm.weight";
    }
  };
  methods()["too_large"].make = make_new<Before>;
  const std::vector<ParameterSlope> all = check("too_large", bench, 4);
  BOOST_REQUIRE(all.size() == 2);
  BOOST_TEST(all[0].name == "model.layers.0.input_layernorm.weight");
  BOOST_TEST(all[0].share() > 10.);
  BOOST_TEST(all[0].checked == 4);
  BOOST_TEST(all[1].share() < 1.);
}

BOOST_AUTO_TEST_CASE(what_has_no_form_in_f64_is_said) {
  const With<OnlyF32> registered("only_f32");
  BOOST_CHECK_EXCEPTION(check("only_f32", small_bench()), Error, [](const Error& e) {
    const std::string said = e.what();
    return said.find("only_f32") != said.npos && said.find("computes in f64") != said.npos &&
           said.find("docs/how-to-add.md") != said.npos;
  });
}

BOOST_AUTO_TEST_SUITE_END()
