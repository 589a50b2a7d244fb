// Workspace of CPU kernels: one grow-only buffer per thread and use, so that nothing is allocated
// after the first call.
#pragma once
#include <cstddef>

namespace afina {

// Buffer number `which` (0 to 15) of this thread, with room for at least `bytes`: 64-byte aligned,
// uninitialised. A later call with the same number may move it; until then other threads may read
// and write it. Numbers 0 to 7 belong to the matmul, so a kernel that multiplies matrices must use
// others for its own data.
void* scratch(int which, size_t bytes);
// Bytes allocated in this way by all threads.
size_t scratch_bytes();

}  // namespace afina
