// Tensors, their memory and their gradients.
#include "engine/tensor.h"

#include "engine/blocks.h"
#include "engine/primitives.h"
#include "engine/row_sum.h"
#include "engine/watch.h"

namespace afina {

Shape::Shape(std::initializer_list<int64_t> extents) : Shape(std::vector<int64_t>(extents)) {}
Shape::Shape(const std::vector<int64_t>& extents) {
  require(extents.size() <= 4, "a tensor has at most 4 extents, not ", extents.size());
  for (int64_t e : extents) {
    require(e >= 0, "an extent of a tensor cannot be ", e);
    extents_[size_t(rank_++)] = e;
  }
}
int64_t Shape::size() const {
  int64_t n = 1;
  for (int i = 0; i < rank_; ++i) n *= extents_[size_t(i)];
  return n;
}
bool Shape::operator==(const Shape& other) const {
  if (rank_ != other.rank_) return false;
  for (int i = 0; i < rank_; ++i)
    if (extents_[size_t(i)] != other.extents_[size_t(i)]) return false;
  return true;
}
std::string Shape::text() const {
  std::string out = "(";
  for (int i = 0; i < rank_; ++i) out += (i ? ", " : "") + std::to_string(extents_[size_t(i)]);
  return out + ")";
}

Buffer::Buffer(size_t n, Device d, Purpose p, bool zeros)
    : data(nullptr), bytes(n), device(d), purpose(p) {
  const Memory& m = memory(d);
  meter(d, p, int64_t(n));
  try {
    data = zeros && m.allocate_zeros ? m.allocate_zeros(n) : m.allocate(n);
    if (zeros && !m.allocate_zeros) m.zero(data, n);
  } catch (...) {
    meter(d, p, -int64_t(n));
    throw;
  }
  if (Watcher* watcher = Watcher::current()) watcher->allocated(*this);
}
Buffer::Buffer(std::shared_ptr<const Blocks> in, size_t n, Device d, Purpose p)
    : data(nullptr), bytes(n), device(d), purpose(p), constant(true), blocks(std::move(in)) {
  meter(d, p, int64_t(n));
  if (Watcher* watcher = Watcher::current()) watcher->allocated(*this);
}
Buffer::~Buffer() {
  if (Watcher* watcher = Watcher::current()) watcher->freed(*this);
  if (data || !blocks) memory(device).release(data, bytes);
  meter(device, purpose, -int64_t(bytes));
}

Tensor::Tensor(Shape shape, Dtype dtype, Device device, bool zeros)
    : shape_(shape), dtype_(dtype), device_(device) {
  require(present(device), "no device '", name(device), "' in this build or on this machine");
  buffer_ = std::make_shared<Buffer>(bytes(), device, PurposeScope::current(), zeros);
  data_ = buffer_->data;
}
Tensor::Tensor(std::shared_ptr<Buffer> blocks, Shape shape)
    : buffer_(std::move(blocks)),
      data_(buffer_->data),
      shape_(shape),
      dtype_(Dtype::blocks),
      device_(buffer_->device) {
  require(buffer_->blocks && shape == Shape({buffer_->blocks->rows, buffer_->blocks->columns}),
          "blocks of another shape than ", shape.text());
}
const Blocks* Tensor::blocks() const {
  return dtype_ == Dtype::blocks && buffer_ ? buffer_->blocks.get() : nullptr;
}
size_t Tensor::block_bytes() const { return buffer_->bytes; }
Dtype Tensor::block_dtype() const { return buffer_->blocks->computed; }
Tensor Tensor::zeros(Shape shape, Dtype dtype, Device device) {
  return Tensor(shape, dtype, device, true);
}

namespace {
template <class To, class From>
To converted(From x) {
  if constexpr (std::is_same_v<From, bf16>) return converted<To>(to_float(x));
  else if constexpr (std::is_same_v<To, bf16>) return to_bf16(float(x));
  else return To(x);
}
template <class From>
void fill_from(void* out, Dtype dtype, const From* in, int64_t n) {
  auto all = [&](auto zero) {
    using To = decltype(zero);
    for (int64_t i = 0; i < n; ++i) static_cast<To*>(out)[i] = converted<To>(in[i]);
  };
  switch (dtype) {
    case Dtype::f32: return all(float{});
    case Dtype::f64: return all(double{});
    case Dtype::bf16: return all(bf16{});
    case Dtype::i32: return all(int32_t{});
    case Dtype::blocks: break;
  }
  unsupported_dtype("Tensor::from", dtype);
}
template <class From>
Tensor from_values(const std::vector<From>& values, Shape shape, Dtype dtype, Device device) {
  require(int64_t(values.size()) == shape.size(), values.size(), " values for a tensor of shape ",
          shape.text());
  Tensor t(shape, dtype, device);
  if (device == Device::cpu) {
    fill_from(t.data<void>(), dtype, values.data(), t.size());
  } else {
    Tensor host(shape, dtype, Device::cpu);
    fill_from(host.data<void>(), dtype, values.data(), t.size());
    memory(device).copy(t.data<void>(), host.data<void>(), t.bytes());
    if constexpr (std::is_same_v<From, int32_t>) t.buffer()->host = values;
  }
  return t;
}
template <class To>
std::vector<To> host_values(const Tensor& t) {
  if (t.blocks()) return host_values<To>(t.as(t.computed()));
  Tensor host = t.device() == Device::cpu ? t : t.to(Device::cpu);
  std::vector<To> out(size_t(t.size()));
  auto all = [&](auto zero) {
    using From = decltype(zero);
    for (size_t i = 0; i < out.size(); ++i) out[i] = converted<To>(host.data<From>()[i]);
    return out;
  };
  switch (t.dtype()) {
    case Dtype::f32: return all(float{});
    case Dtype::f64: return all(double{});
    case Dtype::bf16: return all(bf16{});
    case Dtype::i32: return all(int32_t{});
    case Dtype::blocks: break;
  }
  unsupported_dtype("Tensor::values", t.dtype());
}
}  // namespace

Tensor Tensor::from(const std::vector<float>& v, Shape s, Dtype t, Device d) {
  return from_values(v, s, t, d);
}
Tensor Tensor::from(const std::vector<double>& v, Shape s, Dtype t, Device d) {
  return from_values(v, s, t, d);
}
Tensor Tensor::from(const std::vector<int32_t>& v, Shape s, Device d) {
  return from_values(v, s, Dtype::i32, d);
}
std::vector<float> Tensor::values() const { return host_values<float>(*this); }
std::vector<double> Tensor::values64() const { return host_values<double>(*this); }
std::vector<int32_t> Tensor::integers() const {
  if (!buffer_ || buffer_->host.empty()) return host_values<int32_t>(*this);
  auto from = buffer_->host.begin() + (data<int32_t>() - static_cast<int32_t*>(buffer_->data));
  return {from, from + size()};
}
double Tensor::item() const {
  require(size() == 1, "item() needs a tensor with one element, not one of shape ", shape_.text());
  return values64()[0];
}
Tensor Tensor::to(Device device) const {
  if (blocks() && device != device_) return as(computed()).to(device);
  if (device != Device::cpu && device_ != Device::cpu && device != device_)
    return to(Device::cpu).to(device);
  Tensor t(shape_, dtype_, device);
  memory(device == Device::cpu ? device_ : device).copy(t.data_, data_, bytes());
  if (dtype_ == Dtype::i32 && device != Device::cpu) t.buffer()->host = integers();
  return t;
}
Tensor Tensor::copy() const {
  if (blocks()) return detached();  // they never change
  Tensor t(shape_, dtype_, device_);
  memory(device_).copy(t.data_, data_, bytes());
  return t;
}
Tensor Tensor::as(Dtype dtype) const {
  if (dtype == dtype_) return *this;
  Tensor t(shape_, dtype, device_);
  t.copy_from(*this);
  return t;
}
void Tensor::copy_from(const Tensor& other) const {
  require(other.shape() == shape_ && other.device() == device_, "copy of ", other.shape().text(),
          " into ", shape_.text());
  if (other.blocks()) {
    if (dtype_ != other.computed()) return copy_from(other.as(other.computed()));
    Tensor to = detached();
    return kernel::unpack(to, other, 0);
  }
  if (other.dtype_ == dtype_) return memory(device_).copy(data_, other.data_, bytes());
  Tensor to = detached();
  kernel::cast(to, other);
}
void Tensor::zero() const { memory(device_).zero(data_, bytes()); }
Tensor Tensor::viewed(Shape shape) const {
  require(shape.size() == size(), "a tensor of shape ", shape_.text(), " cannot be seen as ",
          shape.text());
  Tensor t = detached();
  t.shape_ = shape;
  t.recipe_ = recipe_;
  return t;
}
Tensor Tensor::slice_rows(int64_t from, int64_t count) const {
  require(shape_.rank() >= 1 && from >= 0 && count >= 0 && from + count <= shape_[0], "rows ", from,
          " to ", from + count, " of ", shape_.text());
  std::vector<int64_t> extents;
  for (int i = 0; i < shape_.rank(); ++i) extents.push_back(i ? shape_[i] : count);
  Tensor t = detached();
  t.shape_ = Shape(extents);
  t.data_ = static_cast<char*>(data_) +
            size_t(from) * size_t(shape_[0] ? size() / shape_[0] : 0) * size_of(dtype_);
  return t;
}
Tensor Tensor::reused(Shape shape, Dtype dtype) const {
  Tensor t = detached();
  t.shape_ = shape;
  t.dtype_ = dtype;
  require(!blocks() && t.bytes() <= bytes(), shape.text(), " ", name(dtype), " in the memory of ",
          shape_.text(), " ", name(dtype_));
  return t;
}
Tensor& Tensor::track(Dtype sum) {
  auto slot = std::make_shared<Slot>();
  slot->shape = shape_;
  slot->dtype = sum;
  slot->device = device_;
  slot->persistent = true;
  grad_ = Gradient(slot);
  return *this;
}

Tensor& Tensor::track_rows(Dtype sum) {
  track(sum);
  grad_.slot_->rows = std::make_shared<RowSum>(shape_, sum, device_);
  return *this;
}

void Gradient::operator+=(const Tensor& dx) const {
  require(dx.shape().size() == slot_->shape.size(), "a gradient of shape ", dx.shape().text(),
          " for a tensor of shape ", slot_->shape.text());
  if (!slot_->persistent && !slot_->touched && dx.dtype() == slot_->dtype) {
    slot_->sum = dx.viewed(slot_->shape);
    slot_->touched = true;
    return;
  }
  Tensor sum = this->sum();
  kernel::add_into(sum, dx.viewed(slot_->shape));
}
Tensor Gradient::sum(bool* fresh) const {
  Slot& s = *slot_;
  require(!s.rows,
          "this gradient holds single rows (Tensor::track_rows); it has no sum over all rows");
  if (!s.sum) {
    PurposeScope purpose(s.persistent ? Purpose::gradients : Purpose::activations);
    s.sum = Tensor(s.shape, s.dtype, s.device);
    s.touched = false;
  } else if (!s.persistent && s.touched && s.sum.buffer_use() > 1) {
    s.sum = s.sum.copy();  // x + f(x): both took dy itself as their addend, and one still reads it
  }
  if (fresh) *fresh = !s.touched;
  else if (!s.touched) s.sum.zero();
  s.touched = true;
  return s.sum;
}
RowSum* Gradient::rows() const { return slot_->rows.get(); }
bool Gradient::touched() const { return slot_->touched || (rows() && rows()->touched()); }
const Tensor& Gradient::value() const {
  static const Tensor none;
  return slot_->touched ? slot_->sum : none;
}
void Gradient::clear() const {
  slot_->touched = false;
  if (!slot_->persistent) slot_->sum = Tensor();
  if (rows()) rows()->drop();
}
void Gradient::drop() const {
  slot_->touched = false;
  slot_->sum = Tensor();
  if (rows()) rows()->drop();
}

}  // namespace afina
