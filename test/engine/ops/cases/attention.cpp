// Cases of attention: grouped heads, packed documents, more queries than one block.
#include <cmath>

#include "engine/ops/attention.h"
#include "test/engine/ops/op_case.h"

namespace afina {
namespace {

using In = const std::vector<Tensor>&;

Tensor from_zero(int64_t B, int64_t T) {
  return integers(std::vector<int32_t>(size_t(B * T), 0), {B, T});
}
Tensor packed() { return integers({0, 0, 0, 0, 4, 4, 4, 0, 0, 2, 2, 2, 2, 2}, {2, 7}); }
Tensor long_packed(int64_t B, int64_t T) {
  std::vector<int32_t> starts;
  for (int64_t b = 0; b < B; ++b)
    for (int64_t t = 0; t < T; ++t) starts.push_back(t < 86 + 10 * b ? 0 : int32_t(86 + 10 * b));
  return integers(starts, {B, T});
}

[[maybe_unused]] const bool added = add_op_cases({
    {"attention",
     {{1, 5, 2, 8}, {1, 5, 2, 8}, {1, 5, 2, 8}},
     [](In x) { return attention(x[0], x[1], x[2], from_zero(1, 5), 0.4); },
     [](In x) { return attention_definition(x[0], x[1], x[2], from_zero(1, 5), 0.4); }},
    {"attention, grouped and packed",
     {{2, 7, 4, 20}, {2, 7, 2, 20}, {2, 7, 2, 20}},
     [](In x) { return attention(x[0], x[1], x[2], packed(), 0.4); },
     [](In x) { return attention_definition(x[0], x[1], x[2], packed(), 0.4); }},
    {"attention, several blocks",
     {{1, 140, 2, 6}, {1, 140, 1, 6}, {1, 140, 1, 6}},
     [](In x) { return attention(x[0], x[1], x[2], long_packed(1, 140), 0.4); },
     [](In x) { return attention_definition(x[0], x[1], x[2], long_packed(1, 140), 0.4); }},
    {"attention, several blocks of heads of 40",
     {{1, 140, 2, 40}, {1, 140, 1, 40}, {1, 140, 1, 40}},
     [](In x) { return attention(x[0], x[1], x[2], long_packed(1, 140), 0.2); },
     [](In x) { return attention_definition(x[0], x[1], x[2], long_packed(1, 140), 0.2); }},
    {"attention, heads of 32",
     {{1, 20, 1, 32}, {1, 20, 1, 32}, {1, 20, 1, 32}},
     [](In x) { return attention(x[0], x[1], x[2], from_zero(1, 20), 0.2); },
     [](In x) { return attention_definition(x[0], x[1], x[2], from_zero(1, 20), 0.2); }},
    {"attention, heads of 88",
     {{1, 70, 1, 88}, {1, 70, 1, 88}, {1, 70, 1, 88}},
     [](In x) { return attention(x[0], x[1], x[2], from_zero(1, 70), 0.1); },
     [](In x) { return attention_definition(x[0], x[1], x[2], from_zero(1, 70), 0.1); }},
    {"attention, heads of 128",
     {{1, 66, 2, 128}, {1, 66, 1, 128}, {1, 66, 1, 128}},
     [](In x) { return attention(x[0], x[1], x[2], from_zero(1, 66), 0.08); },
     [](In x) { return attention_definition(x[0], x[1], x[2], from_zero(1, 66), 0.08); }},
    {"attention, several blocks of three heads of 16",
     {{1, 206, 3, 16}, {1, 206, 1, 16}, {1, 206, 1, 16}},
     [](In x) { return attention(x[0], x[1], x[2], long_packed(1, 206), 0.3); },
     [](In x) { return attention_definition(x[0], x[1], x[2], long_packed(1, 206), 0.3); }},
    {"attention, an odd number of queries, heads of 48",
     {{2, 35, 2, 48}, {2, 35, 2, 48}, {2, 35, 2, 48}},
     [](In x) { return attention(x[0], x[1], x[2], from_zero(2, 35), 0.2); },
     [](In x) { return attention_definition(x[0], x[1], x[2], from_zero(2, 35), 0.2); }},
    {"attention with capped scores, heads of 16",
     {{1, 102, 2, 16}, {1, 102, 1, 16}, {1, 102, 1, 16}},
     [](In x) {
       return attention(x[0], x[1], x[2], from_zero(1, 102), {0.4, 0, 1.5});
     },
     [](In x) {
       return attention_definition(x[0], x[1], x[2], from_zero(1, 102), {0.4, 0, 1.5});
     }},
    {"attention in a window",
     {{2, 7, 4, 20}, {2, 7, 2, 20}, {2, 7, 2, 20}},
     [](In x) {
       return attention(x[0], x[1], x[2], packed(), {0.4, 3});
     },
     [](In x) {
       return attention_definition(x[0], x[1], x[2], packed(), {0.4, 3});
     }},
    {"attention in a window, several blocks",
     {{1, 140, 2, 6}, {1, 140, 1, 6}, {1, 140, 1, 6}},
     [](In x) {
       return attention(x[0], x[1], x[2], long_packed(1, 140), {0.4, 37});
     },
     [](In x) {
       return attention_definition(x[0], x[1], x[2], long_packed(1, 140), {0.4, 37});
     }},
    {"attention with capped scores",
     {{2, 7, 4, 20}, {2, 7, 2, 20}, {2, 7, 2, 20}},
     [](In x) {
       return attention(x[0], x[1], x[2], packed(), {0.4, 0, 0.5});
     },
     [](In x) {
       return attention_definition(x[0], x[1], x[2], packed(), {0.4, 0, 0.5});
     }},
    {"attention with capped scores in a window",
     {{1, 70, 2, 40}, {1, 70, 1, 40}, {1, 70, 1, 40}},
     [](In x) {
       return attention(x[0], x[1], x[2], from_zero(1, 70), {0.3, 20, 1.5});
     },
     [](In x) {
       return attention_definition(x[0], x[1], x[2], from_zero(1, 70), {0.3, 20, 1.5});
     }},
    {.name = "large attention in a window",
     .inputs = {{1, 450, 2, 32}, {1, 450, 1, 32}, {1, 450, 1, 32}},
     .run =
         [](In x) {
           return attention(x[0], x[1], x[2], long_packed(1, 450), {0.2, 75, 2.});
         },
     .large = true},
    {.name = "large attention",
     .inputs = {{2, 150, 6, 32}, {2, 150, 3, 32}, {2, 150, 3, 32}},
     .run = [](In x) { return attention(x[0], x[1], x[2], long_packed(2, 150), 0.2); },
     .large = true},
    // Too few heads for the threads: all threads work at each.
    {.name = "large attention of one head",
     .inputs = {{1, 450, 2, 32}, {1, 450, 1, 32}, {1, 450, 1, 32}},
     .run = [](In x) { return attention(x[0], x[1], x[2], long_packed(1, 450), 0.2); },
     .large = true},
});

}  // namespace
}  // namespace afina
