// Instruction sets of the CPU: which the kernels are compiled for, which one is in use, and how the
// environment variable AFINA_ISA selects one.
#pragma once
#include <string>
#include <vector>

namespace afina {

// Also the ranks of the CPU's kernel variants, best last. All give the same bits
// (docs/numerics.md).
enum class Isa { scalar, avx2, avx512, avx512bf16 };

const char* name(Isa isa);
// The best that is compiled and supported by this processor. Throws an Error if there is none (a
// program that was built on another machine for that machine alone, INSTRUCTION_SETS=native).
Isa best_isa();
// The one in use: set_isa()'s, else AFINA_ISA's, else the best. Throws an Error if AFINA_ISA names
// one that is unknown or not available.
Isa isa();
// Throws an Error for one that is not compiled or not supported.
void set_isa(Isa isa);
// All that are compiled and supported by this processor, simplest first: what tests iterate over.
std::vector<Isa> usable_isas();

// Flushes denormal inputs and results to zero in the calling thread; every thread of afina calls
// it.
void flush_denormals();

}  // namespace afina
