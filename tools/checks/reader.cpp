// Makes rows of answers and questions, and reads them.
#include "tools/checks/reader.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"
#include "engine/threads.h"
#include "tools/runs/step.h"

namespace afina {

namespace {

constexpr int64_t longest = 256;
constexpr int64_t most_logits = int64_t(1) << 23;  // of a batch, where all of them are held

// One behind the last answer; 0: none.
size_t last_answer(const Example& example) {
  size_t last = example.messages.size();
  while (last > 0 && example.messages[last - 1].role != "assistant") --last;
  return last;
}

// The turn of the record's last answer in the corpus; no_turn: there is none.
uint32_t answer_turn(const Corpus& corpus, uint32_t record) {
  const auto turns = corpus.turns(record);
  for (size_t t = turns.size(); t-- > 0;)
    if (turns[t].role == TurnRole::answer) return corpus.record(record).first_turn + uint32_t(t);
  return no_turn;
}

}  // namespace

double ReadAnswer::loss() const {
  double sum = 0;
  for (const ReadToken& token : tokens) sum += token.loss;
  return tokens.empty() ? 0 : sum / double(tokens.size());
}

double ReadAnswer::loss(uint32_t begin, uint32_t end) const {
  double sum = 0;
  int64_t count = 0;
  for (const ReadToken& token : tokens) {
    if (token.begin < begin || token.begin >= end || token.begin == token.end) continue;
    sum += token.loss;
    ++count;
  }
  return count ? sum / double(count) : -1;
}

Reader::Reader(const Corpus& corpus, const std::vector<Example>& examples, const std::string& path)
    : corpus_(corpus),
      examples_(examples),
      files_(open_model(path)),
      tokenizer_(tokenizer_of(files_)),
      chat_(ChatTemplate::choose(options_.template_choice(), tokenizer_)) {
  options_.train_on = TrainOn::last_answer;
  options_.on_too_long = OnTooLong::cut;
  options_.on_problem = OnProblem::skip;
  options_.length = std::min(longest, files_.config.context);
  for (uint32_t r = 0; r < corpus.records() && r < examples.size(); ++r) {
    const uint32_t turn = answer_turn(corpus, r);
    if (!examples[r].problem.empty() || last_answer(examples[r]) < 2 || turn == no_turn) continue;
    usable_.push_back(r);
    turns_.push_back(turn);
  }
  require(!usable_.empty(), "--model ", path,
          ": no record has a question and an answer to measure; leave --model out");
}

Example Reader::with_question_of(size_t i, size_t j) const {
  const Example& mine = examples_[usable_[i]];
  if (i == j) return mine;
  Example made;
  made.place = mine.place;
  if (j != no_question) {
    const Example& theirs = examples_[usable_[j]];
    made.messages.assign(theirs.messages.begin(),
                         theirs.messages.begin() + std::ptrdiff_t(last_answer(theirs)) - 1);
  } else {
    made.messages.push_back({"user", "?"});
  }
  made.messages.push_back(mine.messages[last_answer(mine) - 1]);
  return made;
}

Samples Reader::rows(const std::vector<size_t>& which,
                     const std::function<size_t(size_t)>& question_of) const {
  std::vector<Example> made;
  for (size_t i : which) made.push_back(with_question_of(i, question_of(i)));
  return make_samples(made, tokenizer_, chat_, options_.samples());
}

std::vector<ReadAnswer> Reader::read(Model& model, const std::vector<size_t>& which,
                                     const Samples& rows, bool best,
                                     const std::function<void(int64_t)>& done) const {
  std::vector<ReadAnswer> all(which.size());
  // Rows of like length share a batch, so that little is padded; what a row reads does not depend
  // on its neighbours.
  std::vector<size_t> order(rows.rows.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return rows.rows[a].tokens.size() < rows.rows[b].tokens.size();
  });
  Samples sorted;
  sorted.pad = rows.pad;
  for (size_t i : order) sorted.rows.push_back(rows.rows[i]);
  const int64_t vocabulary = model.config.vocabulary;
  BatchOptions options;
  options.batch =
      best ? std::clamp<int64_t>(most_logits / (options_.length * vocabulary), 1, 8) : 8;
  options.length = options_.length + options_.length % 2;
  options.shuffle = options.pack = false;
  int64_t so_far = 0;
  for (const Batch& batch : BatchSource(sorted, options).once()) {
    const Inputs inputs = inputs_of(batch, 0, -1, model.parameters->device);
    std::vector<float> losses, logits;
    if (best) logits = model.logits(inputs).values();
    else losses = model.loss(inputs, 1.).losses.values();
    std::vector<ReadToken> tokens(batch.targets.size());
    parallel_for(int64_t(tokens.size()), 8, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        ReadToken& token = tokens[size_t(t)];
        token.id = batch.targets[size_t(t)];
        if (token.id < 0) continue;
        if (!best) {
          token.loss = losses[size_t(t)];
          continue;
        }
        const float* row = logits.data() + t * vocabulary;
        const float* top = std::max_element(row, row + vocabulary);
        double sum = 0;
        for (int64_t v = 0; v < vocabulary; ++v) sum += std::exp(double(row[v]) - double(*top));
        token.best = int32_t(top - row);
        token.of_best = float(std::log(sum));
        token.loss = float(std::log(sum) + double(*top) - double(row[token.id]));
      }
    });
    for (size_t t = 0; t < tokens.size(); ++t)
      if (batch.targets[t] >= 0)
        all[size_t(sorted.rows[size_t(batch.samples[t])].example)].tokens.push_back(tokens[t]);
    so_far += batch.rows;
    if (done) done(so_far);
  }
  for (size_t k = 0; k < which.size(); ++k) place(which[k], all[k]);
  return all;
}

// Which bytes of the turn the tokens are: their texts one after the other hold the answer. Where
// they do not (a template that rewrites it), the answer counts as not read.
void Reader::place(size_t i, ReadAnswer& answer) const {
  std::string_view text = corpus_.text(turns_[i]);
  uint32_t before = 0;  // templates may trim
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) {
    text.remove_prefix(1);
    ++before;
  }
  std::string said;
  std::vector<std::pair<size_t, size_t>> ranges;
  for (const ReadToken& token : answer.tokens) {
    const size_t begin = said.size();
    said += tokenizer_.token_bytes(token.id);
    ranges.emplace_back(begin, said.size());
  }
  const size_t common = std::min(text.size(), size_t(24));
  const size_t at = said.find(text.substr(0, common));
  if (at == said.npos || common == 0) {
    answer.tokens.clear();
    return;
  }
  const std::string_view whole = corpus_.text(turns_[i]);
  const size_t most = whole.size();
  auto byte = [&](size_t in) {
    const size_t from = in + before;  // that of the text is `at` less
    return uint32_t(std::min(most, from > at ? from - at : 0));
  };
  for (size_t t = 0; t < ranges.size(); ++t) {
    answer.tokens[t].begin = byte(ranges[t].first);
    answer.tokens[t].end = byte(ranges[t].second);
    ReadToken& token = answer.tokens[t];
    if (tokenizer_.is_special(token.id)) token.end = token.begin;
    // Most tokenizers write the blank before a word into its token: it belongs to no word.
    while (token.begin + 1 < token.end && whole[token.begin] == ' ') ++token.begin;
  }
}

}  // namespace afina
