// concat_columns, gather, scatter and in_dtype, by the kernels that columns() and embedding() have.
#include "engine/ops/arrange.h"

#include "engine/dtype.h"
#include "engine/saved.h"

namespace afina {

namespace {

// A column of single elements, which kernels of rows read.
Tensor elements(const Tensor& x) { return x.viewed({x.size(), 1}); }

// Adds values to the elements of `sums` that `places` names. The kernel adds in statistic dtype.
void add_at(Tensor sums, const Tensor& values, const Tensor& places) {
  const Dtype exact = statistic_dtype(sums.dtype());
  if (sums.dtype() == exact) {
    Tensor table = elements(sums);
    kernel::embedding_backward(table, elements(values), places);
    return;
  }
  Tensor table = Tensor::zeros({sums.size(), 1}, exact, sums.device());
  kernel::embedding_backward(table, elements(values), places);
  kernel::add_into(sums, table.viewed(sums.shape()));
}

}  // namespace

Tensor concat_columns(const std::vector<Tensor>& parts) {
  require(!parts.empty(), "concat_columns: there is nothing to put side by side");
  int64_t count = 0;
  bool needed = false;
  std::vector<Gradient> gradients;
  std::vector<Shape> shapes;
  for (const Tensor& part : parts) {
    require(part.rows() == parts[0].rows() && part.dtype() == parts[0].dtype(),
            "concat_columns: ", part.shape().text(), " beside ", parts[0].shape().text());
    count += part.columns();
    needed = needed || part.needs_grad();
    gradients.push_back(part.grad());
    shapes.push_back(part.shape());
  }
  const Shape& first = parts[0].shape();
  std::vector<int64_t> extents;
  for (int i = 0; i + 1 < first.rank(); ++i) extents.push_back(first[i]);
  extents.push_back(count);
  Tensor y = Tensor::zeros(Shape(extents), parts[0].dtype(), parts[0].device());
  int64_t from = 0;
  for (const Tensor& part : parts) {
    kernel::add_columns(y, part, from);
    from += part.columns();
  }
  return Tape::record("concat_columns", y, needed, [gradients, shapes](const Tensor& dy) {
    int64_t begin = 0;
    for (size_t i = 0; i < gradients.size(); ++i) {
      const int64_t at = begin;
      begin += shapes[i].columns();
      if (!gradients[i]) continue;
      Tensor dx(shapes[i], dy.dtype(), dy.device());
      kernel::columns(dx, dy, at);
      gradients[i] += dx;
    }
  });
}

Tensor recomputed_columns(const Tensor& x, int64_t from, int64_t count) {
  auto cut = [from, count](const Tensor& of) { return columns(of, from, count); };
  return recomputed(x, cut(x), cut);
}

Tensor gather(const Tensor& x, const Tensor& places, const Shape& shape) {
  require(places.size() == shape.size(), "gather: ", places.size(), " places for ", shape.text());
  Tensor y({shape.size(), 1}, x.dtype(), x.device());
  kernel::embedding(y, elements(x), places);
  return Tape::record(
      "gather", y.viewed(shape), {x},
      [x_grad = x.grad(), places](const Tensor& dy) { add_at(x_grad.sum(), dy, places); });
}

Tensor scatter(const Tensor& values, const Tensor& places, const Shape& shape) {
  require(places.size() == values.size(), "scatter: ", places.size(), " places for ",
          values.shape().text());
  Tensor y = Tensor::zeros(shape, values.dtype(), values.device());
  add_at(y, values, places);
  return Tape::record("scatter", y, {values},
                      [values_grad = values.grad(), places, of = values.shape()](const Tensor& dy) {
                        Tensor dvalues({of.size(), 1}, dy.dtype(), dy.device());
                        kernel::embedding(dvalues, elements(dy), places);
                        values_grad += dvalues.viewed(of);
                      });
}

Tensor transposed(const Tensor& x) {
  const int64_t rows = x.rows(), n = x.columns();
  std::vector<int32_t> places(size_t(x.size()));
  for (int64_t i = 0; i < n; ++i)
    for (int64_t r = 0; r < rows; ++r) places[size_t(i * rows + r)] = int32_t(r * n + i);
  return gather(x, Tensor::from(places, {x.size()}, x.device()), {n, rows});
}

Tensor in_dtype(const Tensor& x, Dtype dtype) {
  if (x.dtype() == dtype) return x;
  return Tape::record("in_dtype", x.detached().as(dtype), {x},
                      [x_grad = x.grad()](const Tensor& dy) { x_grad += dy; });
}

}  // namespace afina
