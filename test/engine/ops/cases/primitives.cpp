// Cases of the primitive operations and of every line of the scalar table.
#include "engine/ops.h"
#include "test/engine/ops/op_case.h"

namespace afina {
namespace {

using In = const std::vector<Tensor>&;

std::vector<OpCase> primitives() {
  std::vector<OpCase> all = {
      {"add", {{3, 50}, {3, 50}}, [](In x) { return x[0] + x[1]; }},
      {"add row", {{3, 50}, {50}}, [](In x) { return x[0] + x[1]; }},
      {"sub column", {{3, 50}, {3, 1}}, [](In x) { return x[0] - x[1]; }},
      {"mul", {{2, 3, 17}, {2, 3, 17}}, [](In x) { return x[0] * x[1]; }},
      {"mul column", {{3, 50}, {3, 1}}, [](In x) { return x[0] * x[1]; }},
      {"mul number", {{3, 50}, {1}}, [](In x) { return x[0] * x[1]; }},
      {"div row", {{3, 50}, OpInput({50}, 3., 0.5)}, [](In x) { return x[0] / x[1]; }},
      {"affine", {{3, 50}}, [](In x) { return x[0] * -1.5 + 0.25; }},
      {"used twice", {{3, 50}}, [](In x) { return x[0] * x[0] + x[0]; }},
      {"sum columns", {{3, 150}}, [](In x) { return sum_columns(x[0]); }},
      {"sum", {{7, 33}}, [](In x) { return sum(x[0]); }},
      {"columns", {{2, 3, 50}}, [](In x) { return columns(x[0], 5, 21); }},
      {"side by side",
       {{2, 3, 7}, {2, 3, 20}, {2, 3, 7}},
       [](In x) {
         return side_by_side({x[0], x[1], x[2], x[0]});
       }},
      {"reshape",
       {{2, 3, 50}},
       [](In x) {
         return reshape(x[0], {6, 50});
       }},
      {"matmul", {{9, 17}, {17, 21}}, [](In x) { return matmul(x[0], x[1]); }},
      {"matmul aT", {{17, 9}, {17, 21}}, [](In x) { return matmul(x[0], x[1], true, false); }},
      {"matmul bT", {{9, 17}, {21, 17}}, [](In x) { return matmul(x[0], x[1], false, true); }},
      {"matmul aT bT", {{17, 9}, {21, 17}}, [](In x) { return matmul(x[0], x[1], true, true); }},
      {"large add row", {{60, 700}, {700}}, [](In x) { return x[0] + x[1]; }},
      {"large mul column", {{60, 700}, {60, 1}}, [](In x) { return x[0] * x[1]; }},
      {"large matmul", {{70, 130}, {130, 150}}, [](In x) { return matmul(x[0], x[1]); }},
  };
  for (OpCase& c : all) c.large = c.name.rfind("large", 0) == 0;
#define ENTRY(f, value, derivative) \
  all.push_back({#f, {OpInput({3, 50}, 3., 0.5)}, [](In x) { return f(x[0]); }});
  SCALAR_FUNCTIONS(ENTRY)
#undef ENTRY
  // Those that are defined below zero, around it.
  using Function = Tensor (*)(const Tensor&);
  std::pair<const char*, Function> around_zero[] = {
      {"exp", exp}, {"tanh", tanh},           {"sigmoid", sigmoid}, {"silu", silu}, {"gelu", gelu},
      {"neg", neg}, {"gelu_tanh", gelu_tanh}, {"square", square},   {"sin", sin},   {"cos", cos}};
  for (auto& [name, f] : around_zero)
    all.push_back({std::string(name) + " around zero", {OpInput({3, 50}, 0., 2.)}, [f = f](In x) {
                     return f(x[0]);
                   }});
  all.push_back({"relu below zero", {OpInput({3, 50}, -3., 0.5)}, [](In x) { return relu(x[0]); }});
  all.push_back({"large silu", {{60, 700}}, [](In x) { return silu(x[0]); }});
  all.back().large = true;
  // erf is a fit: its slope is that of the true function to 1e-8.
  for (OpCase& c : all)
    if (c.name.rfind("gelu", 0) == 0) c.slope_tolerance = 1e-6;
    else if (c.name == "tanh" || c.name == "sigmoid")
      c.rounded_tolerance = 0.1;  // at 3, 1 - y² of a rounded y
  return all;
}
[[maybe_unused]] const bool added = add_op_cases(primitives());

}  // namespace
}  // namespace afina
