// Linear layers: construction and merging.
#include "model/layers.h"

namespace afina {

Linear::Linear(const Scope& scope, int64_t in, int64_t out, bool with_bias, Init init, bool transposed)
    : path(scope.path()),
      weight(scope.base("weight", {out, in}, init, transposed)),
      bias(with_bias ? &scope.base("bias", {out}, {Init::zeros}) : nullptr),
      stored_transposed(transposed),
      adapter(scope.method().adapt(*this, scope)) {}

void Linear::merge() {
  if (!adapter) return;
  Tensor merged = adapter->merged(weight.exact());
  weight.assign(merged.values().data());
  adapter.reset();
}

}  // namespace afina
