// A tensor: a contiguous row-major array on one device, and, while a Tape records, its place in the
// gradient graph.
#pragma once
#include <array>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "engine/device.h"
#include "engine/dtype.h"
#include "engine/error.h"

namespace afina {

// Up to four extents, (B, T, heads, dim) at most.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> extents);
  explicit Shape(const std::vector<int64_t>& extents);
  [[gnu::always_inline]] int rank() const { return rank_; }
  [[gnu::always_inline]] int64_t operator[](int i) const { return extents_[i < 0 ? rank_ + i : i]; }
  int64_t size() const;
  [[gnu::always_inline]] int64_t columns() const { return rank_ ? extents_[rank_ - 1] : 1; }
  [[gnu::always_inline]] int64_t rows() const {
    return rank_ ? size() / (columns() ? columns() : 1) : 1;
  }
  bool operator==(const Shape& other) const;
  std::string text() const;  // "(8, 256, 576)"

 private:
  std::array<int64_t, 4> extents_{};
  int rank_ = 0;
};

// Memory on a device, metered while it lives.
struct Buffer {
  void* data;
  size_t bytes;
  Device device;
  Purpose purpose;
  bool constant =
      false;  // never written again: kernels may keep forms of it that are quicker to read
  std::array<std::shared_ptr<Buffer>, 2>
      packed{};  // such forms, made by the matmul of the device (one each way)
  std::vector<int32_t>
      host;  // of an i32 tensor on another device: the values it was made from, never written again
  Buffer(size_t bytes, Device device, Purpose purpose, bool zeros = false);
  ~Buffer();
  Buffer(const Buffer&) = delete;
};

class Tensor;
class RowSum;
struct Recipe;
struct Slot;

// Where a tensor's gradient is gathered; empty for a tensor that needs none.
class Gradient {
 public:
  Gradient() = default;
  explicit Gradient(std::shared_ptr<Slot> slot) : slot_(std::move(slot)) {}
  explicit operator bool() const { return slot_ != nullptr; }

  // Adds a part. The first part of an activation is kept as it is, later ones are added into it.
  // `part` must not be used afterwards.
  void operator+=(const Tensor& part) const;
  // The sum itself, for kernels that add straight into it: a parameter's is f32 (f64), an
  // activation's has its dtype. When `fresh` is given, an untouched sum comes with fresh = true and
  // arbitrary content, to be overwritten; without, it comes as zeros.
  Tensor sum(bool* fresh = nullptr) const;
  // Where a gradient of rows gathers (engine/row_sum.h), for a tensor that came from
  // Tensor::track_rows; null for all others.
  RowSum* rows() const;
  // How many hold this gradient, recorded steps that will add to it among them.
  long holders() const { return slot_.use_count(); }
  bool touched() const;         // has anything been added since the last clear?
  const Tensor& value() const;  // what has been gathered; empty when nothing was
  void clear() const;           // to zero; a parameter keeps its memory
  void drop() const;            // to zero, memory given back

 private:
  std::shared_ptr<Slot> slot_;
  friend class Tape;
  friend class Tensor;
};

class Tensor {
 public:
  Tensor() = default;
  // Uninitialised, metered under the PurposeScope in force.
  Tensor(Shape shape, Dtype dtype, Device device = Device::cpu)
      : Tensor(shape, dtype, device, false) {}
  static Tensor zeros(Shape shape, Dtype dtype, Device device = Device::cpu);
  // From host values, converted to dtype; their number must be the shape's size.
  static Tensor from(const std::vector<float>& values, Shape shape, Dtype dtype = Dtype::f32,
                     Device device = Device::cpu);
  static Tensor from(const std::vector<double>& values, Shape shape, Dtype dtype,
                     Device device = Device::cpu);
  static Tensor from(const std::vector<int32_t>& values, Shape shape, Device device = Device::cpu);

