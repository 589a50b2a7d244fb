// Measures answers below their own questions, below others' and below none.
#include "tools/checks/with_model.h"

#include <algorithm>
#include <set>

#include "engine/error.h"
#include "tools/runs/evaluate.h"
#include "tools/runs/load.h"
#include "tools/runs/unseen_targets.h"
#include "tools/text/format.h"

namespace afina {

namespace {

const RegisterCheck fits_any({"fits-any-question", "model", Severity::warning,
                              "answers as likely below others' questions (--model)",
                              "From such an answer the model learns nothing about the question.",
                              "Say what belongs to this question alone.", nullptr});
const RegisterCheck unexpected({"unexpected", "model", Severity::note,
                                "answers whose loss is far above the file's (--model)",
                                "They are often damaged, in another language, or of another kind.",
                                "Look at them.", nullptr});
const RegisterCheck unseen_tokens(
    {"unseen-tokens", "model", Severity::warning,
     "answers with tokens that pretraining never saw (--model)",
     "A method that leaves the rows of such tokens alone can hardly learn to say them.",
     "Train these rows as well (tokens=...), or write the answer without them.", nullptr});

// The last answer, and what stands before it.
size_t last_answer(const Example& example) {
  size_t last = example.messages.size();
  while (last > 0 && example.messages[last - 1].role != "assistant") --last;
  return last;  // one behind it; 0: none
}

class Losses {
 public:
  Losses(const Corpus& corpus, const std::vector<Example>& examples, const std::string& path)
      : corpus_(corpus),
        examples_(examples),
        files_(open_model(path)),
        tokenizer_(tokenizer_of(files_)),
        chat_(ChatTemplate::choose(options_.template_choice(), tokenizer_)) {
    options_.train_on = TrainOn::last_answer;
    options_.on_too_long = OnTooLong::cut;
    options_.on_problem = OnProblem::skip;
    options_.length = std::min<int64_t>(256, files_.config.context);
    LoadOptions load;
    load.model = path;
    model_ = load_model(files_, load);
    for (uint32_t r = 0; r < corpus.records() && r < examples.size(); ++r)
      if (examples[r].problem.empty() && last_answer(examples[r]) >= 2) usable_.push_back(r);
    require(!usable_.empty(), "--model: no record has a question and an answer to measure");
  }

  std::vector<AnswerLosses> measure() {
    std::vector<AnswerLosses> all(corpus_.records());
    const size_t n = usable_.size();
    const double missing = -1;
    std::vector<double> own(all.size(), missing), alone = own, first = own, second = own;
    read([&](size_t i) { return with_question_of(i, i); }, own, &all);
    read([&](size_t i) { return with_question_of(i, n); }, alone, nullptr);
    read([&](size_t i) { return with_question_of(i, (i + n / 2) % n); }, first, nullptr);
    read([&](size_t i) { return with_question_of(i, (i + n / 3 + 1) % n); }, second, nullptr);
    for (uint32_t r : usable_) {
      AnswerLosses& one = all[r];
      if (own[r] < 0 || alone[r] < 0 || first[r] < 0 || second[r] < 0) one.tokens = 0;
      one.asked = own[r];
      one.alone = alone[r];
      one.elsewhere = 0.5 * (first[r] + second[r]);
    }
    return all;
  }

  // Records with targets that pretraining never saw, and the first of these as text.
  std::vector<std::pair<uint32_t, std::string>> unseen() {
    std::set<int32_t> ids;
    for (const UnseenTarget& one : unseen_targets(*model_, asked_)) ids.insert(one.id);
    std::vector<std::pair<uint32_t, std::string>> all;
    for (const Sample& row : asked_.rows)
      for (size_t i = 0; i < row.tokens.size(); ++i)
        if (row.trained[i] && ids.count(row.tokens[i])) {
          all.emplace_back(usable_[size_t(row.example)], tokenizer_.token_text(row.tokens[i]));
          break;
        }
    return all;
  }

