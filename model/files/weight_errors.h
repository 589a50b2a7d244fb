// How far the weights in somebody's file are from those of a trained model: tensor by tensor, and
// within a tensor scale by scale or number by number, against bounds that follow from the types in
// which they are stored (engine/files/rounding.h).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "model/files/file_weights.h"

namespace afina {

// The tensors of one stored type.
struct WeightErrors {
  StoredType type = StoredType::f32;
  int64_t tensors = 0;
  // The largest relative root mean square error of a tensor, what rounding explains of it, and the
  // tensor, as the file calls it.
  double error = 0., error_bound = 0.;
  std::string tensor;
  // The numbers with a common scale, or the single number, that are furthest beyond or nearest to
  // their bound: root mean square of the difference, its bound, and where they are.
  double part = 0., part_bound = 0.;
  std::string place;  // "model.layers.0.self_attn.q_proj.weight, row 3, columns 32 to 63"

  bool holds() const { return error <= error_bound && part <= part_bound; }
};

// Who chose the scales of blocks: rounding to nearest and searches of least error, or anybody, who
// may have weighed some numbers more than others (may_be_weighed). Whole blocks are judged then.
enum class Scales : uint8_t { nearest, any };

// Of each stored type in `written`, whose tensors are read one at a time, against the weights of
// `trained` with its adapters merged into them. What adapters change may also have another
// merging's rounding: of sums in f32, and of the change where the file's type has 16 bits. A type
// without a bound (numbers_per_scale 0) has an error_bound of -1. An Error for a tensor that is
// missing or has another shape, and for numbers that are not finite.
std::vector<WeightErrors> weight_errors(const Model& trained, FileWeights& written, Scales scales);

// The same for a model whose adapters came from a file of another form: types that its factors are
// stored in, by the name of the weight that they change. Both are compared with all merged.
struct FactorType {
  std::string weight;
  StoredType type;
};
std::vector<WeightErrors> merged_errors(const Model& trained, const Model& written,
                                        const std::vector<FactorType>& factors);

// The same for an adapter with the parameters of the trained one: each with its own, by name.
// nothing where the two do not have the same parameters, of the same shapes.
std::optional<std::vector<WeightErrors>> adapter_errors(const Model& trained, const Model& written,
                                                        const StoredTensors& file);

}  // namespace afina
