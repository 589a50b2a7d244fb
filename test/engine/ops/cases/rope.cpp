// Cases of the rotary embedding.
#include "engine/ops/rope.h"
#include "engine/math.h"
#include "test/engine/ops/op_case.h"

namespace afina {
namespace {

using In = const std::vector<Tensor>&;

// Angles position · 10000^(-2i / dim).
Tensor table(int64_t positions, int64_t dim, const Tensor& like) {
  std::vector<double> all(size_t(positions * dim));
  for (int64_t p = 0; p < positions; ++p)
    for (int64_t i = 0; i < dim / 2; ++i)
      math::sin_cos(double(p) * math::power(10000., -2. * double(i) / double(dim)),
                    all[size_t(p * dim + dim / 2 + i)], all[size_t(p * dim + i)]);
  return Tensor::from(all, {positions, dim}, like.dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32,
                      like.device());
}
Tensor positions() { return integers({0, 1, 2, 0, 1, 5, 6, 7, 8, 9}, {2, 5}); }
Tensor many() {
  std::vector<int32_t> all;
  for (int i = 0; i < 100; ++i) all.push_back(i % 50);
  return integers(all, {2, 50});
}

[[maybe_unused]] const bool added = add_op_cases({
    {"rope",
     {{2, 5, 3, 12}},
     [](In x) { return rope(x[0], table(10, 12, x[0]), positions()); },
     [](In x) { return rope_definition(x[0], table(10, 12, x[0]), positions()); }},
    {"rope of the first columns",
     {{2, 5, 3, 12}},
     [](In x) { return rope(x[0], table(10, 6, x[0]), positions()); },
     [](In x) { return rope_definition(x[0], table(10, 6, x[0]), positions()); }},
    {.name = "large rope",
     .inputs = {{2, 50, 9, 64}},
     .run = [](In x) { return rope(x[0], table(50, 64, x[0]), many()); },
     .large = true},
});

}  // namespace
}  // namespace afina
