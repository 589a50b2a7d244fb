// Answers of a run's models to its held-out rows, before and after training, judged by rules.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "tools/options/options.h"
#include "tools/runs/judge.h"
#include "tools/runs/scores.h"

namespace afina {

// What a run judges by, and what its untouched model answered.
struct Judging {
  std::vector<Rule> rules;
  std::vector<JudgedRow> rows;
  std::vector<int64_t> numbers;  // of the rows among the final ones
  Judged before;
};

// Reads the rules of --rule and --rules and takes the first of the final rows that have a question
// and an answer, at most --judge-rows; nullptr where no rules are given. held_out: the records that
// Sample::example counts in `final`. Errors: those of the rules, one that cannot be applied to an
// expected answer, and rows without any answer.
std::shared_ptr<Judging> open_judging(const RunOptions& run, const std::vector<Example>& held_out,
                                      const Samples& final);
// A UsageError for options of judging without a rule to judge by.
void require_rules(const Options& given, const RunOptions& run);
// Rules given by name and by file, in this order; an Error for two of one name.
std::vector<Rule> rules_asked(const std::vector<std::string>& names, const std::string& file);

// Lets a model of the run answer greedily, at most --judge-tokens, and judges. bench.judging must
// be there. losses: of the final rows, by this model.
Judged judge_run(Model& model, const Workbench& bench, const std::string& name,
                 const std::vector<double>& losses, const Answered& answered);
// Rows and rules without verdicts: what will be judged.
Judgement asked_of(const Judging& judging);
// For results.json: verdicts before and after.
Judgement judgement_of(const Judging& judging, const Judged& after);

}  // namespace afina
