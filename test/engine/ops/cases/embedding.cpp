// Cases of the embedding: tokens that repeat, within a row and across rows.
#include "engine/ops/embedding.h"

#include "test/engine/ops/op_case.h"

namespace afina {
namespace {

using In = const std::vector<Tensor>&;

Tensor ids() { return integers({3, 1, 4, 1, 5, 6, 2, 6, 5, 3}, {2, 5}); }
Tensor many() {
  std::vector<int32_t> all;
  for (int i = 0; i < 200; ++i) all.push_back(i * i % 11);
  return integers(all, {4, 50});
}

[[maybe_unused]] const bool added = add_op_cases({
    {"embedding",
     {{7, 50}},
     [](In x) { return embedding(x[0], ids()); },
     [](In x) { return embedding_definition(x[0], ids()); }},
    {.name = "large embedding",
     .inputs = {{11, 300}},
     .run = [](In x) { return embedding(x[0], many()); },
     .large = true},
});

}  // namespace
}  // namespace afina
