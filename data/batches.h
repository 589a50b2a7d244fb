// Examples to batches of tokens: the same rows in the same order for every method, thread count and
// split into micro-batches.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/chat_template.h"
#include "data/examples.h"
#include "data/tokenizer/tokenizer.h"

namespace afina {

enum class TrainOn { answers, last_answer, everything };
enum class OnProblem { error, skip };       // a record without targets or with a broken boundary
enum class OnTooLong { error, cut, skip };  // a conversation longer than `length`

struct SampleOptions {
  int64_t length = 1024;  // longest row, in tokens; even
  TrainOn train_on = TrainOn::answers;
  OnProblem on_problem = OnProblem::error;
  OnTooLong on_too_long =
      OnTooLong::error;  // plain text is never cut but continued in the next sample
};

// One tokenised example: tokens and, for each, whether it is to be learnt. Position 0 is never a
// target.
struct Sample {
  std::vector<int32_t> tokens;
  std::vector<uint8_t> trained;
  int64_t example = 0;  // index of the example it came from
  int64_t target_count() const;
  // Positions it takes in a row: all tokens but the last, which is only ever a target.
  int64_t positions() const { return int64_t(tokens.size()) - 1; }
};

// Every example tokenised once, with what was lost on the way.
struct Samples {
  std::vector<Sample> rows;
  int32_t pad = 0;  // the id that fills up rows; never a target, never attended to
  int64_t examples = 0, skipped = 0, cut = 0, tokens = 0, targets = 0, targets_lost = 0;
  std::string sha256;  // of tokens and targets, in order
  // One sentence for a person.
  std::string summary() const;
};

Samples make_samples(const std::vector<Example>& examples, const Tokenizer& tokenizer,
                     const ChatTemplate& chat, const SampleOptions& options);
// The first `count` examples that make_samples would not leave out; fewer when there are no more.
// What would be an error stays, so that make_samples says it.
std::vector<Example> first_usable(std::vector<Example> examples, int64_t count,
                                  const Tokenizer& tokenizer, const ChatTemplate& chat,
                                  const SampleOptions& options);

// Takes `held_out` examples away for validation, chosen by seed. Examples with the same content
// stay on the same side.
struct Split {
  std::vector<Example> train, held_out;
};
Split split_examples(std::vector<Example> examples, int64_t held_out, uint64_t seed);
// Guard: an error when a row of `held_out` is also in `train`.
void require_disjoint(const Samples& train, const Samples& held_out);

struct Batch {
  int64_t rows = 0, length = 0;  // length is a multiple of 8
  // rows * length each, row after row.
  std::vector<int32_t> tokens;
  std::vector<int32_t> targets;  // the token to predict after this one; -1: not trained on
  std::vector<int32_t>
      starts;  // index in the row where this position's document starts; always even
  std::vector<int64_t> samples;  // which use of which sample (epoch * number of samples + sample):
                                 // key of dropout; -1 for padding
  int64_t target_count = 0;      // of this batch; the step's is the sum over its batches
  int64_t token_count = 0;       // without padding
};

struct BatchOptions {
  int64_t batch = 1, accumulate = 1;
  int64_t length = 1024;
  bool pack = true;
  bool shuffle = true;
  uint64_t seed = 0;
};

// The batches of any step, by number: nothing is remembered from step to step, so resuming is to go
// on with the next number.
class BatchSource {
 public:
  // Keeps a reference to `samples`.
  BatchSource(const Samples& samples, const BatchOptions& options);
  // The micro-batches of step `step` (from 0): `accumulate` batches of `batch` rows, all of one
  // length, epochs following each other.
  std::vector<Batch> next_step(int64_t step) const;
  // Every sample once, in order, for evaluation: the last batch may have fewer rows.
  std::vector<Batch> once() const;
  // Steps until every sample was seen once, rounded up.
  int64_t steps_per_epoch() const;
  // Sample indices of epoch e in order: a function of (seed, e) alone.
  std::vector<uint32_t> order(int64_t epoch) const;

 private:
  using Row = std::vector<int64_t>;  // uses of samples, one after the other
  std::vector<Row> rows_of_epoch(int64_t epoch) const;
  Batch batch_of(const Row* rows, int64_t count, int64_t length) const;
  int64_t row_length(const Row& row) const;
  const Samples& samples_;
  BatchOptions options_;
  // The epoch last asked for, and the number of rows before each epoch so far.
  mutable std::vector<Row> epoch_rows_;
  mutable int64_t epoch_ = -1;
  mutable std::vector<int64_t> rows_before_{0};
};

}  // namespace afina
