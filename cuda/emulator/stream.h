// The order of work on the emulated GPU: executed at once, or recorded in a graph while a step is
// captured.
#pragma once
#include "cuda/emulator/cuda.h"
#include "engine/graph.h"

namespace afina::emulated {

void submit(const Launch& launch);

// The functions of the device's Memory table; recorded as well during capture.
void* allocate(size_t bytes);
void release(void* data, size_t bytes);
void copy(void* to, const void* from, size_t bytes);
void zero(void* data, size_t bytes);

Graphs graph_functions();

}  // namespace afina::emulated
