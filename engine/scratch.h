// Memory that kernels work in: one grow-only buffer per thread and use, so that after the first
// call nothing is allocated.
#pragma once
#include <cstddef>

namespace afina {

// At least `bytes` of this thread's buffer number `which` (below 16), 64-byte aligned, with
// arbitrary content. A later call with the same number may move it. Other threads may read and
// write it while its owner keeps it. Numbers 0 to 7 belong to the matmul; a kernel that multiplies
// matrices must keep its own data elsewhere.
void* scratch(int which, size_t bytes);
// Bytes held so by all threads.
size_t scratch_bytes();

}  // namespace afina
