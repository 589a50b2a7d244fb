// Settings of a computation that belong to the thread which runs it. The workers of a parallel loop
// take over those of the thread that started the loop (engine/threads.cpp), so that two threads of
// a process can compute under different settings at the same time.
#pragma once
#include "engine/bf16_sums.h"

namespace afina {

struct LoopSettings {
  Bf16Sums sums = Bf16Sums::pairs;  // set by SumsScope (engine/bf16_sums.h)
  bool packing = false;             // set by PackScope (engine/packed.h)
};

// Of the calling thread. Set by the scopes alone.
LoopSettings& loop_settings();

}  // namespace afina