 private:
  // The last answer of usable record i below the turns before that of j; below "?" where j is none.
  Example with_question_of(size_t i, size_t j) const {
    const Example& mine = examples_[usable_[i]];
    if (i == j) return mine;
    Example made;
    made.place = mine.place;
    if (j < usable_.size()) {
      const Example& theirs = examples_[usable_[j]];
      made.messages.assign(theirs.messages.begin(),
                           theirs.messages.begin() + std::ptrdiff_t(last_answer(theirs)) - 1);
    } else {
      made.messages.push_back({"user", "?"});
    }
    made.messages.push_back(mine.messages[last_answer(mine) - 1]);
    return made;
  }

  template <class Make>
  void read(Make&& make, std::vector<double>& losses, std::vector<AnswerLosses>* counts) {
    std::vector<Example> made;
    for (size_t i = 0; i < usable_.size(); ++i) made.push_back(make(i));
    Samples samples = make_samples(made, tokenizer_, chat_, options_.samples());
    const Evaluation e = evaluate(*model_, samples, 8, options_.length + options_.length % 2);
    for (size_t k = 0; k < samples.rows.size(); ++k) {
      const uint32_t record = usable_[size_t(samples.rows[k].example)];
      losses[record] = e.losses[k];
      if (counts) (*counts)[record].tokens = e.tokens[k];
    }
    if (counts) asked_ = std::move(samples);
  }

  const Corpus& corpus_;
  const std::vector<Example>& examples_;
  RecordOptions options_;
  ModelFiles files_;
  Tokenizer tokenizer_;
  ChatTemplate chat_;
  std::unique_ptr<Model> model_;
  std::vector<uint32_t> usable_;
  Samples asked_;
};

double middle(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

// Median, and the spread that a normal distribution's standard deviation would have.
std::pair<double, double> robust(const std::vector<double>& values) {
  const double centre = middle(values);
  std::vector<double> away;
  for (double value : values) away.push_back(value > centre ? value - centre : centre - value);
  return {centre, 1.4826 * middle(away)};
}

PiecePlace answer_of(const Corpus& corpus, uint32_t record) {
  const auto turns = corpus.turns(record);
  for (size_t t = turns.size(); t-- > 0;)
    if (turns[t].role == TurnRole::answer)
      return {record, corpus.record(record).first_turn + uint32_t(t), 0, turns[t].size};
  return {record};
}

}  // namespace

void run_with_model(const Corpus& corpus, const std::vector<Example>& examples,
                    const std::string& model, const std::vector<const Check*>& chosen,
                    std::vector<Finding>& findings, RecordLosses& losses) {
  auto wanted = [&](const std::string& name) -> const Check* {
    for (const Check* check : chosen)
      if (check->name == name) return check;
    return nullptr;
  };
  Losses reader(corpus, examples, model);
  const std::vector<AnswerLosses> all = reader.measure();
  std::vector<double> gains, asked;
  for (const AnswerLosses& one : all) {
    if (!one.tokens) continue;
    gains.push_back(one.elsewhere - one.asked);
    asked.push_back(one.asked);
  }
  if (gains.empty()) return;
  const auto [gain, gain_spread] = robust(gains);
  const auto [loss, loss_spread] = robust(asked);
  for (uint32_t r = 0; r < all.size(); ++r) {
    const AnswerLosses& one = all[r];
    if (!one.tokens) continue;
    losses[r] = one.asked;
    const double own_gain = one.elsewhere - one.asked;
    if (const Check* check = wanted("fits-any-question");
        check && gain > 1.5 * gain_spread &&
        own_gain < std::min(0.25 * gain, gain - 2.5 * gain_spread))
      findings.push_back({check,
                          std::clamp(1 - own_gain / gain, 0., 1.),
                          {answer_of(corpus, r)},
                          "loss " + format_loss(one.asked) + " below its question, " +
                              format_loss(one.elsewhere) + " below others'",
                          ""});
    if (const Check* check = wanted("unexpected");
        check && loss_spread > 0 && one.asked > loss + 4 * loss_spread)
      findings.push_back({check,
                          std::min(1., (one.asked - loss) / (10 * loss_spread)),
                          {answer_of(corpus, r)},
                          "loss " + format_loss(one.asked) + ", the median is " + format_loss(loss),
                          ""});
  }
  if (const Check* check = wanted("unseen-tokens"))
    for (auto& [record, token] : reader.unseen())
      findings.push_back({check, 0.9, {answer_of(corpus, record)}, token, ""});
  sort_findings(findings);
}

}  // namespace afina
