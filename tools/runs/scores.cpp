// Evaluating models of a run.
#include "tools/runs/scores.h"

#include "model/generate.h"
#include "tools/runs/dialogue.h"
#include "tools/runs/evaluate.h"
#include "tools/runs/found_rows.h"
#include "tools/runs/judging.h"
#include "tools/runs/load.h"
#include "tools/runs/unseen_targets.h"

namespace afina {

bool evaluates_after(const RunOptions& run, int64_t step) {
  int64_t every = run.eval_every > 0 ? run.eval_every : std::max<int64_t>(1, run.steps / 10);
  return step % every == 0 || step == run.steps;
}

GenerateOptions answering(const Workbench& bench) {
  GenerateOptions options = within(bench.tokenizer, {});
  options.stop = stop_tokens(*bench.opened, bench.tokenizer);
  options.stop.insert(options.stop.end(), {bench.tokenizer.eos(), bench.chat.end_of_turn()});
  return options;
}

namespace {
std::string answer(Model& model, const Workbench& bench, const Example& e) {
  std::vector<Message> asked(e.messages.begin(), e.messages.end() - 1);
  std::vector<int32_t> prompt = bench.tokenizer.encode(bench.chat.text(asked, true, e.input));
  GenerateOptions options = answering(bench);
  options.most = std::min<int64_t>(96, model.context() - int64_t(prompt.size()));
  if (options.most <= 0) return "(the prompt fills the model's context)";
  return bench.tokenizer.decode(generate(model, prompt, options).tokens, true);
}
}  // namespace

std::vector<std::string> answers(Model& model, const Workbench& bench,
                                 std::vector<std::string>& notes) {
  PhaseScope phase(Phase::evaluation);
  std::vector<std::string> all;
  for (const Example& e : bench.prompts) {
    all.emplace_back();
    try {
      all.back() = answer(model, bench, e);
    } catch (const std::exception& why) {
      notes.push_back("sample answer " + std::to_string(all.size()) +
                      " could not be made: " + why.what());
    }
  }
  return all;
}

namespace {
ExampleLosses row_by_row(const Evaluation& e) {
  ExampleLosses rows;
  for (size_t i = 0; i < e.losses.size(); ++i) rows.rows.push_back(int64_t(i));
  rows.tokens = e.tokens;
  rows.losses = e.losses;
  return rows;
}
}  // namespace

Scores score(Model& model, const Workbench& bench, ExampleLosses& rows, ExampleLosses& retain,
             const Evaluation* retention) {
  Evaluation e = evaluate(model, bench.final, bench.run.batch, bench.data.length);
  rows = row_by_row(e);
  Scores s;
  s.heldout = e.mean;
  s.heldout_rows = int64_t(e.losses.size());
  s.heldout_tokens = e.targets;
  if (bench.retain.rows.empty()) return s;
  const Evaluation r =
      retention ? *retention : evaluate(model, bench.retain, bench.run.batch, bench.data.length);
  retain = row_by_row(r);
  s.retain = r.mean;
  s.retain_tokens = r.targets;
  return s;
}

void measure_base(Workbench& bench, const Answered& answered) {
  const ComputeScope scope = bench.model.scope();
  auto model = build_start(bench);
  bench.described.parameters = 0;
  for (const Parameter& p : model->parameters->all) bench.described.parameters += p.shape.size();
  bench.unseen = unseen_targets(*model, bench.train);
  bench.before = score(*model, bench, bench.before_rows, bench.before_retain);
  bench.choice_before = evaluate(*model, bench.choice, bench.run.batch, bench.data.length);
  if (bench.found) bench.found->before = record_losses(*model, bench);
  if (bench.judging)
    bench.judging->before = judge_run(*model, bench, "base", bench.before_rows.losses, answered);
  std::vector<std::string> said = answers(*model, bench, bench.notes);
  for (size_t i = 0; i < said.size(); ++i) {
    const Example& e = bench.prompts[i];
    std::string prompt;
    for (size_t m = 0; m + 1 < e.messages.size(); ++m)
      prompt += (m ? "\n" : "") + (e.messages.size() > 2 ? e.messages[m].role + ": " : "") +
                e.messages[m].content;
    bench.generations.push_back({prompt, e.messages.back().content, said[i], ""});
  }
}

}  // namespace afina
