// matmul and matmul2 in f32: each thread holds a tile of the result in registers, so that a value
// read from shared memory serves eight sums. Every element is one chain of fused multiply-adds over
// ascending k, starting at c or 0, and has the CPU's bits.
#include "cuda/matmul_task.cuh"

namespace afina::AFINA_GPU {
namespace {

// A thread computes 4 x 4 elements in each of quads_down x quads_across groups, half a block apart.
template <int threads_down, int threads_across, int quads_down, int quads_across>
struct Blocking {
  static constexpr int down = quads_down, across = quads_across, depth = 16;
  static constexpr int rows = threads_down * quads_down * 4,
                       columns = threads_across * quads_across * 4;
  static constexpr int threads = threads_down * threads_across, wide = threads_across;
  static constexpr int row_step = threads_down * 4, column_step = threads_across * 4;
  static constexpr int ld_a = rows + 4,
                       ld_b = columns + 4;  // rows of shared tiles, padded so that values written
                                            // side by side hit different banks
  static constexpr int copies_a = rows * depth / threads,
                       copies_b = columns * depth / threads;  // elements copied per thread
  static_assert(copies_a * threads == rows * depth && copies_b * threads == columns * depth);
};
using Large = Blocking<16, 16, 2, 2>;  // 128 x 128
using Small = Blocking<8, 16, 2, 1>;   // 64 x 64

struct alignas(16) Quad {
  float v[4];
};

template <class B>
struct Shared {
  float a[2][B::depth][B::ld_a],
      b[2][B::depth][B::ld_b];  // two tiles: one is read while the next is written
};
template <class B>
struct Fetched {
  float a[B::copies_a], b[B::copies_b];
};

// Element i of a tile whose contiguous direction in memory is k (along) or the rows of the result.
template <int width, int depth>
__device__ __forceinline__ void place_of(int i, bool along, int& k, int& row) {
  k = along ? i % depth : i / width;
  row = along ? i / depth : i % width;
}

template <class B>
__device__ __forceinline__ void fetch(Fetched<B>& to, const MatmulTask<float>& p, bool ta, bool tb,
                                      int t, int m0, int n0) {
  int k0;
  const Operands<float> f = operands_of(p, t, B::depth, k0);
#pragma unroll
  for (int i = 0; i < B::copies_a; ++i) {
    int k, row;
    place_of<B::rows, B::depth>(i * B::threads + int(threadIdx.x), !ta, k, row);
    k += k0;
    row += m0;
    to.a[i] =
        k < f.k && row < p.m ? f.a[ta ? int64_t(k) * p.m + row : int64_t(row) * f.k + k] : 0.f;
  }
#pragma unroll
  for (int i = 0; i < B::copies_b; ++i) {
    int k, column;
    place_of<B::columns, B::depth>(i * B::threads + int(threadIdx.x), tb, k, column);
    k += k0;
    column += n0;
    to.b[i] = k < f.k && column < p.n
                  ? f.b[tb ? int64_t(column) * f.k + k : int64_t(k) * p.n + column]
                  : 0.f;
  }
}

template <class B>
__device__ __forceinline__ void store(Shared<B>& s, int buffer, const Fetched<B>& from, bool ta,
                                      bool tb) {
#pragma unroll
  for (int i = 0; i < B::copies_a; ++i) {
    int k, row;
    place_of<B::rows, B::depth>(i * B::threads + int(threadIdx.x), !ta, k, row);
    s.a[buffer][k][row] = from.a[i];
  }
#pragma unroll
  for (int i = 0; i < B::copies_b; ++i) {
    int k, column;
    place_of<B::columns, B::depth>(i * B::threads + int(threadIdx.x), tb, k, column);
    s.b[buffer][k][column] = from.b[i];
  }
}

template <class B>
__device__ __forceinline__ void multiply(float (&c)[B::down * 4][B::across * 4], const Shared<B>& s,
                                         int buffer, int down, int across) {
#pragma unroll
  for (int k = 0; k < B::depth; ++k) {
    Quad a[B::down], b[B::across];
#pragma unroll
    for (int i = 0; i < B::down; ++i)
      a[i] = *reinterpret_cast<const Quad*>(&s.a[buffer][k][i * B::row_step + down * 4]);
#pragma unroll
    for (int j = 0; j < B::across; ++j)
      b[j] = *reinterpret_cast<const Quad*>(&s.b[buffer][k][j * B::column_step + across * 4]);
#pragma unroll
    for (int i = 0; i < B::down * 4; ++i)
#pragma unroll
      for (int j = 0; j < B::across * 4; ++j)
        c[i][j] = fmaf(a[i / 4].v[i % 4], b[j / 4].v[j % 4], c[i][j]);
  }
}

template <class B>
__global__ void __launch_bounds__(B::threads)
    registers_kernel(MatmulTask<float> p, bool ta, bool tb) {
  auto& s = *dynamic_shared<Shared<B>>();
  BlockPlace place((p.m + B::rows - 1) / B::rows, (p.n + B::columns - 1) / B::columns);
  int m0 = place.down * B::rows, n0 = place.across * B::columns, tiles = tiles_of(p, B::depth);
  int down = threadIdx.x / B::wide, across = threadIdx.x % B::wide;
  auto* out = static_cast<float*>(p.c);
  auto row_of = [&](int i) { return m0 + i / 4 * B::row_step + down * 4 + i % 4; };
  auto column_of = [&](int j) { return n0 + j / 4 * B::column_step + across * 4 + j % 4; };
  float c[B::down * 4][B::across * 4];
#pragma unroll
  for (int i = 0; i < B::down * 4; ++i)
#pragma unroll
    for (int j = 0; j < B::across * 4; ++j) {
      int row = row_of(i), column = column_of(j);
      c[i][j] =
          p.accumulate && row < p.m && column < p.n ? out[int64_t(row) * p.ldc + column] : 0.f;
    }
  Fetched<B> next;
  if (tiles) {
    fetch<B>(next, p, ta, tb, 0, m0, n0);
    store<B>(s, 0, next, ta, tb);
  }
  __syncthreads();
  for (int t = 0; t < tiles; ++t) {
    bool more = t + 1 < tiles;
    if (more) fetch<B>(next, p, ta, tb, t + 1, m0, n0);
    multiply<B>(c, s, t % 2, down, across);
    if (more) store<B>(s, (t + 1) % 2, next, ta, tb);
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < B::down * 4; ++i)
#pragma unroll
    for (int j = 0; j < B::across * 4; ++j) {
      int row = row_of(i), column = column_of(j);
      if (row < p.m && column < p.n)
        out[int64_t(row) * p.ldc + column] = c[i][j] + (p.bias ? p.bias[column] : 0.f);
    }
}

void run(const MatmulTask<float>& p, bool ta, bool tb) {
  if (p.m == 0 || p.n == 0) return;
  auto with = [&]<class B>(const B&) {
    dim3 grid(ceil_div(p.m, B::rows) * ceil_div(p.n, B::columns));
    launch(registers_kernel<B>, grid, dim3(B::threads), sizeof(Shared<B>), p, ta, tb);
  };
  if (many_blocks(p.m, p.n)) with(Large());
  else with(Small());
}

void matmul(Tensor& c, const Tensor& a, const Tensor& b, bool ta, bool tb, bool accumulate,
            const Tensor& bias) {
  each_panel(b, tb, [&](const Tensor& panel, Columns at) {
    run(task_of<float>(c, at, a, panel, ta, accumulate, bias), ta, tb);
  });
}
bool takes(const Tensor& c, const Tensor& a, const Tensor&, bool, bool, bool, const Tensor&) {
  return a.dtype() == Dtype::f32 && c.dtype() == Dtype::f32;
}
void matmul2(Tensor& c, const Tensor& a, const Tensor& b, const Tensor& a2, const Tensor& b2,
             bool tb, const Tensor& bias) {
  each_panel(b, tb, [&](const Tensor& panel, Columns at) {
    auto p = task_of<float>(c, at, a, panel, false, false, bias);
    const Tensor other = columns_of(b2, at, tb);
    p.second = {a2.data<float>(), other.data<float>(), int(a2.columns())};
    run(p, false, tb);
  });
}
bool takes2(const Tensor& c, const Tensor& a, const Tensor&, const Tensor&, const Tensor&, bool,
            const Tensor&) {
  return a.dtype() == Dtype::f32 && c.dtype() == Dtype::f32;
}

REGISTER_CUDA(matmul, registers, 20, matmul, takes);
REGISTER_CUDA(matmul2, registers, 20, matmul2, takes2);

}  // namespace
}  // namespace afina::AFINA_GPU
