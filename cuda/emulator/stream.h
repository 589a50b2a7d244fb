// The order of work on the emulated GPU: done at once, or, while a step is captured, kept as a
// graph to be replayed.
#pragma once
#include "cuda/emulator/cuda.h"
#include "engine/graph.h"

namespace afina::emulated {

void submit(const Launch& launch);

// What the device's Memory table is made of; kept as well while capturing.
void* allocate(size_t bytes);
void release(void* data, size_t bytes);
void copy(void* to, const void* from, size_t bytes);
void zero(void* data, size_t bytes);

Graphs graph_functions();

}  // namespace afina::emulated
