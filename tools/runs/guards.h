// Guards of a run that look at a model, a batch or a disk.
#pragma once
#include "data/batches.h"
#include "model/model.h"

namespace afina {

// The first row of a batch that has a target, as a batch of its own (the first row where none has).
Batch one_row(Batch batch);
// Of all frozen weights: whether one of them changed.
uint64_t frozen_checksum(const Model& model);
// Bytes of the files in a folder; 0 when there is none.
int64_t bytes_in(const std::string& folder);
// A disk that would be full at the end of a run is found out at its beginning: Error when fewer
// than `bytes` are left on the folder's disk.
void require_room(const std::string& folder, int64_t bytes);

}  // namespace afina
