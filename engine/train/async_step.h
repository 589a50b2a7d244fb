// The end of a training step on an asynchronous device: norm, clipping and update of all weights in
// three launches that read the step's numbers from device memory, and one record that the host
// reads when the step is over.
#pragma once
#include "engine/ops/adamw.h"
#include "engine/train/optimizer.h"

namespace afina {

// A table of all trained weights, a row each, on the host and in device memory. The addresses of
// gradients are those of the step that fills the table.
class WeightTable {
 public:
  // captured: for a step that is being captured, which cannot copy from the host; the table is then
  // uploaded after the capture.
  WeightTable(size_t rows, Device device, bool captured = false);
  std::vector<WeightRow> rows;
  const bool captured;
  void upload();
  const Tensor& on_device() const { return on_device_; }

 private:
  Tensor on_device_;
};

class AsyncStep {
 public:
  // Do the device and the optimizer have kernels that work on all weights at once?
  static bool possible(const Optimizer& optimizer, Device device);
  AsyncStep(const std::vector<Parameter*>& trained, Optimizer& optimizer);

  // Copies the step's numbers to the device: the one small copy of a step. Kernels read these
  // numbers until the next call.
  void begin(const StepNumbers& numbers);
  const StepNumbers& numbers() const { return numbers_; }
  const StepNumbers* device_numbers() const { return on_device_.data<const StepNumbers>(); }
  // Adds the losses of a micro-batch, f32 (f64) (rows), to the record's loss; `first` starts it
  // anew.
  void add_loss(const Tensor& losses, bool first);
  // Clips and updates all weights; their gradients must be complete. Updates none if loss or norm
  // is not finite.
  void update_all(WeightTable& table);
  // Waits for the step to end and returns its record.
  StepRecord read() const;

 private:
  const std::vector<Parameter*>& trained_;
  Optimizer& optimizer_;
  Device device_;
  Dtype dtype_;  // of the masters
  StepNumbers numbers_;
  Tensor on_device_, record_, squares_;  // on_device_: numbers_ as the kernels see them
};

}  // namespace afina
