// Data structures of the matmul: sizes of blocks and chunks, prepared operands, and the part of C
// and k that is processed between two packings.
#pragma once
#include "engine/cpu/gemm.h"
#include "engine/cpu/gemm_pack.h"
#include "engine/cpu/gemm_tile.h"
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace afina::AFINA_ISA {

// Slots of scratch memory.
enum Use {
  shared_b,
  shared_a,
  shared_sums,
  own_b,
  own_sums,
  lying_sums,
  own_unpacked,
  turned_sums
};

constexpr int64_t chunk_units = 2 * block_units;  // units of k packed at a time
// Narrow tiles read A so often that everything all panels of B need next should fit in the L2 cache
// (512 KiB). Hence these limits on units of A at a time, and on units of k where A is packed and
// partial sums can wait in C.
constexpr bool narrow_tiles = wide_vectors == 2;
constexpr int64_t part_units = 40 << 10;
constexpr int64_t narrow_chunk_units = 384;
// Units of B, in panels, that stay in the second cache while parts of A pass: a part whose rows
// come from further away costs little, because each of its rows meets a panel at a quarter of the
// pace at which a panel that comes from there must be read.
constexpr int64_t group_units = 56 << 10;
constexpr int64_t chunk_size = 1 << 20;  // units of B, or of A, packed at a time: 4 MiB
// Up to this many rows of A, each thread packs its own part of B just before using it.
constexpr int64_t stream_rows = 48;
constexpr int64_t stream_units = 64;
// Of B in blocks, whose largest have 256 numbers.
constexpr int64_t stream_units_of_blocks = 256;
// Up to this many columns of C, a long sum of outer products is computed as its transpose.
constexpr int64_t lying_columns = 64;
constexpr int64_t split_units = 256;  // units of k that one thread packs at a time
constexpr int64_t block_rows = 96;    // rows of A that one thread packs at a time
// Memory rows, where these are k: few enough that neighbouring panels find them in the cache.
constexpr int64_t rows_at_once = 16;
constexpr int64_t little = 1 << 16;  // multiply-adds too few to share with a second thread
// Below these limits each thread packs all of B itself: units of B, and multiply-adds, because the
// threads' shares are not divided further.
constexpr int64_t little_units = 40 << 10, little_work = 1 << 25;

AFINA_INLINE static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
AFINA_INLINE static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
AFINA_INLINE static int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Flushes denormals to zero for its lifetime, also on threads that normally do not.
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

// A, prepared: rows in place (or as units), or packed strips of 12 rows.
struct Left {
  const char* data = nullptr;
  int64_t row_bytes = 0;    // from row to row
  int64_t strip_bytes = 0;  // from strip to strip; 0: not in strips
  const char* at(int64_t row, int64_t u) const {
    return strip_bytes ? data + row / strip * strip_bytes + (u * strip + row % strip) * 4
                       : data + row * row_bytes + u * 4;
  }
};

// A panel of B, packed or in place: bytes from unit to unit.
struct Right {
  const char* data;
  int64_t step;
};

// One of the two products that are added: A B, and A2 B2.
template <class Kind>
struct Term {
  Operand a, b;
  int64_t units = 0;
  bool a_lies_ready = false;
};

// The part of C and k that is processed between two packings.
struct Chunk {
  int64_t m0 = 0, m1 = 0, n0 = 0, n1 = 0, u0 = 0, u1 = 0;
  bool begins = false, ends = false;  // whether this is the first, the last part of k
  Left a, a2;                         // row 0 is m0, unit 0 is u0
  int64_t first_packed = 0;           // earlier panels of B are read in place
  const char* b = nullptr;            // packed panels of B from there on
  const char* b2 = nullptr;
  int64_t panel_bytes = 0;  // from one panel of B to the next
  // (m1 - m0, n1 - n0): partial sums, where C is bf16 and k needs several chunks.
  float* sums = nullptr;
  int64_t ld_sums = 0;
};

}  // namespace afina::AFINA_ISA
