// Cases of linear layers, plain and with LoRA.
#include "engine/ops/dropout.h"
#include "engine/ops/low_rank.h"
#include "test/engine/ops/op_case.h"

namespace afina {
namespace {

using In = const std::vector<Tensor>&;

Tensor keys() { return integers({0, 0, 0, 1, 0, 2, 7, 0, 7, 1, 7, 2}, {6, 2}); }
Tensor dropped(const Tensor& x) { return dropout(x, keys(), 0.3, {11, 5}); }

[[maybe_unused]] const bool added = add_op_cases({
    {"linear",
     {{2, 3, 20}, {33, 20}},
     [](In x) { return linear(x[0], x[1], Tensor()); },
     [](In x) { return linear_definition(x[0], x[1], Tensor()); }},
    {"linear with bias",
     {{2, 3, 20}, {33, 20}, OpInput({33}, true)},
     [](In x) { return linear(x[0], x[1], x[2]); },
     [](In x) { return linear_definition(x[0], x[1], x[2]); }},
    {"linear of odd width",
     {{5, 7}, {3, 7}},
     [](In x) { return linear(x[0], x[1], Tensor()); },
     [](In x) { return linear_definition(x[0], x[1], Tensor()); }},
    {"linear_lora",
     {{2, 3, 20}, {33, 20}, {4, 20}, {33, 4}},
     [](In x) { return linear_lora(x[0], x[0], x[1], Tensor(), x[2], x[3], 2.); },
     [](In x) { return linear_lora_definition(x[0], x[0], x[1], Tensor(), x[2], x[3], 2.); }},
    {"linear_lora with bias and dropout",
     {{2, 3, 20}, {33, 20}, OpInput({33}, true), {4, 20}, {33, 4}},
     [](In x) { return linear_lora(x[0], dropped(x[0]), x[1], x[2], x[3], x[4], 0.5); },
     [](In x) { return linear_lora_definition(x[0], dropped(x[0]), x[1], x[2], x[3], x[4], 0.5); }},
    {"linear_lora of two layers that share x",
     {{2, 3, 20}, {33, 20}, {4, 20}, {33, 4}, {33, 20}, {5, 20}, {33, 5}},
     [](In x) {
       Tensor low = lora_low(x[0], {x[2], x[5]});
       return linear_lora_of(x[0], low, 0, x[1], Tensor(), x[2], x[3], 2.) *
              linear_lora_of(x[0], low, 4, x[4], Tensor(), x[5], x[6], 0.5);
     },
     [](In x) {
       return linear_lora_definition(x[0], x[0], x[1], Tensor(), x[2], x[3], 2.) *
              linear_lora_definition(x[0], x[0], x[4], Tensor(), x[5], x[6], 0.5);
     }},
    {"linear of several blocks",
     {{1, 134, 136}, {152, 136}, OpInput({152}, true)},
     [](In x) { return linear(x[0], x[1], x[2]); },
     [](In x) { return linear_definition(x[0], x[1], x[2]); }},
    {"linear_lora of several blocks",
     {{1, 70, 72}, {80, 72}, {16, 72}, {80, 16}},
     [](In x) { return linear_lora(x[0], x[0], x[1], Tensor(), x[2], x[3], 2.); },
     [](In x) { return linear_lora_definition(x[0], x[0], x[1], Tensor(), x[2], x[3], 2.); }},
    {.name = "large linear",
     .inputs = {{4, 30, 150}, {170, 150}, OpInput({170}, true)},
     .run = [](In x) { return linear(x[0], x[1], x[2]); },
     .large = true},
    {.name = "large linear_lora",
     .inputs = {{4, 30, 150}, {170, 150}, {8, 150}, {170, 8}},
     .run = [](In x) { return linear_lora(x[0], x[0], x[1], Tensor(), x[2], x[3], 2.); },
     .large = true},
    {"dropout", {{6, 150}}, [](In x) { return dropped(x[0]); }},
    {.name = "large dropout",
     .inputs = {{6, 9000}},
     .run = [](In x) { return dropped(x[0]); },
     .large = true},
});

}  // namespace
}  // namespace afina
