// What methods have in common that turn x, block by block, before the layer reads it: y = W R x + b
// with orthogonal blocks R.
#pragma once
#include "engine/ops/inverse.h"
#include "model/methods/targeted.h"

namespace afina {

struct TurningAdapter : Adapter {
  std::vector<Derived*> blocks;  // the transpose of each R (n, n), as a linear layer reads it
  int64_t n = 0;

  // x (..., in), each block of n columns times its R. One block for all turns x as so many more
  // rows, in order, so that its gradient is one chain over them.
  Tensor turned(const Tensor& x) const {
    if (blocks.size() == 1)
      return reshape(linear(reshape(x, {x.size() / n, n}), (*blocks[0])(), Tensor()), x.shape());
    std::vector<Tensor> parts;
    for (int64_t from = 0; from < x.columns(); from += n)
      parts.push_back(
          linear(recomputed_columns(x, from, n), (*blocks[size_t(from / n)])(), Tensor()));
    return concat_columns(parts);
  }
  // W (out, in) with every block of columns turned: W' x = W (R x).
  Tensor turned_weight(const Tensor& weight) const {
    std::vector<Tensor> parts;
    for (int64_t from = 0; from < weight.columns(); from += n) {
      const Derived& block = *blocks[blocks.size() == 1 ? 0 : size_t(from / n)];
      parts.push_back(
          matmul(columns(weight, from, n), in_dtype(block(), weight.dtype()), false, false));
    }
    return concat_columns(parts);
  }
};

// The greatest divisor of `in` that is at most `wanted`, or the next one above it if that is
// nearer.
inline int64_t nearest_divisor(int64_t in, int64_t wanted) {
  if (wanted >= in) return in;
  int64_t below = wanted, above = wanted;
  while (in % below) --below;
  while (in % above) ++above;
  return wanted - below <= above - wanted ? below : above;
}

}  // namespace afina
