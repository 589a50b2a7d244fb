// Saved values and their recomputation.
#include "engine/saved.h"

#include "engine/meter.h"
#include "engine/tape.h"
#include "engine/watch.h"

namespace afina {

Tensor Saved::get() const {
  if (!recipe_) return values_;
  if (!recipe_->made) {
    auto make = std::move(recipe_->make);  // what it holds is freed once it has run
    recipe_->make = nullptr;
    Watcher* watcher = Watcher::current();
    if (watcher) watcher->recomputing_begins();
    recipe_->made = make().detached();
    if (watcher) watcher->recomputing_ended();
  }
  return recipe_->made.viewed(shape_);
}

Tensor with_recipe(Tensor y, std::function<Tensor()> make) {
  if (Tape::recording()) y.set_recipe(std::make_shared<Recipe>(Recipe{std::move(make), {}}));
  return y;
}

Tensor recomputed(const Tensor& x, Tensor y, const std::function<Tensor(const Tensor&)>& f) {
  return with_recipe(std::move(y), [saved = Saved(x), f] {
    Unrecorded unrecorded;
    Recomputing recomputing;
    return f(saved.get());
  });
}

}  // namespace afina
