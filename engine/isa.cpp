// Instruction sets of the CPU: what the processor has, what the user asks for, and how denormals
// are flushed.
#include "engine/isa.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "engine/error.h"
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace afina {
namespace {

constexpr Isa every_isa[] = {Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512bf16};

// Is it compiled (the build's INSTRUCTION_SETS)?
constexpr bool built(Isa isa) {
#if defined(AFINA_BUILT_avx2)
  if (isa == Isa::avx2) return true;
#endif
#if defined(AFINA_BUILT_avx512)
  if (isa == Isa::avx512) return true;
#endif
#if defined(AFINA_BUILT_avx512bf16)
  if (isa == Isa::avx512bf16) return true;
#endif
#if defined(AFINA_BUILT_scalar)
  if (isa == Isa::scalar) return true;
#endif
  return false;
}

// Is it compiled and supported? __builtin_cpu_supports also asks (xgetbv) whether the operating
// system saves the registers.
bool has(Isa isa) {
#if defined(__x86_64__)
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (isa == Isa::avx2) return avx2;
  if (isa == Isa::avx512) return avx512;
  if (isa == Isa::avx512bf16) return avx512 && __builtin_cpu_supports("avx512bf16");
#endif
  return isa == Isa::scalar;
}

std::string listed(const std::vector<Isa>& sets) {
  std::string words;
  for (Isa i : sets) words += std::string(words.empty() ? "" : ", ") + name(i);
  return words;
}
constexpr const char* build_all = "`make` (or cmake -DINSTRUCTION_SETS=all) builds every set";

void require_usable(Isa isa, const std::string& what) {
  require(has(isa), what,
          ": this processor does not have it. Possible here: ", listed(usable_isas()));
  require(built(isa), what, ": this build has no kernels for it; ", build_all,
          ". Possible here: ", listed(usable_isas()));
}

Isa requested() {
  const char* word = std::getenv("AFINA_ISA");
  if (!word || !*word) return best_isa();
  for (Isa i : every_isa)
    if (!std::strcmp(word, name(i))) {
      require_usable(i, std::string("AFINA_ISA=") + word);
      return i;
    }
  fail("AFINA_ISA=", word, ": no such instruction set. Possible here: ", listed(usable_isas()));
}

std::atomic<int> chosen{-1};

}  // namespace

const char* name(Isa isa) {
  switch (isa) {
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
    case Isa::avx512bf16: return "avx512bf16";
    case Isa::scalar: break;
  }
  return "scalar";
}

Isa best_isa() {
  const std::vector<Isa> usable = usable_isas();
  if (usable.empty()) {
    std::vector<Isa> all;
    for (Isa i : every_isa)
      if (built(i)) all.push_back(i);
    fail("this program was built for processors with ", listed(all),
         ", and this one has no such instructions. Build it on this machine; ", build_all);
  }
  return usable.back();
}

Isa isa() {
  int i = chosen.load(std::memory_order_relaxed);
  if (i < 0) chosen = i = int(requested());
  return Isa(i);
}

void set_isa(Isa isa) {
  require_usable(isa, std::string("instruction set ") + name(isa));
  chosen = int(isa);
}

std::vector<Isa> usable_isas() {
  std::vector<Isa> all;
  for (Isa i : every_isa)
    if (built(i) && has(i)) all.push_back(i);
  return all;
}

void flush_denormals() {
#if defined(__x86_64__)
  unsigned control = _mm_getcsr();
  if ((control & 0x8040) != 0x8040) _mm_setcsr(control | 0x8040);  // FTZ (bit 15) and DAZ (bit 6)
#elif defined(__aarch64__)
  uint64_t control;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("msr fpcr, %0" ::"r"(control | (uint64_t(1) << 24)));  // FZ: inputs and results
#endif
}

}  // namespace afina
