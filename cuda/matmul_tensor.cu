// matmul and matmul2 in bf16 on tensor cores: asynchronous copies load tiles several stages ahead
// of the multiplication.
#include "cuda/matmul_task.cuh"
#include "cuda/mma.cuh"

namespace afina::AFINA_GPU {
namespace {

// A block computes rows x columns of c, a warp warp_rows x warp_columns of them; k advances by
// `depth`, and `stages` tiles are in shared memory.
template <int rows_, int columns_, int depth_, int stages_, int warps_down, int warps_across>
struct Blocking {
  static constexpr int rows = rows_, columns = columns_, depth = depth_, stages = stages_,
                       across = warps_across;
  static constexpr int threads = 32 * warps_down * warps_across;
  static constexpr int warp_rows = rows / warps_down, warp_columns = columns / warps_across;
  static constexpr int stage = (rows + columns) * depth;  // elements
  static constexpr size_t shared = size_t(stages) * stage * sizeof(bf16);
};
using Large = Blocking<128, 128, 32, 4, 2, 4>;
using Small = Blocking<64, 64, 32, 3, 2, 2>;

template <int tile_rows, int tile_columns, class B, bool aligned>
__device__ __forceinline__ void load(bf16* to, const bf16* from, int64_t ld, int rows_there,
                                     int columns_there) {
  Tile<tile_columns> tile{to};
  if constexpr (aligned)
    tile.template load<tile_rows, B::threads>(from, ld, rows_there, columns_there);
  else tile.template load_slowly<tile_rows, B::threads>(from, ld, rows_there, columns_there);
}

// Starts the copy of tile t of both operands.
template <class B, bool ta, bool tb, bool aligned>
__device__ __forceinline__ void load_stage(const MatmulTask<bf16>& p, bf16* stages, int t, int m0,
                                           int n0) {
  int k0;
  const Operands<bf16> f = operands_of(p, t, B::depth, k0);
  bf16 *to_a = stages + t % B::stages * B::stage, *to_b = to_a + B::rows * B::depth;
  if constexpr (ta)
    load<B::depth, B::rows, B, aligned>(to_a, f.a + int64_t(k0) * p.m + m0, p.m, f.k - k0,
                                        p.m - m0);
  else
    load<B::rows, B::depth, B, aligned>(to_a, f.a + int64_t(m0) * f.k + k0, f.k, p.m - m0,
                                        f.k - k0);
  if constexpr (tb)
    load<B::columns, B::depth, B, aligned>(to_b, f.b + int64_t(n0) * f.k + k0, f.k, p.n - n0,
                                           f.k - k0);
  else
    load<B::depth, B::columns, B, aligned>(to_b, f.b + int64_t(k0) * p.n + n0, p.n, f.k - k0,
                                           p.n - n0);
}

template <class B>
struct Sums {
  static constexpr int down = B::warp_rows / 16, across = B::warp_columns / 8;
  float c[down][across][4];
};

// One stage: sums += a b, 16 of k at a time.
template <class B, bool ta, bool tb>
__device__ __forceinline__ void multiply(Sums<B>& sums, const bf16* stage, int m0, int n0,
                                         int lane) {
  Tile<ta ? B::rows : B::depth> a{const_cast<bf16*>(stage)};
  Tile<tb ? B::depth : B::columns> b{const_cast<bf16*>(stage) + B::rows * B::depth};
#pragma unroll
  for (int k = 0; k < B::depth; k += 16) {
    unsigned fragment_a[Sums<B>::down][4], fragment_b[Sums<B>::across / 2][4];
#pragma unroll
    for (int i = 0; i < Sums<B>::down; ++i)
      if constexpr (ta) a.template columns_first<true>(fragment_a[i], k, (m0 + i * 16) / 8, lane);
      else a.template rows_first<false>(fragment_a[i], m0 + i * 16, k / 8, lane);
#pragma unroll
    for (int j = 0; j < Sums<B>::across / 2; ++j)
      if constexpr (tb) b.template columns_first<false>(fragment_b[j], n0 + j * 16, k / 8, lane);
      else b.template rows_first<true>(fragment_b[j], k, (n0 + j * 16) / 8, lane);
#pragma unroll
    for (int i = 0; i < Sums<B>::down; ++i)
#pragma unroll
      for (int j = 0; j < Sums<B>::across; ++j)
        mma(sums.c[i][j], fragment_a[i], fragment_b[j / 2][j % 2 * 2],
            fragment_b[j / 2][j % 2 * 2 + 1]);
  }
}

__device__ __forceinline__ void put_one(const MatmulTask<bf16>& p, int64_t at, int column,
                                        float value) {
  if (p.bias) value += p.bias[column];
  if (p.c_f32) {
    float* c = static_cast<float*>(p.c) + at;
    *c = p.accumulate ? *c + value : value;
  } else {
    bf16* c = static_cast<bf16*>(p.c) + at;
    *c = to_bf16(p.accumulate ? to_float(*c) + value : value);
  }
}
// Stores two neighbours of row `row`, from an even column on.
__device__ __forceinline__ void put_two(const MatmulTask<bf16>& p, int row, int column, float x,
                                        float y) {
  if (row >= p.m || column >= p.n) return;
  int64_t at = int64_t(row) * p.ldc + column;
  if (!p.pairs) {
    put_one(p, at, column, x);
    if (column + 1 < p.n) put_one(p, at + 1, column + 1, y);
    return;
  }
  if (p.bias) {
    x += p.bias[column];
    y += p.bias[column + 1];
  }
  if (p.c_f32) {
    auto* c = reinterpret_cast<TwoFloats*>(static_cast<float*>(p.c) + at);
    TwoFloats before = p.accumulate ? *c : TwoFloats{0.f, 0.f};
    *c = {before.x + x, before.y + y};
  } else {
    auto* c = reinterpret_cast<unsigned*>(static_cast<bf16*>(p.c) + at);
    if (p.accumulate) {
      unsigned before = *c;
      x += low_bf16(before);
      y += high_bf16(before);
    }
    *c = pack_bf16(x, y);
  }
}

template <class B, bool ta, bool tb, bool aligned>
__global__ void __launch_bounds__(B::threads) tensor_kernel(MatmulTask<bf16> p) {
  bf16* stages = dynamic_shared<bf16>();
  BlockPlace place((p.m + B::rows - 1) / B::rows, (p.n + B::columns - 1) / B::columns);
  int m0 = place.down * B::rows, n0 = place.across * B::columns, tiles = tiles_of(p, B::depth);
  int lane = threadIdx.x % 32, w = threadIdx.x / 32, warp_m = w / B::across * B::warp_rows,
      warp_n = w % B::across * B::warp_columns;
  Sums<B> sums{};
#pragma unroll
  for (int t = 0; t < B::stages - 1; ++t) {
    if (t < tiles) load_stage<B, ta, tb, aligned>(p, stages, t, m0, n0);
    copy_async_commit();
  }
  for (int t = 0; t < tiles; ++t) {
    copy_async_wait<B::stages - 2>();
    // All threads see tile t, and all have finished tile t - 1, whose buffer the next copy
    // overwrites.
    __syncthreads();
    int ahead = t + B::stages - 1;
    if (ahead < tiles) load_stage<B, ta, tb, aligned>(p, stages, ahead, m0, n0);
    copy_async_commit();
    multiply<B, ta, tb>(sums, stages + t % B::stages * B::stage, warp_m, warp_n, lane);
  }
  copy_async_wait<0>();
  int row = m0 + warp_m + lane / 4, column = n0 + warp_n + lane % 4 * 2;
#pragma unroll
  for (int i = 0; i < Sums<B>::down; ++i)
#pragma unroll
    for (int j = 0; j < Sums<B>::across; ++j) {
      put_two(p, row + i * 16, column + j * 8, sums.c[i][j][0], sums.c[i][j][1]);
      put_two(p, row + i * 16 + 8, column + j * 8, sums.c[i][j][2], sums.c[i][j][3]);
    }
}

template <class B, bool ta, bool tb, bool aligned>
void run(const MatmulTask<bf16>& p) {
  launch(tensor_kernel<B, ta, tb, aligned>,
         dim3(ceil_div(p.m, B::rows) * ceil_div(p.n, B::columns)), dim3(B::threads), B::shared, p);
}
template <bool ta, bool tb>
void run_form(const MatmulTask<bf16>& p) {
  auto fits = [&](const Operands<bf16>& f) {
    return (ta ? p.m : f.k) % 8 == 0 && (tb ? f.k : p.n) % 8 == 0 && is_aligned(f.a, 16) &&
           is_aligned(f.b, 16);
  };
  if (p.m == 0 || p.n == 0) return;
  if (!fits(p.first) || (p.second.k && !fits(p.second))) run<Small, ta, tb, false>(p);
  else if (many_blocks(p.m, p.n)) run<Large, ta, tb, true>(p);
  else run<Small, ta, tb, true>(p);
}

void matmul(Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb, bool accumulate,
            const Tensor& bias) {
  each_panel(b, tb, [&](const Tensor& panel, Columns at) {
    auto p = task_of<bf16>(c, at, a, panel, ta, accumulate, bias);
    if (ta) run_form<true, false>(p);
    else if (tb) run_form<false, true>(p);
    else run_form<false, false>(p);
  });
}
// No layer needs the form with both operands transposed.
bool takes(const Tensor& c, const Tensor& a, const Tensor&, bool ta, bool tb, bool,
           const Tensor& bias) {
  return a.dtype() == Dtype::bf16 && (c.dtype() == Dtype::bf16 || c.dtype() == Dtype::f32) &&
         !(ta && tb) && (!bias || bias.dtype() == Dtype::f32);
}

void matmul2(Tensor& c, const Tensor& a, const Tensor& b, const Tensor& a2, const Tensor& b2,
             bool tb, const Tensor& bias) {
  each_panel(b, tb, [&](const Tensor& panel, Columns at) {
    auto p = task_of<bf16>(c, at, a, panel, false, false, bias);
    const Tensor other = columns_of(b2, at, tb);
    p.second = {a2.data<bf16>(), other.data<bf16>(), int(a2.columns())};
    if (tb) run_form<false, true>(p);
    else run_form<false, false>(p);
  });
}
bool takes2(const Tensor& c, const Tensor& a, const Tensor& b, const Tensor&, const Tensor&,
            bool tb, const Tensor& bias) {
  return takes(c, a, b, false, tb, false, bias);
}

REGISTER_CUDA(matmul, tensor, 30, matmul, takes);
REGISTER_CUDA(matmul2, tensor, 30, matmul2, takes2);

}  // namespace
}  // namespace afina::AFINA_GPU