  [[gnu::always_inline]] const Shape& shape() const { return shape_; }
  [[gnu::always_inline]] Dtype dtype() const { return dtype_; }
  [[gnu::always_inline]] Device device() const { return device_; }
  [[gnu::always_inline]] int64_t size() const { return shape_.size(); }
  [[gnu::always_inline]] int64_t columns() const { return shape_.columns(); }
  [[gnu::always_inline]] int64_t rows() const { return shape_.rows(); }
  [[gnu::always_inline]] size_t bytes() const { return size_t(size()) * size_of(dtype_); }
  [[gnu::always_inline]] explicit operator bool() const { return buffer_ != nullptr; }
  // First element. T must be what dtype() says; not checked, for kernels.
  template <class T = void>
  [[gnu::always_inline]] T* data() const {
    return static_cast<T*>(data_);
  }
  [[gnu::always_inline]] Buffer* buffer() const { return buffer_.get(); }
  long buffer_use() const { return buffer_.use_count(); }

  std::vector<float> values() const;     // on the host, as f32
  std::vector<double> values64() const;  // on the host, as f64
  std::vector<int32_t> integers()
      const;  // of an i32 tensor; those made from host values know them, and wait for no device
  double item() const;             // of a tensor with one element
  Tensor to(Device device) const;  // a copy there
  Tensor as(Dtype dtype)
      const;  // a converted copy; the tensor itself when nothing changes. Outside the graph.
  Tensor copy() const;
  void copy_from(const Tensor& other) const;  // same shape and device; converts the dtype
  void zero() const;

  // The same memory, outside the graph.
  Tensor detached() const {
    Tensor t = *this;
    t.grad_ = Gradient();
    t.recipe_ = nullptr;
    return t;
  }
  Tensor viewed(Shape shape) const;  // the same memory, another shape, outside the graph
  Tensor slice_rows(int64_t from, int64_t count)
      const;  // rows of the first extent, the same memory, outside the graph

  Gradient grad() const { return grad_; }
  bool needs_grad() const { return static_cast<bool>(grad_); }
  // Makes this a leaf that gathers a gradient of dtype `sum`, metered under gradients and kept from
  // step to step.
  Tensor& track(Dtype sum);
  Tensor& track() { return track(statistic_dtype(dtype_)); }
  // The same for a tensor (rows, n) whose rows are used one by one and mostly not at all: only the
  // touched rows of the gradient are held.
  Tensor& track_rows(Dtype sum);
  // Another form of the same values (a bf16 copy of an f32 master) that gathers into the same
  // gradient.
  Tensor sharing_gradient_of(const Tensor& other) const {
    Tensor t = *this;
    t.grad_ = other.grad_;
    return t;
  }

  // How its values can be made again, for what a backward pass keeps (engine/kept.h); none for most
  // tensors.
  const std::shared_ptr<Recipe>& recipe() const { return recipe_; }
  void made_by(std::shared_ptr<Recipe> recipe) { recipe_ = std::move(recipe); }

 private:
  friend class Tape;
  Tensor(Shape shape, Dtype dtype, Device device, bool zeros);
  std::shared_ptr<Buffer> buffer_;
  void* data_ = nullptr;
  Shape shape_;
  Dtype dtype_ = Dtype::f32;
  Device device_ = Device::cpu;
  Gradient grad_;
  std::shared_ptr<Recipe> recipe_;
};

// Where gradients gather. `kept` marks a parameter's: of a stated dtype, its memory lives on from
// step to step.
struct Slot {
  Tensor gathered;
  Shape shape;
  Dtype dtype = Dtype::f32;
  Device device = Device::cpu;
  bool touched = false, kept = false;
  std::shared_ptr<RowSum> rows;
};

inline Tensor like(const Tensor& x) { return Tensor(x.shape(), x.dtype(), x.device()); }
inline Tensor like(const Tensor& x, Dtype dtype) { return Tensor(x.shape(), dtype, x.device()); }

}  // namespace afina
