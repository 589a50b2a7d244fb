// Checkpoints of a training run: everything needed to continue as if it had not stopped, with a
// checksum. The last two are kept.
#pragma once
#include <string>

#include "engine/files/json.h"
#include "engine/train/trainer.h"

namespace afina {

// Writes folder/step-00000120.safetensors (every tensor of trainer.state(), f32 or i32) with
// `extra` (the run's options and counters) in its metadata, then step-00000120.json with the
// SHA-256 of that file, both atomically. A checkpoint without its .json was never finished and is
// ignored. Then removes all but the last two.
void save_checkpoint(const std::string& folder, Trainer& trainer, const Json& extra);

struct Resumed {
  int64_t step = 0;  // updates done; 0 if there was nothing to resume from
  Json extra;
  std::vector<std::string> notes;  // damaged checkpoints that were skipped
};
// Loads the newest checkpoint with a correct checksum into the trainer (masters, optimizer, step
// count). Damaged ones are skipped with a note. Throws an Error, and changes nothing, if the
// checkpoint lacks a trained parameter, has one too many or has another shape: the trained set must
// be the one that was saved.
Resumed resume_checkpoint(const std::string& folder, Trainer& trainer);
// Steps of the finished checkpoints in the folder (those with a .json), oldest first.
std::vector<int64_t> checkpoint_steps(const std::string& folder);

}  // namespace afina
