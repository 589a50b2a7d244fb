// What a backward pass saves of a tensor: its values, or a recipe that recomputes them bit for bit.
#pragma once
#include <functional>

#include "engine/tensor.h"

namespace afina {

// How to recompute a tensor's values from others that are saved anyway. All Saved copies of the
// tensor share the recipe: the first that needs the values runs it, and they are freed with the
// last.
struct Recipe {
  std::function<Tensor()> make;
  Tensor made;  // the values, once make() has run
};

// A tensor saved for backward. One that has a recipe is saved as the recipe alone, so that its
// memory can be freed in between.
class Saved {
 public:
  Saved() = default;
  explicit Saved(const Tensor& x)
      : values_(x.recipe() ? Tensor() : x.detached()), recipe_(x.recipe()), shape_(x.shape()) {}
  explicit operator bool() const { return values_ || recipe_; }
  // The tensor as it was saved, detached from the gradient graph; recomputed if necessary.
  Tensor get() const;

 private:
  Tensor values_;
  std::shared_ptr<Recipe> recipe_;
  Shape shape_;
};

// Attaches a recipe to y: make() recomputes exactly y and records nothing. For element-wise work,
// which is cheap to repeat. Returns y unchanged when no tape is alive.
Tensor with_recipe(Tensor y, std::function<Tensor()> make);
// Attaches the recipe f(x) to y = f(x): for products, whose repeated FLOPs are counted as
// recomputed. f may record; it runs without a tape.
Tensor recomputed(const Tensor& x, Tensor y, const std::function<Tensor(const Tensor&)>& f);

}  // namespace afina
