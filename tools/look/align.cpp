// Rows of operations that do the same in several steps.
#include "tools/look/align.h"

#include <algorithm>

namespace afina {

namespace {

using Row = std::vector<int64_t>;

// What makes two operations stand in one row: the same kind at the same place; a linear layer stays
// one when a method adds a path to it.
std::string key_of(const SeenOperation& op) {
  return std::string(name(op.kind)) + " " + op.place + " " +
         (op.name == "linear_lora" ? "linear" : op.name);
}

std::vector<std::string> keys_of(const SeenStep& step) {
  std::vector<std::string> keys;
  for (const SeenOperation& op : step.operations) keys.push_back(key_of(op));
  return keys;
}

// The nearest pair of equal keys from here on: how far to go on in each; {-1, -1} of none nearby.
struct Ahead {
  int64_t a, b;
};
Ahead nearest_pair(const std::vector<std::string>& a, size_t i, const std::vector<std::string>& b,
                   size_t j) {
  constexpr int64_t most = 256;
  const int64_t left_a = int64_t(a.size() - i), left_b = int64_t(b.size() - j);
  for (int64_t sum = 0; sum < most; ++sum)
    for (int64_t x = 0; x <= sum; ++x)
      if (x < left_a && sum - x < left_b && a[i + size_t(x)] == b[j + size_t(sum - x)])
        return {x, sum - x};
  return {-1, -1};
}

}  // namespace

std::vector<std::vector<int64_t>> aligned(const std::vector<SeenStep>& steps) {
  std::vector<Row> rows;
  std::vector<std::string> keys;  // of the rows so far
  for (size_t s = 0; s < steps.size(); ++s) {
    const std::vector<std::string> own = keys_of(steps[s]);
    std::vector<Row> all;
    std::vector<std::string> names;
    auto keep_row = [&](size_t i) {
      all.push_back(rows[i]);
      names.push_back(keys[i]);
    };
    auto add_own = [&](size_t j) {
      all.push_back(Row(steps.size(), -1));
      all.back()[s] = int64_t(j);
      names.push_back(own[j]);
    };
    size_t i = 0, j = 0;
    while (i < rows.size() && j < own.size()) {
      const Ahead ahead = nearest_pair(keys, i, own, j);
      if (ahead.a < 0) {
        keep_row(i++);
        add_own(j++);
        continue;
      }
      for (int64_t n = 0; n < ahead.a; ++n) keep_row(i++);
      for (int64_t n = 0; n < ahead.b; ++n) add_own(j++);
      keep_row(i++);
      all.back()[s] = int64_t(j++);
    }
    while (i < rows.size()) keep_row(i++);
    while (j < own.size()) add_own(j++);
    rows = std::move(all);
    keys = std::move(names);
  }
  return rows;
}

}  // namespace afina
