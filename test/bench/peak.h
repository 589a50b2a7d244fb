// The multiply-add peak of this processor, measured: what a matmul is compared with.
#pragma once
#include <cstdint>
#include <ctime>

#include "engine/bf16_sums.h"
#include "engine/isa.h"
#include "engine/threads.h"

namespace afina::bench {

// Of the clock; with one thread of the processor time of this thread, so that other work on the
// machine disturbs less.
inline double seconds() {
  timespec t;
  clock_gettime(thread_count() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

#if defined(__x86_64__)
// Sixteen independent chains, `rounds` times. One text for each instruction, registers named by
// hand so that nothing is optimised away.
#define AFINA_CHAINS(op, r)                                                                        \
  op " %%" r "0, %%" r "0, %%" r "1\n" op " %%" r "0, %%" r "0, %%" r "2\n" op " %%" r "0, %%" r   \
     "0, %%" r "3\n" op " %%" r "0, %%" r "0, %%" r "4\n" op " %%" r "0, %%" r "0, %%" r "5\n" op  \
     " %%" r "0, %%" r "0, %%" r "6\n" op " %%" r "0, %%" r "0, %%" r "7\n" op " %%" r "0, %%" r   \
     "0, %%" r "8\n" op " %%" r "0, %%" r "0, %%" r "9\n" op " %%" r "0, %%" r "0, %%" r "10\n" op \
     " %%" r "0, %%" r "0, %%" r "11\n" op " %%" r "0, %%" r "0, %%" r "12\n"
#define AFINA_LOOP(name, op, r, zero)                                                            \
  inline void name(long rounds) {                                                                \
    asm volatile(zero "1: " AFINA_CHAINS(op, r) AFINA_CHAINS(op, r) "sub $1, %0\n jnz 1b\n"      \
                 : "+r"(rounds)::"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", \
                   "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "cc");                             \
  }
AFINA_LOOP(chains_avx2, "vfmadd231ps", "ymm", "vpxor %%xmm0, %%xmm0, %%xmm0\n")
AFINA_LOOP(chains_avx512, "vfmadd231ps", "zmm", "vpxor %%xmm0, %%xmm0, %%xmm0\n")
AFINA_LOOP(chains_pairs, "vdpbf16ps", "zmm", "vpxor %%xmm0, %%xmm0, %%xmm0\n")
#undef AFINA_LOOP
#undef AFINA_CHAINS
// The same with AMX: four sums of 16 x 16, 32 products of k at a time.
inline void chains_tiles(long rounds) {
  struct alignas(64) {
    uint8_t palette = 1, none[15] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } shapes;
  asm volatile(
      "ldtilecfg %1\n"
      "1: tdpbf16ps %%tmm6, %%tmm4, %%tmm0\n tdpbf16ps %%tmm7, %%tmm4, %%tmm1\n"
      "tdpbf16ps %%tmm6, %%tmm5, %%tmm2\n tdpbf16ps %%tmm7, %%tmm5, %%tmm3\n"
      "sub $1, %0\n jnz 1b\n tilerelease\n"
      : "+r"(rounds)
      : "m"(shapes)
      : "cc");
}
#endif

// GFLOP/s that `threads` threads reach with the instruction set in use, f32 or bf16 in the order of
// sums in force; 0 where there is no vector unit to measure.
inline double peak(int threads, bool bf16) {
#if defined(__x86_64__)
  Isa now = isa();
  if (now == Isa::scalar) return 0;
  const bool tiles =
      bf16 &&
      bf16_sums() == Bf16Sums::tiles;  // without AMX they are summed by multiply-adds of f32
  auto run = tiles && sums_by_amx()                     ? chains_tiles
             : bf16 && !tiles && now == Isa::avx512bf16 ? chains_pairs
             : now == Isa::avx2                         ? chains_avx2
                                                        : chains_avx512;
  double flops = 24.0 * 2 * (now == Isa::avx2 ? 8 : 16) * (run == chains_pairs ? 2 : 1), best = 0;
  if (run == chains_tiles) flops = 4.0 * 2 * 16 * 16 * 32;
  const long rounds = 400000;
  int before = thread_count();
  set_thread_count(threads);
  for (int trial = 0; trial < 8; ++trial) {
    double from = seconds();
    parallel_for(threads * 8, 1, [&](int64_t begin, int64_t end) {
      for (; begin < end; ++begin) run(rounds);
    });
    double rate = flops * double(rounds) * threads * 8 / (seconds() - from) * 1e-9;
    best = rate > best ? rate : best;
  }
  set_thread_count(before);
  return best;
#else
  (void)threads;
  (void)bf16;
  return 0;
#endif
}

}  // namespace afina::bench
