// concat_columns, gather, scatter, transposed, in_dtype: elements in another order or dtype.
// Methods of fine-tuning that keep few numbers for many weights are made of them.
#pragma once
#include <vector>

#include "engine/ops/embedding.h"

namespace afina {

// Parts (rows, n_i) of one dtype side by side -> (rows, sum of n_i). The shape is the first part's
// but for the last extent.
Tensor concat_columns(const std::vector<Tensor>& parts);
// columns(x, from, count), of which a backward pass saves only where x is: the columns are cut
// again of x. Worth it where x is saved anyway, as the input of a layer that an adapter stands
// beside.
Tensor recomputed_columns(const Tensor& x, int64_t from, int64_t count);
// y[i] = x[places[i]], x and y read row by row; y has `shape`. places: i32 (size of shape), each
// within x; an element may be taken several times. The gradient of an element of x is a chain over
// the places that took it, in their order.
Tensor gather(const Tensor& x, const Tensor& places, const Shape& shape);
// y of `shape` is zero but for y[places[i]] += values[i], in the order of i. places: i32 (size of
// values), each within y.
Tensor scatter(const Tensor& values, const Tensor& places, const Shape& shape);
// x (rows, n) -> (n, rows).
Tensor transposed(const Tensor& x);
// x in another floating-point dtype, part of the gradient graph; x itself where it has that one.
Tensor in_dtype(const Tensor& x, Dtype dtype);

}  // namespace afina
