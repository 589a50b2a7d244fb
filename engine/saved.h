// What a backward pass keeps of a tensor: its values, or only how they are made again to the bit.
#pragma once
#include <functional>

#include "engine/tensor.h"

namespace afina {

// How values are made again from others that are kept anyway. All who kept the same tensor share
// one recipe: it is followed once, when the first of them asks, and what it made goes with the last
// of them.
struct Recipe {
  std::function<Tensor()> make;
  Tensor made;
};

class Kept {
 public:
  Kept() = default;
  // Of a tensor that came with a recipe, the recipe alone; its memory can then go. Else the values.
  explicit Kept(const Tensor& x)
      : values_(x.recipe() ? Tensor() : x.detached()), recipe_(x.recipe()), shape_(x.shape()) {}
  explicit operator bool() const { return values_ || recipe_; }
  // The values, outside the graph, in the shape that was kept.
  Tensor get() const;

 private:
  Tensor values_;
  std::shared_ptr<Recipe> recipe_;
  Shape shape_;
};

// y, just computed, with the way to make it again: make() must give y's bits and record nothing. No
// tape: y as it is.
Tensor remade_by(Tensor y, std::function<Tensor()> make);
// y = f(x), just computed, of which backward keeps only x and f and runs f again when it needs the
// values: for products, where remade_by is for element-wise work. Such FLOPs are counted as
// recomputed.
Tensor remade(const Tensor& x, Tensor y, const std::function<Tensor(const Tensor&)>& f);

}  // namespace afina
