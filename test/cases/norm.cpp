// Cases of RMSNorm and LayerNorm.
#include "engine/ops/norm.h"

#include "test/op_case.h"

namespace afina {
namespace {

using In = const std::vector<Tensor>&;

[[maybe_unused]] const bool added = add_op_cases({
    {"rmsnorm",
     {{2, 3, 50}, OpInput({50}, true)},
     [](In x) { return rmsnorm(x[0], x[1], 1e-5); },
     [](In x) { return rmsnorm_definition(x[0], x[1], 1e-5); }},
    {"rmsnorm of one column",
     {{4, 1}, OpInput({1}, true)},
     [](In x) { return rmsnorm(x[0], x[1], 1e-2); },
     [](In x) { return rmsnorm_definition(x[0], x[1], 1e-2); }},
    {"layernorm",
     {{2, 3, 50}, OpInput({50}, true), OpInput({50}, true)},
     [](In x) { return layernorm(x[0], x[1], x[2], 1e-5); },
     [](In x) { return layernorm_definition(x[0], x[1], x[2], 1e-5); }},
    {.name = "large rmsnorm",
     .inputs = {{90, 300}, OpInput({300}, true)},
     .run = [](In x) { return rmsnorm(x[0], x[1], 1e-5); },
     .large = true},
    {.name = "large layernorm",
     .inputs = {{90, 300}, OpInput({300}, true), OpInput({300}, true)},
     .run = [](In x) { return layernorm(x[0], x[1], x[2], 1e-5); },
     .large = true},
});

}  // namespace
}  // namespace afina
