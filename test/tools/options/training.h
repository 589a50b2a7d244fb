// All options of a training run, for tests.
#pragma once
#include <string>
#include <vector>

#include "tools/options/groups.h"
#include "tools/options/options.h"

namespace afina {

using Given = std::vector<std::string>;

// The options of a training run, as train and compare declare them.
struct Training {
  ModelOptions model;
  DataOptions data;
  RunOptions run;
  ComparisonOptions comparison;
  Options options{"train", "All options of a run."};
  Training() {
    options.add("Comparison", comparison);
    options.add("Model", model);
    options.add("Data", data);
    options.add("Training", run);
  }
  // Parses what is needed and `more`.
  bool parse(Given more) {
    more.insert(more.begin(), {"--model", "m", "--data", "d"});
    return options.parse(more);
  }
};

}  // namespace afina
