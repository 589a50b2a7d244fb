// Inputs of training steps at fixed device addresses, uploaded while the previous step runs.
#pragma once
#include <map>
#include <optional>

#include "engine/train/step_graphs.h"
#include "model/inputs.h"

namespace afina {

// Rows of one micro-batch on the host, in the form of make_inputs' arguments.
struct InputRows {
  int64_t rows, length;
  const std::vector<int32_t>&tokens, &targets, &starts;
  const std::vector<int64_t>& samples;
};

// Keeps one block of device memory per step shape, so that a captured step
// (engine/train/step_graphs.h) finds its inputs at the same addresses on every replay. Inputs sent
// ahead go to one of two staging buffers in turn, and from there to the block when their step
// begins, so nothing is overwritten that a running step may still read.
class StepInputs {
 public:
  explicit StepInputs(Device device) : device_(device) {}
  ~StepInputs();
  StepInputs(const StepInputs&) = delete;
  // Makes these inputs the current ones: uses those sent ahead for this step, or uploads them now.
  // All micro-batches need targets and samples. Throws if sizes disagree or other inputs were sent
  // ahead.
  void load(const std::vector<InputRows>& micro_batches, uint64_t seed, int64_t step);
  // Starts an asynchronous upload of a later step's inputs from pinned memory. Does nothing on a
  // device without asynchronous copies.
  void send_ahead(const std::vector<InputRows>& micro_batches, uint64_t seed, int64_t step);
  // The current inputs of a micro-batch, as views into the block.
  const Inputs& of(size_t micro_batch) const { return current_->inputs[micro_batch]; }
  // Identifies the kernels that a step with these inputs launches.
  const StepKind& kind() const { return kind_; }

 private:
  struct Block {
    Tensor all;  // i32; Block::inputs are views into it
    std::vector<Inputs> inputs;
  };
  struct Packed {
    std::string key;
    std::vector<int32_t> words;
    uint64_t seed;
    int64_t step;
  };
  struct Staging {
    void* pinned = nullptr;
    Tensor on_device;
  };
  static Packed pack(const std::vector<InputRows>& micro_batches, uint64_t seed, int64_t step);
  Block& block_for(const std::vector<InputRows>& micro_batches);
  Device device_;
  std::map<std::string, Block> blocks_;  // by shape
  Block* current_ = nullptr;
  StepKind kind_;
  std::optional<Packed> ahead_;
  Staging staging_[2];
  size_t turn_ = 0;
};

}  // namespace afina
