// What it takes to run a run again: its options, as its manifest keeps them.
#pragma once
#include "tools/runs/run.h"

namespace afina {

struct Replay {
  ModelOptions model;
  DataOptions data;
  RunOptions run;
  MethodSpec method;  // without lr
  double lr = 0;
  uint64_t seed = 1;
};

// An Error for options whose texts no JSON file can hold, since a name of a file among them is not
// UTF-8: a run could not be written down, nor run again.
void require_replayable(const ModelOptions& model, const DataOptions& data, const RunOptions& run);
Json replay_of(const RunPlan& plan, const Workbench& bench);
// From a manifest.json; `where` is its name in messages.
Replay parse_replay(const Json& manifest, const std::string& where);

}  // namespace afina
