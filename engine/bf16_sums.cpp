// The settings of a thread, the order of sums among them, and whether there is AMX.
#include "engine/bf16_sums.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "engine/isa.h"
#include "engine/loop_settings.h"
#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace afina {

namespace {

// Tiles are 8 KiB a thread that the system saves; it gives them to those who ask.
bool granted() {
#if defined(__x86_64__) && defined(__linux__)
  if (const char* word = std::getenv("AFINA_AMX"); word && !std::strcmp(word, "off")) return false;
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned bf16_products = 1u << 22, tiles = 1u << 24;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & bf16_products) == 0 || (d & tiles) == 0)
    return false;
  constexpr long request = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM
  return syscall(SYS_arch_prctl, request, tile_data) == 0;
#else
  return false;
#endif
}

std::atomic<bool> used{true};

}  // namespace

LoopSettings& loop_settings() {
  static thread_local LoopSettings mine;
  return mine;
}

Bf16Sums bf16_sums() { return loop_settings().sums; }
SumsScope::SumsScope(Bf16Sums sums) : outer_(loop_settings().sums) { loop_settings().sums = sums; }
SumsScope::~SumsScope() { loop_settings().sums = outer_; }

bool has_tiles() {
  static const bool there = granted();
  return there && used.load(std::memory_order_relaxed);
}
bool sums_by_amx() { return isa() == Isa::avx512bf16 && has_tiles(); }
void use_tiles(bool on) { used = on; }

}  // namespace afina
