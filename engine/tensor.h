// A tensor: a contiguous row-major array on one device that, while a Tape records, can be part of
// the gradient graph.
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

// The extents of a tensor, up to four: (B, T, heads, dim) at most. "Columns" are the last extent,
// "rows" all others together.
class Shape {
 public:
  Shape() = default;
  // Throws an Error for more than four extents or a negative one.
  Shape(std::initializer_list<int64_t> extents);
  explicit Shape(const std::vector<int64_t>& extents);
  AFINA_INLINE int rank() const { return rank_; }
  // Extent i; counted from the end when negative.
  AFINA_INLINE int64_t operator[](int i) const { return extents_[i < 0 ? rank_ + i : i]; }
  int64_t size() const;  // number of elements; 1 for rank 0
  AFINA_INLINE int64_t columns() const { return rank_ ? extents_[rank_ - 1] : 1; }
  AFINA_INLINE int64_t rows() const { return rank_ ? size() / (columns() ? columns() : 1) : 1; }
  bool operator==(const Shape& other) const;
  std::string text() const;  // "(8, 256, 576)"

 private:
  std::array<int64_t, 4> extents_{};
  int rank_ = 0;
};

struct Blocks;

// An allocation on a device; counted under its purpose while it lives.
struct Buffer {
  void* data;
  size_t bytes;
  Device device;
  Purpose purpose;
  // Set for values that never change again: kernels may then cache a form that is faster to read.
  bool constant = false;
  // Such forms, made by the device's matmul: one for each direction.
  std::array<std::shared_ptr<Buffer>, 2> packed{};
  // For an i32 tensor on another device: the host values that it was made from. Never changed.
  std::vector<int32_t> host;
  // Of a tensor in blocks: where they lie and how (engine/blocks.h).
  std::shared_ptr<const Blocks> blocks{};
  Buffer(size_t bytes, Device device, Purpose purpose, bool zeros = false);
  // Blocks that lie in memory of somebody else's, as a mapped file: counted, not allocated.
  Buffer(std::shared_ptr<const Blocks> blocks, size_t bytes, Device device, Purpose purpose);
  ~Buffer();
  Buffer(const Buffer&) = delete;
};

class Tensor;
class RowSum;
struct Recipe;
struct Slot;

// A handle to the slot in which a tensor's gradient accumulates; empty for a tensor that needs no
// gradient. Copies share the slot. Except for operator bool, members need a non-empty handle.
class Gradient {
 public:
  Gradient() = default;
  explicit Gradient(std::shared_ptr<Slot> slot) : slot_(std::move(slot)) {}
  explicit operator bool() const { return slot_ != nullptr; }

  // Adds dx, of the tensor's size. The first addend of an activation's gradient becomes the
  // gradient without a copy, so the caller must not use dx afterwards.
  void operator+=(const Tensor& dx) const;
  // The accumulated gradient itself, for kernels that add to it in place. A parameter's has
  // statistic dtype (engine/primitives.h), an activation's has the activation's dtype. With
  // `fresh`: if nothing has been added yet, sets *fresh and returns uninitialised memory for the
  // caller to overwrite. Without: returns zeros in that case.
  Tensor sum(bool* fresh = nullptr) const;
  // The row-wise gradient (engine/row_sum.h) of a tensor from Tensor::track_rows; null for others.
  RowSum* rows() const;
  // Number of handles to this slot, among them those of recorded steps that will add to it.
  long holders() const { return slot_.use_count(); }
  bool touched() const;         // has anything been added since it was last cleared?
  const Tensor& value() const;  // the gradient so far; an empty tensor if nothing was added
  void clear() const;           // forgets the gradient; a parameter's memory stays allocated
  void drop() const;            // forgets the gradient and frees its memory

 private:
  std::shared_ptr<Slot> slot_;
  friend class Tape;
  friend class Tensor;
};

// Copying a Tensor copies the handle, not the elements.
class Tensor {
 public:
  Tensor() = default;
  // Uninitialised; counted under the current PurposeScope. Throws an Error if the device is absent
  // or its memory limit would be exceeded.
  Tensor(Shape shape, Dtype dtype, Device device = Device::cpu)
      : Tensor(shape, dtype, device, false) {}
  // A matrix in blocks (engine/blocks.h), which `blocks` holds or names. Its dtype is
  // Dtype::blocks.
  Tensor(std::shared_ptr<Buffer> blocks, Shape shape);
  static Tensor zeros(Shape shape, Dtype dtype, Device device = Device::cpu);
  // From shape.size() host values (an Error otherwise), converted to dtype.
  static Tensor from(const std::vector<float>& values, Shape shape, Dtype dtype = Dtype::f32,
                     Device device = Device::cpu);
  static Tensor from(const std::vector<double>& values, Shape shape, Dtype dtype,
                     Device device = Device::cpu);
  static Tensor from(const std::vector<int32_t>& values, Shape shape, Device device = Device::cpu);

