// Capturing and replaying training steps.
#include "engine/train/step_graphs.h"

#include "engine/train/trainer.h"

namespace afina {

namespace {

// Further kinds are not captured: each graph costs some milliseconds and device memory.
constexpr int64_t most_graphs = 64;

std::string reason(Device device, GraphUse use) {
  if (use == GraphUse::off) return "switched off (--graph off)";
  if (const char* why = why_no_graphs(device)) return why;
  if (use == GraphUse::automatic && device != Device::cuda)
    return "--graph auto captures on cuda alone";
  return "";
}

}  // namespace

StepGraphs::StepGraphs(Device device, size_t weights, GraphUse use)
    : device_(device), weights_(weights), table_(weights, device), why_not_(reason(device, use)) {}

void StepGraphs::run(const StepKind* kind, const std::function<void(WeightTable&)>& launch) {
  last_replayed_ = false;
  StepMemory memory(device_);
  if (!kind || !why_not_.empty()) return launch(table_);
  require(graphs(device_).step_bytes() == 0,
          "a tensor of an earlier step is still held: ", graphs(device_).step_bytes(),
          " bytes of the memory that is reserved for steps; run with --graph off");
  Kind& known = kinds_[kind->key];
  if (known.graph) {
    known.flops.count_again(kind->pairs);
  } else {
    if (++known.seen < 2) return launch(table_);
    if (captured_ >= most_graphs) {
      ++beyond_;
      return launch(table_);
    }
    if (!capture(known, kind->pairs, launch)) return launch(table_);
  }
  known.graph->replay();
  last_replayed_ = true;
  ++replayed_;
}

std::string StepGraphs::why_not() const {
  if (!why_not_.empty() || !beyond_) return why_not_;
  return std::to_string(beyond_) + " steps were of more kinds than the " +
         std::to_string(most_graphs) +
         " that are captured at most; rows of more equal lengths (--pack) or fewer rows a step "
         "make fewer kinds";
}

// Captures the second step of a kind: by then everything that is made once exists (tables,
// algorithms of libraries and their workspace).
bool StepGraphs::capture(Kind& kind, const AttentionPairs& pairs,
                         const std::function<void(WeightTable&)>& launch) {
  kind.table = std::make_unique<WeightTable>(weights_, device_, true);
  kind.flops = StepFlops();
  try {
    kind.graph = std::make_unique<Graph>(device_, [&] { launch(*kind.table); });
  } catch (const Error& e) {
    why_not_ = std::string("a step could not be captured: ") + e.what();
    return false;
  }
  kind.flops.done(pairs);
  kind.table->upload();
  ++captured_;
  return true;
}

}  // namespace afina
