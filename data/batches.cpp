// Turns samples into batches: order, packing, padding, and the same rows for every split into
// micro-batches.
#include "data/batches.h"

#include <algorithm>

#include "engine/bf16_sums.h"
#include "engine/error.h"
#include "engine/random.h"

namespace afina {

namespace {
int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
// Positions that a document occupies in a row, rounded up to even: bf16 products add pairs of
// positions (docs/numerics.md), so every document starts at an even position.
int64_t space_of(const Sample& sample) { return round_up(sample.positions(), 2); }
}  // namespace

BatchSource::BatchSource(const Samples& samples, const BatchOptions& options)
    : samples_(samples), options_(options) {
  require(options.batch >= 1 && options.accumulate >= 1,
          "--batch and --accumulate: expected at least 1, found ", options.batch, " and ",
          options.accumulate);
  require(options.length >= 8 && options.length % 8 == 0,
          "--length: expected a multiple of 8 from 8, found ", options.length);
  require(!samples.rows.empty(), "there are no samples to make batches of");
  for (auto& sample : samples.rows)
    require(sample.positions() <= options.length, "a sample of ", sample.positions(),
            " positions does not fit rows of ", options.length);
}

std::vector<uint32_t> BatchSource::order(int64_t epoch) const {
  uint32_t n = uint32_t(samples_.rows.size());
  if (options_.shuffle) return permutation(n, Random(options_.seed, "shuffle", uint64_t(epoch)));
  std::vector<uint32_t> all(n);
  for (uint32_t i = 0; i < n; ++i) all[i] = i;
  return all;
}

// First fit among the most recently opened rows: packs nearly as tightly as sorting by length, and
// keeps short and long samples mixed.
std::vector<BatchSource::Row> BatchSource::rows_of_epoch(int64_t epoch) const {
  constexpr size_t open_rows = 64;
  std::vector<Row> rows;
  std::vector<int64_t> used;
  int64_t n = int64_t(samples_.rows.size());
  for (uint32_t index : order(epoch)) {
    int64_t space = space_of(samples_.rows[index]), use = epoch * n + index;
    size_t row = rows.size();
    if (options_.pack)
      for (row = rows.size() > open_rows ? rows.size() - open_rows : 0; row < rows.size(); ++row)
        if (used[row] + space <= options_.length) break;
    if (row == rows.size()) {
      rows.emplace_back();
      used.push_back(0);
    }
    rows[row].push_back(use);
    used[row] += space;
  }
  return rows;
}

int64_t BatchSource::row_length(const Row& row) const {
  int64_t length = 0, n = int64_t(samples_.rows.size());
  for (int64_t use : row) length += space_of(samples_.rows[size_t(use % n)]);
  return length;
}

Batch BatchSource::batch_of(const Row* rows, int64_t count, int64_t length) const {
  Batch batch;
  batch.rows = count;
  batch.length = length;
  size_t size = size_t(count * length);
  batch.tokens.assign(size, samples_.pad);
  batch.targets.assign(size, -1);
  batch.starts.assign(size, 0);
  batch.samples.assign(size, -1);
  int64_t n = int64_t(samples_.rows.size());
  for (int64_t r = 0; r < count; ++r) {
    int64_t at = 0, row = r * length;
    for (int64_t use : rows[r]) {
      const Sample& sample = samples_.rows[size_t(use % n)];
      int64_t positions = sample.positions(), space = space_of(sample);
      for (int64_t i = 0; i < space; ++i) {
        size_t to = size_t(row + at + i);
        batch.starts[to] = int32_t(at);
        batch.samples[to] = use;
        if (i >= positions) continue;  // padding that makes the length even
        batch.tokens[to] = sample.tokens[size_t(i)];
        if (sample.trained[size_t(i) + 1]) {
          batch.targets[to] = sample.tokens[size_t(i) + 1];
          ++batch.target_count;
        }
      }
      at += space;
      batch.token_count += positions;
    }
    // A padding position attends only to its own pair, so padding costs attention almost nothing.
    for (; at < length; ++at) batch.starts[size_t(row + at)] = int32_t(at & ~int64_t(1));
  }
  return batch;
}

std::vector<Batch> BatchSource::next_step(int64_t step) const {
  require(step >= 0, "a step is counted from 0, found ", step);
  int64_t rows_per_step = options_.batch * options_.accumulate, first = step * rows_per_step;
  std::vector<Row> rows;
  int64_t epoch = 0;
  while (int64_t(rows.size()) < rows_per_step) {
    int64_t next = first + int64_t(rows.size());
    // Earlier epochs matter only through their number of rows, which is cached.
    epoch =
        std::upper_bound(rows_before_.begin(), rows_before_.end(), next) - rows_before_.begin() - 1;
    if (epoch_ != epoch) {
      epoch_rows_ = rows_of_epoch(epoch);
      epoch_ = epoch;
    }
    if (int64_t(rows_before_.size()) == epoch + 1)
      rows_before_.push_back(rows_before_.back() + int64_t(epoch_rows_.size()));
    if (next >= rows_before_[size_t(epoch) + 1]) continue;
    rows.push_back(epoch_rows_[size_t(next - rows_before_[size_t(epoch)])]);
  }
  int64_t longest = 0, targets = 0;
  for (auto& row : rows) longest = std::max(longest, row_length(row));
  const int64_t length = round_up(longest, std::max<int64_t>(8, rows_summed_as_one()));
  std::vector<Batch> batches;
  for (int64_t i = 0; i < options_.accumulate; ++i) {
    batches.push_back(batch_of(rows.data() + i * options_.batch, options_.batch, length));
    targets += batches.back().target_count;
  }
  require(targets > 0, "step ", step, " has no target token in any of its ", rows_per_step,
          " rows: nothing would be learned from it");
  return batches;
}

std::vector<Batch> BatchSource::once() const {
  BatchOptions options = options_;
  options.shuffle = false;
  std::vector<Row> rows = BatchSource(samples_, options).rows_of_epoch(0);
  std::vector<Batch> batches;
  for (size_t begin = 0; begin < rows.size(); begin += size_t(options_.batch)) {
    int64_t count = std::min<int64_t>(options_.batch, int64_t(rows.size() - begin)), longest = 0;
    for (int64_t i = 0; i < count; ++i)
      longest = std::max(longest, row_length(rows[begin + size_t(i)]));
    batches.push_back(batch_of(rows.data() + begin, count, round_up(longest, 8)));
  }
  return batches;
}

int64_t BatchSource::steps_per_epoch() const {
  int64_t rows_per_step = options_.batch * options_.accumulate;
  return round_up(int64_t(rows_of_epoch(0).size()), rows_per_step) / rows_per_step;
}

}  // namespace afina
