// Instruction sets of the CPU: which there are, which one is used, and how AFINA_ISA forces one.
#pragma once
#include <string>
#include <vector>

namespace afina {

// Ranks of the CPU variants, best last. Every one gives the same bits (docs/numerics.md).
enum class Isa { scalar, avx2, avx512, avx512bf16 };

const char* name(Isa isa);
// The best that this processor has and this build has kernels for. None (a program built for
// another machine alone, INSTRUCTION_SETS=native) is an Error.
Isa best_isa();
// The one in use: the best, or what AFINA_ISA names (an unknown or absent one is an Error), or what
// set_isa chose.
Isa isa();
void set_isa(Isa isa);
// All that this processor has and this build has kernels for, plainest first: what tests walk
// through.
std::vector<Isa> usable_isas();

// Flush denormal results and inputs to zero in the calling thread; every thread of afina calls it.
void flush_denormals();

}  // namespace afina
