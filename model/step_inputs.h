// Inputs of training steps at places in device memory that stay, uploaded while the step before
// runs.
#pragma once
#include <map>
#include <optional>

#include "engine/train/step_graphs.h"
#include "model/inputs.h"

namespace afina {

// Rows of one micro-batch on the host, as make_inputs takes them.
struct InputRows {
  int64_t rows, length;
  const std::vector<int32_t>&tokens, &targets, &starts;
  const std::vector<int64_t>& samples;
};

// A block of device memory for each shape of a step, so that a captured step
// (engine/train/step_graphs.h) finds the next step's inputs where its own were. What is sent ahead
// goes by turns to one of two places, and into the block when its step begins: nothing is written
// that a step under way may still read.
class StepInputs {
 public:
  explicit StepInputs(Device device) : device_(device) {}
  ~StepInputs();
  StepInputs(const StepInputs&) = delete;
  // Makes these the current ones: those that were sent ahead for this step, or else uploaded now.
  // Every one has targets and samples.
  void load(const std::vector<InputRows>& micro_batches, uint64_t seed, int64_t step);
  // Uploads those of a later step from pinned memory, without waiting.
  void send_ahead(const std::vector<InputRows>& micro_batches, uint64_t seed, int64_t step);
  const Inputs& of(size_t micro_batch) const { return current_->inputs[micro_batch]; }
  // What the launches of a step with these inputs follow from.
  const StepKind& kind() const { return kind_; }

 private:
  struct Block {
    Tensor all;  // i32
    std::vector<Inputs> inputs;
  };
  struct Packed {
    std::string key;
    std::vector<int32_t> words;
    uint64_t seed;
    int64_t step;
  };
  struct Place {
    void* pinned = nullptr;
    Tensor there;
  };
  static Packed pack(const std::vector<InputRows>& micro_batches, uint64_t seed, int64_t step);
  Block& block_for(const std::vector<InputRows>& micro_batches);
  Device device_;
  std::map<std::string, Block> blocks_;  // by shape
  Block* current_ = nullptr;
  StepKind kind_;
  std::optional<Packed> ahead_;
  Place places_[2];
  size_t turn_ = 0;
};

}  // namespace afina
