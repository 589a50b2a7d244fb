// Cases of SwiGLU.
#include "engine/ops/swiglu.h"

#include "test/engine/ops/op_case.h"

namespace afina {
namespace {

using In = const std::vector<Tensor>&;

[[maybe_unused]] const bool added = add_op_cases({
    {"swiglu",
     {OpInput({3, 50}, 0., 2.), {3, 50}},
     [](In x) { return swiglu(x[0], x[1]); },
     [](In x) { return swiglu_definition(x[0], x[1]); }},
    {.name = "large swiglu",
     .inputs = {OpInput({60, 700}, 0., 2.), {60, 700}},
     .run = [](In x) { return swiglu(x[0], x[1]); },
     .large = true},
});

}  // namespace
}  // namespace afina
