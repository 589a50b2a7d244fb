// Turns examples into batches of tokens: the same rows in the same order for every method, thread
// count and split into micro-batches.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/chat_template.h"
#include "data/examples.h"
#include "data/problems.h"
#include "data/tokenizer/tokenizer.h"

namespace afina {

// Which tokens of a conversation are targets: all answers, only the last answer, or every token.
enum class TrainOn { answers, last_answer, everything };
// What to do with a record that cannot be read, has no target, or whose answer begins inside a
// token.
enum class OnProblem { error, skip };
// What to do with a conversation of more than `length` tokens.
enum class OnTooLong { error, cut, skip };

// How examples become samples.
struct SampleOptions {
  int64_t length = 1024;  // longest row, in tokens; a multiple of 8
  TrainOn train_on = TrainOn::answers;
  OnProblem on_problem = OnProblem::error;
  // Applies to conversations. Plain text is never cut: it continues in the next sample.
  OnTooLong on_too_long = OnTooLong::error;
};

// One tokenised example: its tokens, and for each token whether it is a target. Position 0 is never
// a target.
struct Sample {
  std::vector<int32_t> tokens;
  std::vector<uint8_t> trained;
  int64_t example = 0;  // index of the example it was made from
  int64_t target_count() const;
  // Number of input positions: all tokens but the last, which is only ever a target.
  int64_t positions() const { return int64_t(tokens.size()) - 1; }
};

// All tokenised examples, with counts of what was left out or cut.
struct Samples {
  std::vector<Sample> rows;
  int32_t pad = 0;  // id that fills up rows; never a target, never attended to
  int64_t examples = 0, skipped = 0, cut = 0, tokens = 0, targets = 0, targets_lost = 0;
  int64_t conversations = 0;                    // among the examples; the others are plain text
  int64_t too_long = 0, shortest_too_long = 0;  // records left out as such; tokens of the shortest
  std::string sha256;                           // digest of all tokens and target flags, in order
  Problems problems;                            // of records left out
  // For the user: keys that nothing has read, with their number; the date of a template.
  std::vector<std::string> notes;
  // One sentence for the log: samples, records, tokens, targets, and what was lost.
  std::string summary() const;
};

// Tokenises all examples on all threads and marks the targets. Throws for an invalid option, for
// problems with records unless the options say to skip or cut them (one error names every kind,
// its first record and its number), and if no sample is left. all, when given, takes the problems
// and the number of examples, instead of an Error: for several lists of one file, of which
// check_problems() then speaks together.
Samples make_samples(const std::vector<Example>& examples, const Tokenizer& tokenizer,
                     const ChatTemplate& chat, const SampleOptions& options,
                     Samples* all = nullptr);
// An Error for problems of records, unless they are to be left out.
void check_problems(const Samples& samples, const SampleOptions& options);
// The first `count` examples that make_samples would keep; fewer if there are not enough. Examples
// that would raise an error are kept too, so that make_samples reports them. left_out, when given,
// counts the others up to there: examples, problems, too_long.
std::vector<Example> first_usable(std::vector<Example> examples, int64_t count,
                                  const Tokenizer& tokenizer, const ChatTemplate& chat,
                                  const SampleOptions& options, Samples* left_out = nullptr);
// Moves examples that were not read (Example::problem) out of the list.
std::vector<Example> take_unread(std::vector<Example>& examples);
// Why records were left out, for an error of a list of which too little is left.
std::string why_left_out(const Samples& samples, const SampleOptions& options);

// Moves `held_out` distinct examples, chosen by `seed`, to the validation side. Examples with equal
// content stay on the same side. Throws if `held_out` leaves nothing to train on.
struct Split {
  std::vector<Example> train, held_out;
};
Split split_examples(std::vector<Example> examples, int64_t held_out, uint64_t seed);
// Guard: throws if a row of `held_out` is also in `train`.
void require_disjoint(const Samples& train, const Samples& held_out);

// Tokens of one micro-batch on the host, with everything that a forward pass needs to know about
// them.
struct Batch {
  int64_t rows = 0, length = 0;  // length: positions per row, a multiple of 8
  // Each has rows * length elements, row-major.
  std::vector<int32_t> tokens;
  std::vector<int32_t> targets;  // the token to predict at this position; -1: not a target
  // Index within the row where this position's document starts; always even.
  std::vector<int32_t> starts;
  // Which use of which sample (epoch * number of samples + sample index): the key of dropout's
  // random numbers. -1 for padding.
  std::vector<int64_t> samples;
  int64_t target_count = 0;  // of this batch; a step's count is the sum over its batches
  int64_t token_count = 0;   // without padding
};

// batch: rows per micro-batch; accumulate: micro-batches per step; length: longest row in tokens, a
// multiple of 8; pack: put several samples into a row; shuffle: permute samples in every epoch.
struct BatchOptions {
  int64_t batch = 1, accumulate = 1;
  int64_t length = 1024;
  bool pack = true;
  bool shuffle = true;
  uint64_t seed = 0;
};

// Computes the batches of any step from the step's number. It carries no state from step to step,
// so resuming a run means continuing with the next number.
class BatchSource {
 public:
  // Keeps a reference to `samples`. Throws if an option is out of range, if there are no samples,
  // or if a sample is longer than a row.
  BatchSource(const Samples& samples, const BatchOptions& options);
  // The micro-batches of step `step` (counted from 0): `accumulate` batches of `batch` rows, all of
  // the same length. Epochs follow each other without a gap. Throws if the step has no target.
  std::vector<Batch> next_step(int64_t step) const;
  // Every sample exactly once, in order, for evaluation. The last batch may have fewer rows.
  std::vector<Batch> once() const;
  // Number of steps until every sample was seen once, rounded up.
  int64_t steps_per_epoch() const;
  // Sample indices of an epoch in training order: a function of (seed, epoch) alone.
  std::vector<uint32_t> order(int64_t epoch) const;

 private:
  using Row = std::vector<int64_t>;  // uses of samples (see Batch::samples), in order
  std::vector<Row> rows_of_epoch(int64_t epoch) const;
  Batch batch_of(const Row* rows, int64_t count, int64_t length) const;
  int64_t row_length(const Row& row) const;
  const Samples& samples_;
  BatchOptions options_;
  // Cache: rows of the epoch used last, and the number of rows before each epoch seen so far.
  mutable std::vector<Row> epoch_rows_;
  mutable int64_t epoch_ = -1;
  mutable std::vector<int64_t> rows_before_{0};
};

}  // namespace afina
