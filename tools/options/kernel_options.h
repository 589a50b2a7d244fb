// Options about kernels of the GPU: which variant runs, and the choices of an earlier run made
// again.
#pragma once
#include <string>
#include <vector>

#include "engine/files/json.h"

namespace afina {

// Each wish is slot=variant, such as attention=flash or matmul=cublas: that variant runs wherever
// it takes the arguments, in the slot and in those that belong to it (attention_backward, matmul2).
// Errors name what is unknown and list what there is.
void prefer_kernels(const std::vector<std::string>& wishes);
// Takes up the choices that a manifest.json holds, so that libraries use the same algorithms again.
void repeat_choices(const std::string& manifest);
void repeat_choices(const Json& choices, const std::string& where);

}  // namespace afina
