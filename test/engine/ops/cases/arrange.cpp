// Cases of concat_columns, gather, scatter, transposed and in_dtype.
#include "engine/ops/arrange.h"

#include "engine/dtype.h"

#include "test/engine/ops/op_case.h"

namespace afina {
namespace {

using In = const std::vector<Tensor>&;

// Each place's 0/1 row: the definition of gather and, transposed, of scatter.
Tensor choice_of(const Tensor& like, const std::vector<int32_t>& places, int64_t size) {
  std::vector<float> one(places.size() * size_t(size), 0.f);
  for (size_t i = 0; i < places.size(); ++i) one[i * size_t(size) + size_t(places[i])] = 1.f;
  return Tensor::from(one, {int64_t(places.size()), size}, like.dtype(), like.device());
}
const std::vector<int32_t> places{3, 11, 0, 3, 7, 5};

[[maybe_unused]] const bool added = add_op_cases({
    {"concat_columns",
     {{5, 7}, {5, 1}, {5, 12}},
     [](In x) { return concat_columns(x); },
     [](In x) {
       auto turned = [&](const Tensor& part, int64_t from) {  // part times the rows of I
         std::vector<float> one(size_t(part.columns()) * 20, 0.f);
         for (int64_t i = 0; i < part.columns(); ++i) one[size_t(i * 20 + from + i)] = 1.f;
         return matmul(part, Tensor::from(one, {part.columns(), 20}, part.dtype(), part.device()));
       };
       return turned(x[0], 0) + turned(x[1], 7) + turned(x[2], 8);
     }},
    {"gather",
     {{3, 4}},
     [](In x) {
       return gather(x[0], integers(places, {6}), {2, 3});
     },
     [](In x) {
       return reshape(matmul(choice_of(x[0], places, 12), reshape(x[0], {12, 1})), {2, 3});
     }},
    {"scatter",
     {{2, 3}},
     [](In x) {
       return scatter(x[0], integers(places, {6}), {3, 4});
     },
     [](In x) {
       return reshape(matmul(choice_of(x[0], places, 12), reshape(x[0], {6, 1}), true), {3, 4});
     }},
    {"transposed",
     {{3, 5}},
     [](In x) { return transposed(x[0]); },
     [](In x) {
       std::vector<float> one{1, 0, 0, 0, 1, 0, 0, 0, 1};
       return matmul(x[0], Tensor::from(one, {3, 3}, x[0].dtype(), x[0].device()), true);
     }},
    // There and back: a rounding in bf16, which the tolerance of bf16 covers, and else nothing.
    {"in_dtype",
     {{3, 4}},
     [](In x) {
       const Dtype own = x[0].dtype();
       return in_dtype(square(in_dtype(x[0], statistic_dtype(own))), own);
     },
     [](In x) { return square(x[0]); }},
});

}  // namespace
}  // namespace afina
