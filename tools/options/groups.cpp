// What the shared groups of options mean to the engine, the model and the data.
#include "tools/options/groups.h"

#include <cmath>

namespace afina {

void ModelOptions::check() const {
  require_precision(dtype, predicted_device());
  base_storage(base, base_ends);
}

BuildOptions ModelOptions::build(uint64_t seed, Device on) const {
  return {matrix_dtype(dtype), on, seed, checkpoint, base_storage(base, base_ends)};
}

SampleOptions RecordOptions::samples() const {
  require(length >= 2, "--length ", length, ": expected at least 2");
  SampleOptions o;
  o.length = length + length % 2;
  o.train_on = train_on;
  o.on_problem = on_problem;
  o.on_too_long = on_too_long;
  return o;
}

ExampleOptions RecordOptions::examples(const std::string& path) const {
  ExampleOptions o{format, fields_for(fields, path), limit};
  o.encoding = encoding;
  o.keep_problems = true;
  const std::string_view one = delimiter == "tab" || delimiter == "\\t" ? "\t" : delimiter;
  require(delimiter.empty() || (one.size() == 1 && one != "\"" && one != "\n" && one != "\r"),
          "--delimiter '", delimiter, "': expected one character, as in --delimiter ';', or tab");
  if (!delimiter.empty()) o.delimiter = one[0];
  return o;
}

void DataOptions::check() const {
  require(retain.empty() || retain_tokens > 0 || retain_tokens == -1, "--retain-tokens ",
          retain_tokens, ": expected at least 1; without --retain no forgetting is measured");
  require(eval_rows > 0 || eval_rows == -1, "--eval-rows ", eval_rows,
          ": expected at least 1; a comparison needs held-out records");
  constexpr int64_t most = int64_t(1) << 40;  // twice as many are counted, too
  for (auto [name, value] : {std::pair{"eval-rows", eval_rows},
                             {"retain-tokens", retain_tokens},
                             {"held-out", held_out}})
    require(value <= most, "--", name, " ", value, ": expected at most ", most);
  std::vector<std::string> paths = data;
  for (const std::string& path : {eval, retain})
    if (!path.empty()) paths.push_back(path);
  check_field_files(fields, paths);
}

void RunOptions::check() const {
  require(steps > 0, "--steps ", steps, ": expected at least 1");
  require(batch > 0 && accumulate > 0, "--batch ", batch, " and --accumulate ", accumulate,
          ": expected at least 1");
  require(warmup >= -1, "--warmup ", warmup, ": expected 0 steps or more");
  // With --epochs the steps are not known yet.
  require(epochs != 0 || warmup <= steps, "--warmup ", warmup, ": with --steps ", steps,
          " the rate would never reach its peak; give at most ", steps);
  for (auto [name, value] :
       {std::pair{"eval-every", eval_every}, {"save-every", save_every}, {"generations", samples}})
    require(value >= 0, "--", name, " ", value, ": expected 0 or more");
  require(judge_rows > 0 && judge_tokens > 0, "--judge-rows ", judge_rows, " and --judge-tokens ",
          judge_tokens, ": expected at least 1; without --rule and --rules nothing is judged");
  // Comparisons that are false for NaN as well.
  require(clip >= 0. && clip < HUGE_VAL, "--clip ", clip,
          ": expected the largest norm that a gradient may have, or 0 for no clipping");
  require(weight_decay >= 0. && weight_decay < HUGE_VAL, "--weight-decay ", weight_decay,
          ": expected 0 or more");
  require(floor >= 0. && floor <= 1., "--floor ", floor, ": expected a share from 0 to 1");
  require(beta1 >= 0. && beta1 < 1. && beta2 >= 0. && beta2 < 1., "--beta1 ", beta1,
          " and --beta2 ", beta2, ": expected from 0 to below 1");
  require(eps > 0. && eps < HUGE_VAL, "--eps ", eps, ": expected a small number above 0");
}

TrainOptions RunOptions::train(double lr) const {
  check();
  require(lr > 0., "the learning rate ", lr, " must be positive");
  require(!apply_as_you_go || accumulate == 1,
          "--apply-as-you-go updates weights while the gradients come, which must be those of the "
          "whole step; use --accumulate 1, not ",
          accumulate);
  require(!apply_as_you_go || clip == 0.,
          "--apply-as-you-go updates weights before the norm of the whole gradient is known, so "
          "that it cannot be clipped to ",
          clip, "; add --clip 0");
  TrainOptions o;
  o.schedule = {lr, steps, warmup_steps(), schedule, floor};
  o.optimizer = {optimizer, beta1, beta2, eps, weight_decay};
  o.clip = clip;
  o.apply_as_you_go = apply_as_you_go;
  o.graphs = graph;
  return o;
}

}  // namespace afina
