// Looks at one training step of a method.
#pragma once
#include "engine/watch.h"
#include "tools/look/seen.h"
#include "tools/runs/workbench.h"

namespace afina {

// The step's number from 1; those before it run unwatched. lr: the peak learning rate. The step is
// made several times, each on a model built anew: unwatched, for its bits; watched, for its times
// (the least of up to three, fewer where that takes long); watched with its values. An Error if
// they do not all give the same loss and the same weights.
SeenStep look_at_step(const Workbench& bench, const MethodSpec& method, double lr, int64_t number);

// Makes the same step once, with a watcher of one's own.
void make_step(const Workbench& bench, const MethodSpec& method, double lr, int64_t number,
               Watcher& watcher);

}  // namespace afina
