// Answers of models to records that they were not trained on, judged by rules, beside the rows'
// losses.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "data/batches.h"
#include "model/generate.h"
#include "model/model.h"
#include "tools/results/share.h"
#include "tools/runs/rules.h"

namespace afina {

// A record's last answer, and what leads to it.
struct JudgedRow {
  Example example;
  std::vector<Message> prompt;
  // The user's turns of the prompt; its other turns; the record's own answer.
  std::string question, context, expected;
};
// Records without an answer, plain texts among them, are an Error, or with `skip` left out; then
// `left_out` counts them. An Error where none is left.
std::vector<JudgedRow> judged_rows(std::vector<Example> examples, bool skip, int64_t& left_out);

// Who answers.
struct Contender {
  std::string name;
  Model& model;
  const Tokenizer& tokenizer;
  ChatTemplate chat;
  GenerateOptions options;  // with the tokens at which an answer ends
};
// What one contender answered, row by row.
struct Judged {
  std::string name;
  std::vector<std::string> answers;
  std::vector<Generated::End> ends;            // why each answer ended
  std::vector<std::vector<Verdict>> verdicts;  // [rule][row]
  // Why a rule could not be applied to an answer, a rule once; its verdict there is `undecided`.
  std::vector<std::string> undecided;
  std::vector<double> losses;    // mean over the row's targets; NaN: not measured
  std::vector<int64_t> targets;  // of the row; 0: not measured
  double loss = 0;               // per target, over all of them

  Share passed(size_t rule) const;
  Share passed_all() const;  // rows that pass every rule that asks something of them
  // 1 passed, 0 failed; NaN where the rule asks nothing or is undecided.
  double value(size_t rule, size_t row) const;
  double value_of_all(size_t row) const;
};
// Answers and judges every row. samples: how the rows' losses are measured; nullptr: they are not.
// done: called with the number of rows that are answered. An Error, before the first answer, where
// a prompt fills the context.
Judged judge(const Contender& contender, const std::vector<JudgedRow>& rows,
             const std::vector<Rule>& rules, const SampleOptions* samples,
             const std::function<void(int64_t)>& done);
// An Error for a rule that cannot be applied to the expected answers: to be asked before hours of
// answering.
void try_rules(const std::vector<Rule>& rules, const std::vector<JudgedRow>& rows);

// The same rows before and after. rule: a rule's number, or that of all of them together,
// verdicts.size().
PairedShares change(const Judged& before, const Judged& after, size_t rule);

// answers.jsonl: a line for each row and contender.
std::string judged_lines(const std::vector<JudgedRow>& rows, const std::vector<Rule>& rules,
                         const std::vector<Judged>& judged);
// judgement.json: shares with their intervals.
Json judgement_json(const std::vector<JudgedRow>& rows, const std::vector<Rule>& rules,
                    const std::vector<Judged>& judged, const std::string& described);

}  // namespace afina
