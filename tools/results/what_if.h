// What training rows did to the held-out loss, each measured by training again without it, and what
// is known about them beside that.
#pragma once
#include <string>
#include <vector>

#include "engine/files/json_value.h"
#include "tools/results/row_findings.h"
#include "tools/results/statistics.h"

namespace afina {

// One row of the training data.
struct RowEffect {
  std::string record;            // "train.jsonl, line 12"
  std::string question, answer;  // what leads to the last answer, and that; or the text in `answer`
  double change = 0;  // held-out loss without the row - with it, nats: negative where it harms
  int64_t uses = 0;   // in the run
  std::vector<RowFound> found = {};
};

// An estimate of the rows' influence beside the truth.
struct RowEstimate {
  std::string name, words;
  std::vector<double> values;         // as many as rows; NaN where it cannot be said
  double rho = 0, low = 0, high = 0;  // rank correlation with the change; NaN: unknown
};

// The rows in which one kind of finding stands, against those in which nothing was found.
struct KindEffect {
  std::string kind;
  int64_t rows = 0;
  Estimate change;      // mean over the rows with it
  Estimate difference;  // to the mean over rows without any finding; count 0 where there are none
};

struct WhatIfResult {
  std::string model, method, data, command, created, version;
  int64_t steps = 0, held_out_rows = 0;
  double loss = 0;  // held out, with all rows
  std::vector<RowEffect> rows;
  std::vector<RowEstimate> estimates;
  std::vector<std::string> notes;
};

// The rows by their change, the most harmful first; equal ones in their order.
std::vector<size_t> by_change(const WhatIfResult& result);
// One for each kind that some row has, those with most rows first. Intervals are over rows: what
// other rows of the kind would do in this run. They do not contain what other seeds would give.
std::vector<KindEffect> kind_effects(const WhatIfResult& result);
// The mean over the rows without any finding; count 0 where there is none.
Estimate effect_without_findings(const WhatIfResult& result);
// The same as JSON.
Json kind_effects_json(const WhatIfResult& result);
// A change with five digits: +0.00123.
std::string change_text(double change);
// With its interval; a dash where it is unknown.
std::string change_text(const Estimate& change);

}  // namespace afina
