// Checkpoints of a training run: everything needed to go on as if it had not stopped, checksummed,
// the last two kept.
#pragma once
#include <string>

#include "engine/files/json.h"
#include "engine/train/trainer.h"

namespace afina {

// Writes folder/step-00000120.safetensors (every tensor of trainer.state(), f32) with `extra` (the
// run's options and counters) in its metadata, then step-00000120.json with the SHA-256 of that
// file, both atomically; a checkpoint without its .json was never finished and is not looked at.
// Afterwards all but the last two are removed.
void save_checkpoint(const std::string& folder, Trainer& trainer, const Json& extra);

struct Resumed {
  int64_t step = 0;  // updates done; 0 when there was nothing to resume from
  Json extra;
  std::vector<std::string> notes;  // damaged checkpoints that were passed over
};
// Loads the newest checkpoint whose checksum is right into the trainer (masters, optimizer, step
// count). A damaged one is passed over for the one before it, with a note. A trained parameter that
// it lacks, has too many of or in another shape is an Error: the trainable set must be the one that
// was saved. Nothing is changed unless all is well.
Resumed resume_checkpoint(const std::string& folder, Trainer& trainer);
// Steps of the checkpoints in the folder, oldest first; those with a .json only.
std::vector<int64_t> checkpoint_steps(const std::string& folder);

}  // namespace afina
