// Fills kernel slots from engine/cpu: each file is compiled once per instruction set and registers
// its kernels under that set's name and rank.
//
// These files must not use inline functions that other files use too, including std templates: the
// linker keeps only one copy, which may have been compiled for a processor other than this one.
// `make check` looks for such symbols (test/check_isa_symbols.sh).
#pragma once
#include "engine/cpu/simd.h"
#include "engine/kernel.h"

#define AFINA_CAT2(a, b) a##b
#define AFINA_CAT(a, b) AFINA_CAT2(a, b)
#define AFINA_TEXT2(a) #a
#define AFINA_TEXT(a) AFINA_TEXT2(a)
#define REGISTER_CPU(slot, run)                                                                \
  [[maybe_unused]] static const bool AFINA_CAT(registered_, slot) = ::afina::kernel::slot.add( \
      ::afina::Device::cpu, AFINA_TEXT(AFINA_ISA), int(::afina::Isa::AFINA_ISA), run)
