// A small workbench for tests that look at steps: the pocket model's form with random weights.
#pragma once
#include "tools/runs/workbench.h"

namespace afina {

inline Workbench small_bench(Precision dtype = Precision::f32,
                             Checkpointing checkpoint = Checkpointing::none, int64_t steps = 4) {
  ModelOptions model;
  DataOptions data;
  RunOptions run;
  model.path = AFINA_SOURCE_DIR "/data/pocket";
  model.init = true;
  model.dtype = dtype;
  model.checkpoint = checkpoint;
  data.data = {AFINA_SOURCE_DIR "/data/samples/support.jsonl"};
  data.limit = 60;
  data.held_out = 6;
  data.length = 64;
  data.on_too_long = OnTooLong::cut;
  data.on_problem = OnProblem::skip;
  run.steps = steps;
  run.batch = 2;
  return open_workbench(model, data, run);
}

}  // namespace afina
