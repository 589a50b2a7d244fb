// Points: construction, and the rows of virtual tokens.
#include "model/points.h"

#include "engine/ops/prepend.h"
#include "engine/watch.h"

namespace afina {

Point::Point(const Scope& scope, Place place, int64_t width, int64_t layer)
    : place(place),
      path(scope.path()),
      layer(layer),
      width(width),
      adapter(scope.method().adapt_point(*this, scope)) {}

Tensor Point::lengthened(const Tensor& x, size_t which) const {
  std::vector<PointAdapter::Rows> rows = adapter->virtual_rows();
  const Here here(path);
  require(which < rows.size(), path, ": the method has no rows for its virtual tokens here");
  const int64_t B = x.shape()[0], T = x.shape()[1];
  Tensor y = prepend(rows[which].value, rows[which].from, reshape(x, {B, T, width}));
  if (x.shape().rank() == 3) return y;
  return reshape(y, {B, y.shape()[1], x.shape()[2], x.shape()[3]});
}

Tensor Point::without(const Tensor& y, const Inputs& inputs) const {
  return adapter && inputs.virtual_tokens ? without_first(y, inputs.virtual_tokens) : y;
}

}  // namespace afina
