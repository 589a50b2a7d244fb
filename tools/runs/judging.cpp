// Judging within a run.
#include "tools/runs/judging.h"

#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina {

std::vector<Rule> rules_asked(const std::vector<std::string>& names, const std::string& file) {
  std::vector<Rule> all;
  if (!file.empty()) all = read_rules(file);
  for (const std::string& name : names) {
    for (const Rule& one : all)
      require(one.name != name, "--rule ", name, ": there is a rule of this name already");
    all.push_back(built_in_rule(name));
  }
  return all;
}

void require_rules(const Options& given, const RunOptions& run) {
  if (!run.rule.empty() || !run.rules.empty()) return;
  for (const std::string name : {"judge-rows", "judge-tokens"})
    if (given.given(name))
      throw UsageError(
          "--" + name +
          ": answers are judged by rules, and none is given; give --rule exact, --rule "
          "number or --rules FILE");
}

std::shared_ptr<Judging> open_judging(const RunOptions& run, const std::vector<Example>& held_out,
                                      const Samples& final) {
  if (run.rule.empty() && run.rules.empty()) return nullptr;
  auto judging = std::make_shared<Judging>();
  judging->rules = rules_asked(run.rule, run.rules);
  std::vector<Example> examples;
  for (size_t i = 0; i < final.rows.size() && int64_t(examples.size()) < run.judge_rows; ++i) {
    const Example& e = held_out[size_t(final.rows[i].example)];
    if (!e.problem.empty() || e.is_text() || e.messages.size() < 2 ||
        e.messages.back().role != "assistant")
      continue;
    examples.push_back(e);
    judging->numbers.push_back(int64_t(i));
  }
  require(!examples.empty(),
          "--rule and --rules judge answers, and no held-out row has a question and an answer");
  int64_t left_out = 0;
  judging->rows = judged_rows(std::move(examples), false, left_out);
  try_rules(judging->rules, judging->rows);
  return judging;
}

Judged judge_run(Model& model, const Workbench& bench, const std::string& name,
                 const std::vector<double>& losses, const Answered& answered) {
  PhaseScope phase(Phase::evaluation);
  GenerateOptions options = answering(bench);
  options.most = bench.run.judge_tokens;
  const auto rows = int64_t(bench.judging->rows.size());
  Judged judged = judge({name, model, bench.tokenizer, bench.chat, options}, bench.judging->rows,
                        bench.judging->rules, nullptr, [&](int64_t done) {
                          if (answered) answered(done, rows);
                        });
  for (size_t i = 0; i < bench.judging->numbers.size(); ++i) {
    const auto row = size_t(bench.judging->numbers[i]);
    judged.losses[i] = losses.at(row);
    judged.targets[i] = bench.final.rows[row].target_count();
  }
  return judged;
}

Judgement asked_of(const Judging& judging) {
  Judgement all;
  all.rows = judging.numbers;
  for (const JudgedRow& row : judging.rows) all.places.push_back(valid_utf8(row.example.place));
  for (const Rule& rule : judging.rules) all.rules.push_back({rule.name, rule.says, {}, {}});
  return all;
}

Judgement judgement_of(const Judging& judging, const Judged& after) {
  Judgement all = asked_of(judging);
  for (size_t rule = 0; rule < all.rules.size(); ++rule)
    for (size_t row = 0; row < judging.rows.size(); ++row) {
      all.rules[rule].before.push_back(judging.before.value(rule, row));
      all.rules[rule].after.push_back(after.value(rule, row));
    }
  return all;
}

}  // namespace afina
