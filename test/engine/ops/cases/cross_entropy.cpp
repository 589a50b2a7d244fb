// Cases of head and loss: sequences with odd numbers of targets, and more rows than one chunk
// holds.
#include "engine/ops/cross_entropy.h"

#include "test/engine/ops/op_case.h"

namespace afina {
namespace {

using In = const std::vector<Tensor>&;

Tensor targets() { return integers({-1, 3, 20, 36, -1, 0, 0, -1, -1, 5}, {2, 5}); }
Tensor every(int64_t rows) {
  std::vector<int32_t> all;
  for (int64_t i = 0; i < rows; ++i) all.push_back(int32_t(i * 7 % 37));
  return integers(all, {1, rows});
}

[[maybe_unused]] const bool added = add_op_cases({
    {"cross_entropy",
     {{2, 5, 20}, {37, 20}},
     [](In x) { return cross_entropy(x[0], x[1], targets(), 0.25).total; },
     [](In x) { return cross_entropy_definition(x[0], x[1], targets(), 0.25); }},
    {"cross_entropy in chunks",
     {{1, 521, 6}, {37, 6}},
     [](In x) { return cross_entropy(x[0], x[1], every(521), 1. / 521.).total; },
     [](In x) { return cross_entropy_definition(x[0], x[1], every(521), 1. / 521.); }},
    {"cross_entropy of capped logits",
     {{2, 5, 20}, {37, 20}},
     [](In x) { return cross_entropy(x[0], x[1], targets(), 0.25, 0.7).total; },
     [](In x) { return cross_entropy_definition(x[0], x[1], targets(), 0.25, 0.7); }},
    {"cross_entropy with a path beside the head",
     {{2, 5, 20}, {37, 20}, {2, 5, 3}, {37, 3}},
     [](In x) {
       return cross_entropy(x[0], x[1], targets(), 0.25, 0.7, {x[2], x[3]}).total;
     },
     [](In x) {
       return cross_entropy_definition(x[0], x[1], targets(), 0.25, 0.7, {x[2], x[3]});
     }},
    {"cross_entropy with a path in chunks",
     {{1, 521, 6}, {37, 6}, {1, 521, 2}, {37, 2}},
     [](In x) {
       return cross_entropy(x[0], x[1], every(521), 1. / 521., 0., {x[2], x[3]}).total;
     },
     [](In x) {
       return cross_entropy_definition(x[0], x[1], every(521), 1. / 521., 0., {x[2], x[3]});
     }},
    {.name = "large cross_entropy",
     .inputs = {{1, 521, 30}, {300, 30}},
     .run = [](In x) { return cross_entropy(x[0], x[1], every(521), 1. / 521.).total; },
     .large = true},
});

}  // namespace
}  // namespace afina
