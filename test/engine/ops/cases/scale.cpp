// Cases of scale_columns.
#include "engine/ops/scale.h"
#include "test/engine/ops/op_case.h"

namespace afina {
namespace {

using In = const std::vector<Tensor>&;

// Numbers around 2, without a gradient.
Tensor divisor(const Tensor& of) {
  return random_tensor({of.size()}, of.dtype(), 77, 2., 0.2, of.device());
}

[[maybe_unused]] const bool added = add_op_cases({
    {"scale_columns",
     {{2, 3, 20}, OpInput({20}, true)},
     [](In x) { return scale_columns(x[0], x[1]); },
     [](In x) { return scale_columns_definition(x[0], x[1], Tensor(), Tensor()); }},
    {"scale_columns by a column, with divisor and bias",
     {{2, 3, 33}, OpInput({33, 1}, true), OpInput({33}, true)},
     [](In x) { return scale_columns(x[0], x[1], divisor(x[1]), x[2]); },
     [](In x) { return scale_columns_definition(x[0], x[1], divisor(x[1]), x[2]); }},
    {"scale_columns of one column",
     {{5, 1}, OpInput({1, 1}, true)},
     [](In x) { return scale_columns(x[0], x[1]); },
     [](In x) { return scale_columns_definition(x[0], x[1], Tensor(), Tensor()); }},
    {.name = "large scale_columns",
     .inputs = {{4, 30, 150}, OpInput({150}, true)},
     .run = [](In x) { return scale_columns(x[0], x[1]); },
     .large = true},
});

}  // namespace
}  // namespace afina