  AFINA_INLINE const Shape& shape() const { return shape_; }
  AFINA_INLINE Dtype dtype() const { return dtype_; }
  AFINA_INLINE Device device() const { return device_; }
  AFINA_INLINE int64_t size() const { return shape_.size(); }
  AFINA_INLINE int64_t columns() const { return shape_.columns(); }
  AFINA_INLINE int64_t rows() const { return shape_.rows(); }
  AFINA_INLINE size_t bytes() const {
    return dtype_ == Dtype::blocks ? block_bytes() : size_t(size()) * size_of(dtype_);
  }
  // The blocks of a tensor in blocks; null for all others.
  const Blocks* blocks() const;
  // The dtype of the elements as operations see them: that of a tensor in blocks once unpacked,
  // dtype() of all others.
  AFINA_INLINE Dtype computed() const { return dtype_ == Dtype::blocks ? block_dtype() : dtype_; }
  AFINA_INLINE explicit operator bool() const { return buffer_ != nullptr; }
  // Address of the first element. Throws an Error if T is the element type of another dtype; void
  // and types of no dtype (char, a struct) are not checked.
  template <class T = void>
  AFINA_INLINE T* data() const {
    if constexpr (Element<T>) {
      constexpr Dtype requested = dtype_of<std::remove_const_t<T>>::value;
      if (data_ && dtype_ != requested) wrong_dtype(dtype_, requested);
    }
    return static_cast<T*>(data_);
  }
  AFINA_INLINE Buffer* buffer() const { return buffer_.get(); }
  long buffer_use() const { return buffer_.use_count(); }
  std::weak_ptr<Buffer> weak_buffer() const { return buffer_; }  // which does not hold it

  // The elements on the host, as f32, as f64 or, of an i32 tensor, as integers. integers() does not
  // wait for the device if the tensor was made from host values.
  std::vector<float> values() const;
  std::vector<double> values64() const;
  std::vector<int32_t> integers() const;
  double item() const;  // the value of a tensor with one element; an Error for others
  // Copies; not part of the gradient graph. as() returns the tensor itself if it has that dtype.
  Tensor to(Device device) const;
  Tensor as(Dtype dtype) const;
  Tensor copy() const;
  void copy_from(const Tensor& other) const;  // same shape and device; converts the dtype
  void zero() const;

  // Views: the same memory, not part of the gradient graph. viewed() changes the shape to one of
  // the same size, slice_rows() takes `count` from the first extent.
  Tensor detached() const {
    Tensor t = *this;
    t.grad_ = Gradient();
    t.recipe_ = nullptr;
    return t;
  }
  Tensor viewed(Shape shape) const;
  Tensor slice_rows(int64_t from, int64_t count) const;
  // The memory from the first element on as a tensor of another shape and dtype, for values that
  // are written over these; it takes at most as many bytes.
  Tensor reused(Shape shape, Dtype dtype) const;

  Gradient grad() const { return grad_; }
  bool needs_grad() const { return static_cast<bool>(grad_); }
  // Makes this tensor a leaf with a gradient of dtype `sum`, by default the statistic dtype, that
  // counts as gradient memory and persists until it is dropped.
  Tensor& track(Dtype sum);
  Tensor& track() { return track(statistic_dtype(dtype_)); }
  // The same for a tensor (rows, n) of which a step uses few rows: the gradient holds only the rows
  // that were touched.
  Tensor& track_rows(Dtype sum);
  // This tensor with the gradient slot of `other`, which holds the same values in another form (the
  // f32 master of a bf16 copy).
  Tensor sharing_gradient_of(const Tensor& other) const {
    Tensor t = *this;
    t.grad_ = other.grad_;
    return t;
  }

  // How to recompute the elements, so that they need not be saved for backward (engine/saved.h);
  // null for most tensors.
  const std::shared_ptr<Recipe>& recipe() const { return recipe_; }
  void set_recipe(std::shared_ptr<Recipe> recipe) { recipe_ = std::move(recipe); }

 private:
  friend class Tape;
  Tensor(Shape shape, Dtype dtype, Device device, bool zeros);
  size_t block_bytes() const;
  Dtype block_dtype() const;
  std::shared_ptr<Buffer> buffer_;
  void* data_ = nullptr;
  Shape shape_;
  Dtype dtype_ = Dtype::f32;
  Device device_ = Device::cpu;
  Gradient grad_;
  std::shared_ptr<Recipe> recipe_;
};

// A gradient as it accumulates. `persistent` marks a leaf's: counted as gradient memory and never
// taken over from an addend. `rows` replaces `sum` for Tensor::track_rows.
struct Slot {
  Tensor sum;
  Shape shape;
  Dtype dtype = Dtype::f32;
  Device device = Device::cpu;
  bool touched = false, persistent = false;
  std::shared_ptr<RowSum> rows;
};

// Uninitialised tensors of x's shape and device, and of x's dtype unless another is given.
inline Tensor like(const Tensor& x) { return Tensor(x.shape(), x.dtype(), x.device()); }
inline Tensor like(const Tensor& x, Dtype dtype) { return Tensor(x.shape(), dtype, x.device()); }

}  // namespace afina
