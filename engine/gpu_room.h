// Free memory of the GPU.
#pragma once
#include <cstdint>

namespace afina {

// Bytes free on the GPU, before this process has allocated any. Set by the device `cuda`
// (cuda/memory.cu); null in builds without it.
inline int64_t (*free_gpu_bytes)() = nullptr;

}  // namespace afina
