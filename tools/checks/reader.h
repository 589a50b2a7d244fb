// Answers as a model reads them, token by token, below their own questions and below others'.
#pragma once
#include <functional>
#include <memory>

#include "data/checks/check.h"
#include "tools/runs/load.h"

namespace afina {

// A token of an answer, as a model read it.
struct ReadToken {
  uint32_t begin = 0, end = 0;  // bytes of the answer's turn; equal for the mark that ends it
  int32_t id = 0;
  int32_t best = 0;   // the token that the model held most likely in its place
  float loss = 0;     // -log p of the token, in nats
  float of_best = 0;  // -log p of `best`
  // How much more likely the model held another token, in nats; 0 where the token was its best.
  float margin() const { return loss - of_best; }
};
// The tokens of a record's last answer.
struct ReadAnswer {
  std::vector<ReadToken> tokens;  // none: not read
  // Mean loss over all its tokens.
  double loss() const;
  // Mean loss of the tokens that begin within these bytes of the turn; -1: there is none.
  double loss(uint32_t begin, uint32_t end) const;
};

// The records of a corpus that have a question and an answer, and one model's files.
class Reader {
 public:
  // examples: those of the corpus's training records, in their order; both must outlive it. An
  // Error where no record has a question and an answer.
  Reader(const Corpus& corpus, const std::vector<Example>& examples, const std::string& model);

  // The records that can be read, ascending. Functions below take indices of this list.
  const std::vector<uint32_t>& records() const { return usable_; }
  // The turn of a record's last answer.
  uint32_t turn(size_t i) const { return turns_[i]; }
  ModelFiles& files() { return files_; }
  const Tokenizer& tokenizer() const { return tokenizer_; }
  int64_t length() const { return options_.length; }

  // No question: "?" stands in place of all turns before the answer.
  static constexpr size_t no_question = SIZE_MAX;
  // Rows of the last answers of `which`, each below the turns before the last answer of
  // question_of(i) (i itself: its own). Sample::example counts in `which`. Rows longer than
  // length() are cut there.
  Samples rows(const std::vector<size_t>& which,
               const std::function<size_t(size_t i)>& question_of) const;
  // Reads the rows: one ReadAnswer for each of `which`. done: called with the rows read so far; may
  // be empty. best: fill in `best` and `of_best`, which needs all logits.
  std::vector<ReadAnswer> read(Model& model, const std::vector<size_t>& which, const Samples& rows,
                               bool best, const std::function<void(int64_t)>& done) const;

 private:
  Example with_question_of(size_t i, size_t j) const;
  void place(size_t i, ReadAnswer& answer) const;
  const Corpus& corpus_;
  const std::vector<Example>& examples_;
  RecordOptions options_;
  ModelFiles files_;
  Tokenizer tokenizer_;
  ChatTemplate chat_;
  std::vector<uint32_t> usable_, turns_;
};

}  // namespace afina
