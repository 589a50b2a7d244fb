// Tensor cores, matrix loads and asynchronous copies as inline PTX. cuda/emulator/mma.h defines
// what each instruction does.
#pragma once
#include "cuda/bf16_pairs.cuh"
#if !defined(__CUDACC__)
#include "cuda/emulator/mma.h"
#endif

namespace afina::AFINA_GPU {

// Fragments, as the PTX manual draws them for mma.m16n8k16, in a warp whose lane is 4 g + t (g
// 0..7, t 0..3). A register holds two bf16, the first in its lower half:
//   A (16, 16): a0 (g, 2t), a1 (g + 8, 2t), a2 (g, 2t + 8), a3 (g + 8, 2t + 8), and the next column
//   B (16, 8):  b0 (2t, g), b1 (2t + 8, g), and the next row
//   C (16, 8):  c0 (g, 2t), c1 (g, 2t + 1), c2 (g + 8, 2t), c3 (g + 8, 2t + 1)
// So two neighbouring C fragments, rounded and packed, are an A fragment, and flash attention needs
// no shared memory between its two products.

#if defined(__CUDACC__)

__device__ __forceinline__ unsigned shared_address(const void* p) {
  return unsigned(__cvta_generic_to_shared(p));
}

// c += a b.
__device__ __forceinline__ void mma(float (&c)[4], const unsigned (&a)[4], unsigned b0,
                                    unsigned b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Loads four 8x8 matrices of bf16 from shared memory. Lane 8 i + j passes the address of row j of
// matrix i (16 bytes); every lane receives elements (g, 2t) and (g, 2t + 1) of each matrix, or of
// its transpose.
template <bool transposed>
__device__ __forceinline__ void load_matrices(unsigned (&r)[4], const bf16* row) {
  unsigned at = shared_address(row);
  if constexpr (transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(at)
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(at)
                 : "memory");
}

// Copies 16 (or 4) bytes to shared memory asynchronously; writes zeros if not `inside` (`from` must
// still be a valid address).
__device__ __forceinline__ void copy_async_16(void* to, const void* from, bool inside) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from),
               "r"(inside ? 16 : 0)
               : "memory");
}
__device__ __forceinline__ void copy_async_4(void* to, const void* from, bool inside) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(to)), "l"(from),
               "r"(inside ? 4 : 0)
               : "memory");
}
// copy_async_commit ends a group of this thread's copies; the wait returns when all but the latest
// `under_way` groups have arrived. Copies of other threads are visible only after a barrier.
__device__ __forceinline__ void copy_async_commit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int under_way>
__device__ __forceinline__ void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(under_way) : "memory");
}

#endif

// A tile in shared memory: rows of `Columns` bf16 in pieces of 8, read by ldmatrix and written by
// asynchronous copies. Pieces are permuted by row number, so that the 8 rows of a matrix touch each
// bank once.
template <int Columns>
struct Tile {
  static constexpr int pieces = Columns / 8;
  static_assert(pieces % 4 == 0);
  bf16* data;

  __device__ __forceinline__ bf16* piece(int row, int p) const {
    int turned = pieces % 8 == 0 ? p ^ (row & 7) : p ^ (row >> 1 & 3);
    return data + (row * pieces + turned) * 8;
  }
  // Starts the copy of `rows` rows from `from` on, `ld` elements apart, by all `threads` of the
  // block. Rows from `rows_there` on and columns from `columns_there` on (a multiple of 8) are
  // zeros.
  template <int rows, int threads>
  __device__ __forceinline__ void load(const bf16* from, int64_t ld, int rows_there,
                                       int columns_there) const {
    for (int i = threadIdx.x; i < rows * pieces; i += threads) {
      int row = i / pieces, p = i % pieces;
      bool inside = row < rows_there && p * 8 < columns_there;
      copy_async_16(piece(row, p), inside ? from + row * ld + p * 8 : from, inside);
    }
  }
  // The same for rows that do not begin at multiples of 16 bytes: element by element,
  // synchronously.
  template <int rows, int threads>
  __device__ __forceinline__ void load_slowly(const bf16* from, int64_t ld, int rows_there,
                                              int columns_there) const {
    for (int i = threadIdx.x; i < rows * pieces; i += threads) {
      int row = i / pieces, p = i % pieces;
      bf16* to = piece(row, p);
      for (int e = 0; e < 8; ++e)
        to[e] =
            row < rows_there && p * 8 + e < columns_there ? from[row * ld + p * 8 + e] : bf16{0};
    }
  }
  // Fragments of 16x16 elements, with rows along the tile's rows from `row` on and columns from 8
  // `p` on. For elements stored as A needs them (or transposed, as B needs them):
  template <bool turned>
  __device__ __forceinline__ void rows_first(unsigned (&r)[4], int row, int p, int lane) const {
    load_matrices<turned>(r, piece(row + (lane & 15), p + (lane >> 4)));
  }
  // and for elements stored as B needs them (or transposed, as A needs them).
  template <bool turned>
  __device__ __forceinline__ void columns_first(unsigned (&r)[4], int row, int p, int lane) const {
    load_matrices<turned>(r, piece(row + (lane & 7) + (lane >> 4) * 8, p + (lane >> 3 & 1)));
  }
};

// Two neighbouring values of C, stored as 8 bytes.
struct alignas(8) TwoFloats {
  float x, y;
};

}  // namespace afina::AFINA_GPU
