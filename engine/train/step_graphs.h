// Training steps captured as graphs: one for each kind of step, made when a kind comes for the
// second time.
#pragma once
#include <functional>
#include <map>
#include <string>

#include "engine/attention_flops.h"
#include "engine/graph.h"
#include "engine/train/device_step.h"

namespace afina {

enum class GraphUse : uint8_t;

// A kind of step: everything that its launches follow from but the model and what is trained. Where
// a step has a kind, whoever gives it promises that its forward passes find their inputs at the
// same places in device memory each time.
struct StepKind {
  std::string key;  // shapes, rounded counts, seed
  int64_t pairs =
      0;  // of queries and keys that see each other in this step, for the count of FLOPs
};

class StepGraphs {
 public:
  StepGraphs(Device device, size_t weights, GraphUse use);
  // Gives the device the step: as it is, the first time and wherever there is a reason not to
  // capture; captured and replayed, the second; else replayed. give(table): everything from the
  // first micro-batch to the update; it must wait for nothing.
  void run(const StepKind* kind, const std::function<void(WeightTable&)>& give);
  int64_t captured() const { return captured_; }
  int64_t replayed() const { return replayed_; }
  // Did the last step run from a graph?
  bool last_replayed() const { return last_replayed_; }
  // Why steps are not captured, or some of them; empty when all are.
  std::string why_not() const;

 private:
  struct Kind {
    int seen = 0;
    std::unique_ptr<WeightTable> table;
    std::unique_ptr<Graph> graph;
    StepFlops flops;
  };
  bool capture(Kind& kind, int64_t pairs, const std::function<void(WeightTable&)>& give);
  Device device_;
  size_t weights_;
  WeightTable table_;  // of steps that are not captured
  std::map<std::string, Kind> kinds_;
  int64_t captured_ = 0, replayed_ = 0,
          beyond_ = 0;  // beyond_: steps of kinds that there was no room for
  bool last_replayed_ = false;
  std::string why_not_;
};

}  // namespace afina
