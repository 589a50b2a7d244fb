// Training steps captured as graphs: one graph for each kind of step, captured when a kind occurs
// for the second time.
#pragma once
#include <functional>
#include <map>
#include <string>

#include "engine/attention_flops.h"
#include "engine/graph.h"
#include "engine/train/async_step.h"

namespace afina {

enum class GraphUse : uint8_t;

// Identifies steps that launch the same kernels. The caller promises that inputs of one kind are
// always at the same device addresses.
struct StepKind {
  std::string key;       // shapes, rounded counts, seed
  AttentionPairs pairs;  // that attention computes in this step, to count its FLOPs
};

class StepGraphs {
 public:
  // weights: the number of trained parameters.
  StepGraphs(Device device, size_t weights, GraphUse use);
  // Runs a step: directly the first time that its kind occurs, captured the second, replayed from
  // then on; always directly without a kind or where why_not() has a reason. launch(table): gives
  // the device everything from the first micro-batch to the update and waits for nothing.
  void run(const StepKind* kind, const std::function<void(WeightTable&)>& launch);
  int64_t captured() const { return captured_; }
  int64_t replayed() const { return replayed_; }
  // Did the last step run from a graph?
  bool last_replayed() const { return last_replayed_; }
  // Why steps, or some of them, are not captured; empty when all are.
  std::string why_not() const;

 private:
  struct Kind {
    int seen = 0;
    std::unique_ptr<WeightTable> table;
    std::unique_ptr<Graph> graph;
    StepFlops flops;
  };
  bool capture(Kind& kind, const AttentionPairs& pairs,
               const std::function<void(WeightTable&)>& launch);
  Device device_;
  size_t weights_;
  WeightTable table_;  // of steps that are not captured
  std::map<std::string, Kind> kinds_;
  int64_t captured_ = 0, replayed_ = 0;
  int64_t beyond_ = 0;  // steps that were not captured because too many kinds are
  bool last_replayed_ = false;
  std::string why_not_;
};

}  // namespace afina
