// Measures answers below their own questions, below others' and below none.
#include "tools/checks/untouched.h"

#include <algorithm>
#include <set>

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

}  // namespace

const Check* chosen_check(const std::vector<const Check*>& chosen, const std::string& name) {
  for (const Check* check : chosen)
    if (check->name == name) return check;
  return nullptr;
}

void read_untouched(const Corpus& corpus, Reader& reader, const std::vector<const Check*>& chosen,
                    std::vector<Finding>& findings, RecordLosses& losses,
                    const std::function<void(double)>& done) {
  const auto model = load_model(reader.files(), "", Dtype::f32);
  const size_t n = reader.records().size();
  std::vector<size_t> all(n);
  for (size_t i = 0; i < n; ++i) all[i] = i;
  auto place = [&](size_t i) {
    return PiecePlace{reader.records()[i], reader.turn(i), 0,
                      uint32_t(corpus.text(reader.turn(i)).size())};
  };
  int reading = 0;
  std::vector<std::vector<double>> read;
  Samples own;
  auto measure = [&](const std::function<size_t(size_t)>& question_of) {
    Samples rows = reader.rows(all, question_of);
    std::vector<double> mean(n, -1);
    const std::vector<ReadAnswer> answers =
        reader.read(*model, all, rows, false, [&](int64_t rows_done) {
          if (done) done((reading + double(rows_done) / double(n)) / 4);
        });
    for (size_t i = 0; i < n; ++i)
      if (!answers[i].tokens.empty()) mean[i] = answers[i].loss();
    ++reading;
    read.push_back(std::move(mean));
    if (own.rows.empty()) own = std::move(rows);
  };
  measure([](size_t i) { return i; });
  measure([](size_t) { return Reader::no_question; });
  measure([&](size_t i) { return (i + n / 2) % n; });
  measure([&](size_t i) { return (i + n / 3 + 1) % n; });
  std::vector<double> gains, asked;
  std::vector<size_t> measured;
  for (size_t i = 0; i < n; ++i) {
    if (read[0][i] < 0 || read[1][i] < 0 || read[2][i] < 0 || read[3][i] < 0) continue;
    measured.push_back(i);
    asked.push_back(read[0][i]);
    gains.push_back(0.5 * (read[2][i] + read[3][i]) - read[0][i]);
    RecordMeasures& one = losses[reader.records()[i]];
    one.loss = read[0][i];
    one.without_question = read[1][i];
    one.elsewhere = 0.5 * (read[2][i] + read[3][i]);
  }
  if (gains.empty()) return;
  const auto [gain, gain_spread] = robust(gains);
  const auto [loss, loss_spread] = robust(asked);
  for (size_t k = 0; k < measured.size(); ++k) {
    if (const Check* check = chosen_check(chosen, "fits-any-question");
        check && gain > 1.5 * gain_spread &&
        gains[k] < std::min(0.25 * gain, gain - 2.5 * gain_spread))
      findings.push_back({check,
                          std::clamp(1 - gains[k] / gain, 0., 1.),
                          {place(measured[k])},
                          "loss " + format_loss(asked[k]) + " below its question, " +
                              format_loss(asked[k] + gains[k]) + " below others'",
                          ""});
    if (const Check* check = chosen_check(chosen, "unexpected");
        check && loss_spread > 0 && asked[k] > loss + 4 * loss_spread)
      findings.push_back({check,
                          std::min(1., (asked[k] - loss) / (10 * loss_spread)),
                          {place(measured[k])},
                          "loss " + format_loss(asked[k]) + ", the median is " + format_loss(loss),
                          ""});
  }
  const Check* check = chosen_check(chosen, "unseen-tokens");
  if (!check) return;
  std::set<int32_t> ids;
  for (const UnseenTarget& one : unseen_targets(*model, own)) ids.insert(one.id);
  for (const Sample& row : own.rows)
    for (size_t t = 0; t < row.tokens.size(); ++t)
      if (row.trained[t] && ids.count(row.tokens[t])) {
        findings.push_back({check,
                            0.9,
                            {place(size_t(row.example))},
                            reader.tokenizer().token_text(row.tokens[t]),
                            ""});
        break;
      }
}

}  // namespace afina
