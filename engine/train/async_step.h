// The end of a training step on a device that is not to be waited for: norm, clipping and update of
// all weights in three launches that read the step's numbers in device memory, and one record read
// back.
#pragma once
#include "engine/ops/adamw.h"
#include "engine/train/optimizer.h"

namespace afina {

// Rows of a table of all trained weights, on the host and in device memory. Addresses of gradients
// are those of the step that fills it.
class WeightTable {
 public:
  // later: it is uploaded when the step that fills it has been captured, as a captured step cannot
  // copy from the host.
  WeightTable(size_t rows, Device device, bool later = false);
  std::vector<WeightRow> rows;
  const bool later;
  void upload();
  const Tensor& there() const { return there_; }

 private:
  Tensor there_;
};

class DeviceStep {
 public:
  // Have the device and the optimizer kernels for all weights at once?
  static bool possible(const Optimizer& optimizer, Device device);
  DeviceStep(const std::vector<Parameter*>& trained, Optimizer& optimizer);

  // The one small copy of a step. The numbers stay those that kernels read until the next.
  void begin(const StepNumbers& numbers);
  const StepNumbers& numbers() const { return now_; }
  const StepNumbers* numbers_there() const { return numbers_.data<const StepNumbers>(); }
  void add_loss(const Tensor& losses, bool first);
  // From whole gradients. Nothing is moved when loss or norm is not finite.
  void move_all(WeightTable& table);
  // Waits for the step.
  StepRecord read() const;

 private:
  const std::vector<Parameter*>& trained_;
  Optimizer& optimizer_;
  Device device_;
  Dtype of_;
  StepNumbers now_;
  Tensor numbers_, record_, squares_;
};

}  // namespace afina
