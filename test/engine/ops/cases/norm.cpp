// Cases of RMSNorm and LayerNorm.
#include "engine/ops/norm.h"

#include "test/engine/ops/op_case.h"

namespace afina {
namespace {

using In = const std::vector<Tensor>&;

// Both results as one, so that both bring a gradient back.
Tensor of_both(const Normed& r) { return r.sum * 0.75 + r.y; }

[[maybe_unused]] const bool added = add_op_cases({
    {"rmsnorm",
     {{2, 3, 50}, OpInput({50}, true)},
     [](In x) { return rmsnorm(x[0], x[1], 1e-5); },
     [](In x) { return rmsnorm_definition(x[0], x[1], 1e-5); }},
    {"rmsnorm of one column",
     {{4, 1}, OpInput({1}, true)},
     [](In x) { return rmsnorm(x[0], x[1], 1e-2); },
     [](In x) { return rmsnorm_definition(x[0], x[1], 1e-2); }},
    {"rmsnorm with a weight stored less 1",
     {{2, 3, 50}, OpInput({50}, true)},
     [](In x) { return rmsnorm(x[0], x[1], 1e-5, 1.); },
     [](In x) { return rmsnorm_definition(x[0], x[1], 1e-5, 1.); }},
    {"layernorm",
     {{2, 3, 50}, OpInput({50}, true), OpInput({50}, true)},
     [](In x) { return layernorm(x[0], x[1], x[2], 1e-5); },
     [](In x) { return layernorm_definition(x[0], x[1], x[2], 1e-5); }},
    {"added_rmsnorm",
     {{2, 3, 50}, {2, 3, 50}, OpInput({50}, true)},
     [](In x) { return of_both(added_rmsnorm(x[0], x[1], x[2], 1e-5)); },
     [](In x) {
       return of_both({x[0] + x[1], rmsnorm_definition(x[0] + x[1], x[2], 1e-5)});
     }},
    {"added_layernorm",
     {{2, 3, 50}, {2, 3, 50}, OpInput({50}, true), OpInput({50}, true)},
     [](In x) { return of_both(added_layernorm(x[0], x[1], x[2], x[3], 1e-5)); },
     [](In x) {
       return of_both({x[0] + x[1], layernorm_definition(x[0] + x[1], x[2], x[3], 1e-5)});
     }},
    {.name = "large rmsnorm",
     .inputs = {{90, 300}, OpInput({300}, true)},
     .run = [](In x) { return rmsnorm(x[0], x[1], 1e-5); },
     .large = true},
    {.name = "large layernorm",
     .inputs = {{90, 300}, OpInput({300}, true), OpInput({300}, true)},
     .run = [](In x) { return layernorm(x[0], x[1], x[2], 1e-5); },
     .large = true},
    {.name = "large added_rmsnorm",
     .inputs = {{90, 300}, {90, 300}, OpInput({300}, true)},
     .run = [](In x) { return of_both(added_rmsnorm(x[0], x[1], x[2], 1e-5)); },
     .large = true},
    {.name = "large added_layernorm",
     .inputs = {{90, 300}, {90, 300}, OpInput({300}, true), OpInput({300}, true)},
     .run = [](In x) { return of_both(added_layernorm(x[0], x[1], x[2], x[3], 1e-5)); },
     .large = true},
});

}  // namespace
}  // namespace afina
