// Results of other programs, read to stand beside a comparison.
#pragma once
#include <string>

#include "engine/files/json.h"
#include "tools/results/results.h"

namespace afina {

// Is this what `run.py` of the method_comparison in Hugging Face PEFT's repository writes?
bool is_peft_result(const Json& json);
// Its figures. Files of 2025, whose keys say cuda_memory_ and gpu in place of accelerator_memory_
// and accelerator, are read as well. Seconds are the sum over its metrics of the time that steps
// took: its train_time has the last evaluation and the loading of data in it. Errors name the file
// and the key: a run that was cancelled or failed, a key of another kind.
ForeignResult foreign_from_peft(const Json& json, const std::string& path);

}  // namespace afina
