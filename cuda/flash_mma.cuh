// The two products of flash attention on tensor cores: rows by rows, and weights in registers by
// rows.
#pragma once
#include "cuda/flash.cuh"
#include "cuda/mma.cuh"

namespace afina::AFINA_GPU {

// c (16 tiles, columns): fragments that a warp holds, 16 rows one under the other.
template <int tiles, int columns>
struct Warp {
  float c[tiles][columns / 8][4];
};

// c = rows `row` .. of a times the rows of b, along D.
template <int tiles, int columns, int D>
__device__ __forceinline__ void row_products(Warp<tiles, columns>& to, const Tile<D>& a, int row,
                                             const Tile<D>& b, int lane) {
  to = {};
#pragma unroll
  for (int d = 0; d < D; d += 16) {
    unsigned of_a[tiles][4];
#pragma unroll
    for (int i = 0; i < tiles; ++i)
      a.template rows_first<false>(of_a[i], row + i * 16, d / 8, lane);
#pragma unroll
    for (int j = 0; j < columns / 16; ++j) {
      unsigned of_b[4];
      b.template columns_first<false>(of_b, j * 16, d / 8, lane);
#pragma unroll
      for (int i = 0; i < tiles; ++i) {
        mma(to.c[i][2 * j], of_a[i], of_b[0], of_b[1]);
        mma(to.c[i][2 * j + 1], of_a[i], of_b[2], of_b[3]);
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
      unsigned of_b[4];
      b.template rows_first<true>(of_b, k * 16, j * 2, lane);
#pragma unroll
      for (int i = 0; i < tiles; ++i) {
        mma(to.c[i][2 * j], a[i], of_b[0], of_b[1]);
        mma(to.c[i][2 * j + 1], a[i], of_b[2], of_b[3]);
      }
    }
  }
}

// Stores 16 rows, each times its factor: by[0] for row g of the warp's 16, by[1] for row g + 8.
template <int D>
__device__ __forceinline__ void store_rows(bf16* to, int64_t step, int row, int rows_there, int dim,
                                           const float (&c)[D / 8][4], const float (&by)[2],
                                           int lane) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    int at = row + lane / 4 + half * 8;
    if (at >= rows_there) continue;
#pragma unroll
    for (int j = 0; j < D / 8; ++j)
      if (j * 8 < dim)
        *reinterpret_cast<unsigned*>(to + at * step + j * 8 + lane % 4 * 2) =
            pack_bf16(c[j][half * 2] * by[half], c[j][half * 2 + 1] * by[half]);
  }
}

// Calls run.operator()<D>() with the least D that holds a head.
template <class Run>
void with_head_dim(int dim, Run run) {
  if (dim <= 32) run.template operator()<32>();
  else if (dim <= 64) run.template operator()<64>();
  else if (dim <= 96) run.template operator()<96>();
  else run.template operator()<128>();
}

}  // namespace afina::AFINA_GPU
