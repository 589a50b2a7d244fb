// The two products of flash attention on tensor cores: rows by rows, and weights in registers by
// rows.
#pragma once
#include "cuda/flash.cuh"
#include "cuda/mma.cuh"

namespace afina::AFINA_GPU {

// c (16 tiles, columns): fragments held by a warp, 16 rows below each other.
template <int tiles, int columns>
struct Warp {
  float c[tiles][columns / 8][4];
};

// c = rows from `row` on of a times the rows of b, summed along D.
template <int tiles, int columns, int D>
__device__ __forceinline__ void row_products(Warp<tiles, columns>& to, const Tile<D>& a, int row,
                                             const Tile<D>& b, int lane) {
  to = {};
#pragma unroll
  for (int d = 0; d < D; d += 16) {
    unsigned fragment_a[tiles][4];
#pragma unroll
    for (int i = 0; i < tiles; ++i)
      a.template rows_first<false>(fragment_a[i], row + i * 16, d / 8, lane);
#pragma unroll
    for (int j = 0; j < columns / 16; ++j) {
      unsigned fragment_b[4];
      b.template columns_first<false>(fragment_b, j * 16, d / 8, lane);
#pragma unroll
      for (int i = 0; i < tiles; ++i) {
        mma(to.c[i][2 * j], fragment_a[i], fragment_b[0], fragment_b[1]);
        mma(to.c[i][2 * j + 1], fragment_a[i], fragment_b[2], fragment_b[3]);
      }
    }
  }
}

// c (16 tiles, D) += weights (16 tiles, count), rounded to bf16, times the `count` rows of b.
template <int tiles, int count, int D>
__device__ __forceinline__ void add_weighted(Warp<tiles, D>& to, const Warp<tiles, count>& weights,
                                             const Tile<D>& b, int lane) {
#pragma unroll
  for (int k = 0; k < count / 16; ++k) {
    unsigned a[tiles][4];
#pragma unroll
    for (int i = 0; i < tiles; ++i)
#pragma unroll
      for (int r = 0; r < 4; ++r)
        a[i][r] = pack_bf16(weights.c[i][2 * k + r / 2][r % 2 * 2],
                            weights.c[i][2 * k + r / 2][r % 2 * 2 + 1]);
#pragma unroll
    for (int j = 0; j < D / 16; ++j) {
      unsigned fragment_b[4];
      b.template rows_first<true>(fragment_b, k * 16, j * 2, lane);
#pragma unroll
      for (int i = 0; i < tiles; ++i) {
        mma(to.c[i][2 * j], a[i], fragment_b[0], fragment_b[1]);
        mma(to.c[i][2 * j + 1], a[i], fragment_b[2], fragment_b[3]);
      }
    }
  }
}

// Stores 16 rows, multiplied by factors[0] for row g of the warp's 16 and factors[1] for row g + 8.
template <int D>
__device__ __forceinline__ void store_rows(bf16* to, int64_t step, int row, int rows_there, int dim,
                                           const float (&c)[D / 8][4], const float (&factors)[2],
                                           int lane) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    int at = row + lane / 4 + half * 8;
    if (at >= rows_there) continue;
#pragma unroll
    for (int j = 0; j < D / 8; ++j)
      if (j * 8 < dim)
        *reinterpret_cast<unsigned*>(to + at * step + j * 8 + lane % 4 * 2) =
            pack_bf16(c[j][half * 2] * factors[half], c[j][half * 2 + 1] * factors[half]);
  }
}

// Calls run.operator()<D>() with the smallest D that is at least the head's dim.
template <class Run>
void with_head_dim(int dim, Run run) {
  if (dim <= 32) run.template operator()<32>();
  else if (dim <= 64) run.template operator()<64>();
  else if (dim <= 96) run.template operator()<96>();
  else run.template operator()<128>();
}

}  // namespace afina::AFINA_GPU
