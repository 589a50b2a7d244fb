// What the matmul works on: sizes of blocks and chunks, operands made ready, the part of C and k
// between two packings.
#pragma once
#include "engine/cpu/gemm.h"
#include "engine/cpu/gemm_pack.h"
#include "engine/cpu/gemm_tile.h"
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace afina::AFINA_ISA {

enum Use { shared_b, shared_a, shared_sums, own_b, own_sums, lying_sums };  // of scratch memory

constexpr int64_t chunk_units = 2 * block_units;  // of k packed at a time
// Narrow tiles pass over A so often that what all panels of B meet next must lie in the second
// cache (512 KiB): so many units of A at a time, and so few of k where A is packed and sums can
// wait in C.
constexpr bool narrow_tiles = wide_vectors == 2;
constexpr int64_t part_units = 40 << 10;
constexpr int64_t narrow_chunk_units = 384;
constexpr int64_t chunk_size = 1 << 20;  // units of B, or of A, packed at a time: 4 MiB
constexpr int64_t stream_rows =
    48;  // up to so many rows of A, each thread packs for itself what it needs of B at once
constexpr int64_t stream_units = 64;
constexpr int64_t lying_columns =
    64;  // up to so many columns of C, a long sum of outer products is made as its transpose
constexpr int64_t split_units = 256;  // of k that one thread packs at a time
constexpr int64_t block_rows = 96;    // of A that one thread packs at a time
constexpr int64_t rows_at_once =
    16;  // of memory, when they are k: few enough that neighbouring panels find them in the cache
constexpr int64_t little = 1 << 16;  // multiply-adds that are not worth a second thread
// What each thread packs all of B for: units of B, and multiply-adds, as their shares are not
// divided further.
constexpr int64_t little_units = 40 << 10, little_work = 1 << 25;

AFINA_INLINE static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
AFINA_INLINE static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
AFINA_INLINE static int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Denormals are flushed while this lives, also in a thread that does not do so otherwise.
struct Flushed {
#if defined(__x86_64__)
  unsigned before = _mm_getcsr();
  Flushed() {
    if ((before & 0x8040) != 0x8040) _mm_setcsr(before | 0x8040);
  }
  ~Flushed() {
    if ((before & 0x8040) != 0x8040) _mm_setcsr(before);
  }
#endif
};

// A made ready: rows as they lie (or as units), or strips of 12 rows.
struct Left {
  const char* data = nullptr;
  int64_t row_bytes = 0;    // of rows
  int64_t strip_bytes = 0;  // of strips, else 0
  const char* at(int64_t row, int64_t u) const {
    return strip_bytes ? data + row / strip * strip_bytes + (u * strip + row % strip) * 4
                       : data + row * row_bytes + u * 4;
  }
};

// A panel of B, packed or as it lies: bytes from unit to unit.
struct Right {
  const char* data;
  int64_t step;
};

// One of the two products that are summed: A B, and A2 B2.
template <class Kind>
struct Term {
  Operand a, b;
  int64_t units = 0;
  bool a_lies_ready = false;
};

// The part of C and k that is worked on between two packings.
struct Chunk {
  int64_t m0 = 0, m1 = 0, n0 = 0, n1 = 0, u0 = 0, u1 = 0;
  bool begins = false, ends = false;  // is this the first, the last stretch of k?
  Left a, a2;                         // row 0 is m0, unit 0 is u0
  int64_t first_packed = 0;           // the panels of B before are read as they lie
  const char* b = nullptr;            // panels of B from there on
  const char* b2 = nullptr;
  int64_t panel_bytes = 0;  // from one of B's to the next
  float* sums = nullptr;    // (m1 - m0, n1 - n0) where C is bf16 and k needs several chunks
  int64_t ld_sums = 0;
};

}  // namespace afina::AFINA_ISA
