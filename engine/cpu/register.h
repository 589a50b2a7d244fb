// How a file of engine/cpu fills kernel slots: once per instruction set it is compiled for, under
// that set's name and rank.
//
// Such a file may use no inline function that other files use too, std templates included: the
// linker keeps one copy, and the one it keeps could be compiled for a processor that this is not.
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
