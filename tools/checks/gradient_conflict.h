// Do two rows pull a model's weights the same way? The product of their gradients, exactly, without
// forming either gradient.
#pragma once
#include <vector>

#include "data/batches.h"
#include "model/model.h"

namespace afina {

// The gradient of one row's loss in the weights of all linear layers, by its factors: that of a
// layer y = x Wᵀ is the sum over positions t of delta_t x_tᵀ, where delta_t is the gradient of y_t.
struct GradientFactors {
  std::vector<Tensor> x, delta;  // by layer of Parameters::linears: (T, in) and (T, out)
  double squared = 0;            // the squared norm of the gradient
  size_t bytes() const;
};
// The factors for the mean loss over the row's targets, by one forward and one backward pass; no
// parameter moves, and no gradient stays behind. Weights that are frozen have factors too, as long
// as a gradient goes through their layer: every layer of a model under `full`, or under LoRA on all
// layers (where the factors are those of W, not of A and B). Embedding, head and norms have none.
// An Error for a model in which no linear layer is on a gradient's way, and for a row without a
// target.
GradientFactors gradient_factors(Model& model, const Sample& row);
// The inner product of two gradients of one model: for each layer the sum over pairs of positions
// (s, t) of (x_s · x_t)(delta_s · delta_t), which takes products of T x T in place of in x out.
double gradient_product(const GradientFactors& a, const GradientFactors& b);
// That over both norms: 1 where the rows ask for the same change, below 0 where they oppose each
// other. 0 where either gradient is zero.
double gradient_cosine(const GradientFactors& a, const GradientFactors& b);

}  // namespace afina
