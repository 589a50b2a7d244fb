// Chooses held-out examples, and guards against training on validation rows.
#include <unordered_map>
#include <unordered_set>

#include "data/batches.h"
#include "engine/error.h"
#include "engine/random.h"

namespace afina {

namespace {

std::string content_of(const Example& example) {
  std::string text = example.text;
  for (auto& message : example.messages) {
    text += '\x1f';
    text += message.role + '\x1e' + message.content;
  }
  return text;
}

std::string bytes_of(const Sample& sample) {
  return {reinterpret_cast<const char*>(sample.tokens.data()), sample.tokens.size() * 4};
}

}  // namespace

Split split_examples(std::vector<Example> examples, int64_t held_out, uint64_t seed) {
  Split split;
  // Group examples with equal content, in file order.
  std::unordered_map<std::string, size_t> group_of;
  std::vector<std::vector<size_t>> groups;
  for (size_t i = 0; i < examples.size(); ++i) {
    auto [found, fresh] = group_of.emplace(content_of(examples[i]), groups.size());
    if (fresh) groups.emplace_back();
    groups[found->second].push_back(i);
  }
  require(held_out >= 0 && held_out < int64_t(groups.size()), "--held-out: expected 0 to ",
          int64_t(groups.size()) - 1, " (there are ", groups.size(), " different records), found ",
          held_out);
  std::vector<uint8_t> is_held_out(examples.size(), 0);
  auto order = permutation(uint32_t(groups.size()), Random(seed, "held-out"));
  int64_t taken = 0;
  for (size_t i = 0; i < order.size() && taken < held_out; ++i) {
    // A group counts once, however many copies it has: duplicates must not fill the held-out rows
    // or use up the training data.
    auto& group = groups[order[i]];
    for (size_t member : group) is_held_out[member] = 1;
    ++taken;
  }
  std::unordered_set<size_t> shown;
  for (size_t i = 0; i < examples.size(); ++i) {
    bool first = shown.insert(group_of[content_of(examples[i])]).second;
    if (!is_held_out[i]) {
      split.train.push_back(std::move(examples[i]));
    } else if (first) {
      split.held_out.push_back(examples[i]);
    }
  }
  return split;
}

void require_disjoint(const Samples& train, const Samples& held_out) {
  std::unordered_map<std::string, int64_t> seen;
  for (auto& row : train.rows) seen.emplace(bytes_of(row), row.example);
  int64_t common = 0, first_train = 0, first_held_out = 0;
  for (auto& row : held_out.rows) {
    auto found = seen.find(bytes_of(row));
    if (found == seen.end()) continue;
    if (common++ == 0) {
      first_train = found->second;
      first_held_out = row.example;
    }
  }
  require(common == 0, "validation rows are in the training data: ", common, " of ",
          held_out.rows.size(), " (the first: validation record ", first_held_out + 1,
          " is training record ", first_train + 1,
          "). What is measured there would be memory, not learning. Remove them from one of the "
          "two files, or let --held-out choose");
}

}  // namespace afina
