// The singular vectors of a layer's weight, for methods that begin with them.
#pragma once
#include "engine/svd.h"
#include "model/layers.h"

namespace afina {

// Those of the weight (out, in) in f64. Only where memory holds bytes (holds_bytes).
inline Svd singular_vectors(const Linear& layer, SingularPart part) {
  return svd(layer.weight.exact().values64(), layer.out(), layer.in(), layer.path + ".weight",
             part);
}
// Values that a parameter begins with, or a constant of some shape and f32 (f64) is made of.
inline std::vector<float> in_f32(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

}  // namespace afina
