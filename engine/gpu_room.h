// How much memory a GPU has to give.
#pragma once
#include <cstdint>

namespace afina {

// Bytes free on the GPU now, before this process has taken any; set by the device `cuda`
// (cuda/memory.cu), none where it is not built.
inline int64_t (*free_gpu_bytes)() = nullptr;

}  // namespace afina
