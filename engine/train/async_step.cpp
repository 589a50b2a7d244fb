// Norm, clipping and update of all weights without waiting for the device.
#include "engine/train/async_step.h"

namespace afina {

WeightTable::WeightTable(size_t count, Device device, bool captured)
    : rows(count), captured(captured) {
  PurposeScope purpose(Purpose::optimizer);
  on_device_ = Tensor({int64_t(count * sizeof(WeightRow) / sizeof(int32_t))}, Dtype::i32, device);
}
void WeightTable::upload() {
  memory(on_device_.device()).copy(on_device_.data(), rows.data(), on_device_.bytes());
}

bool AsyncStep::possible(const Optimizer& optimizer, Device device) {
  return kernel::add_loss.runs_on(device) && kernel::gradient_norm.runs_on(device) &&
         optimizer.at_once(device);
}

AsyncStep::AsyncStep(const std::vector<Parameter*>& trained, Optimizer& optimizer)
    : trained_(trained),
      optimizer_(optimizer),
      device_(trained[0]->master.device()),
      dtype_(trained[0]->master.dtype()) {
  PurposeScope purpose(Purpose::optimizer);
  int64_t parts = 0;
  for (Parameter* p : trained) parts += weight_parts(p->shape.size());
  on_device_ = Tensor({int64_t(sizeof(StepNumbers) / sizeof(double))}, Dtype::f64, device_);
  record_ = Tensor::zeros({record_size}, Dtype::f64, device_);
  squares_ = Tensor({parts}, Dtype::f64, device_);
}

void AsyncStep::begin(const StepNumbers& numbers) {
  numbers_ = numbers;
  memory(device_).copy(on_device_.data(), &numbers_, sizeof numbers_);
}

void AsyncStep::add_loss(const Tensor& losses, bool first) {
  kernel::add_loss(record_, losses, first);
}

void AsyncStep::update_all(WeightTable& table) {
  int64_t parts = 0;
  for (size_t i = 0; i < trained_.size(); ++i) {
    Parameter& p = *trained_[i];
    WeightRow& row = table.rows[i];
    row.master = p.master.data();
    row.value = p.value.data();
    row.gradient = p.value.grad().value().data();
    row.size = p.shape.size();
    row.first_part = parts;
    row.rounded = p.value.dtype() == Dtype::bf16;
    optimizer_.fill(i, p, row);
    parts += weight_parts(row.size);
  }
  if (!table.captured) table.upload();
  kernel::gradient_norm(record_, squares_, table.on_device(), on_device_, dtype_);
  optimizer_.update_all(record_, table.on_device(), parts, dtype_);
}

StepRecord AsyncStep::read() const {
  StepRecord record;
  memory(device_).copy(&record, record_.data(), sizeof record);
  return record;
}

}  // namespace afina
