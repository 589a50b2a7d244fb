// Softmax, loss and its gradient on rows of logits: online softmax, then the gradient in place.
// Gathering and scattering of rows.
#include "engine/ops/cross_entropy.h"

#include "cuda/block.cuh"
#include "cuda/elements.cuh"
#include "cuda/rows.cuh"

namespace afina::AFINA_GPU {
namespace {

// e^x with the hardware's exponential in f32.
__device__ inline float exp_of(float x) { return exp2f(x * log2_e); }
__device__ inline double exp_of(double x) { return math::exp(x); }

// Calls body(i, values of x at i, how many of them exist) for this thread's part of a row; loads
// four vectors at a time.
template <int w, class S, class Body>
__device__ void over_logits(const S* x, int64_t n, bool whole, Body body) {
  constexpr int together = 4;
  const int64_t step = int64_t(blockDim.x) * w;
  for (int64_t first = int64_t(threadIdx.x) * w; first < n; first += together * step) {
    S v[together][w];
#pragma unroll
    for (int k = 0; k < together; ++k)
      if (first + k * step < n) take<w>(v[k], x, first + k * step, n, whole);
#pragma unroll
    for (int k = 0; k < together; ++k) {
      int64_t i = first + k * step;
      if (i < n) body(i, v[k], whole || i + w <= n ? w : int(n - i));
    }
  }
}

// One row per block. Each thread keeps its maximum logit and the sum of exponentials relative to it
// (Milakov and Gimelshein, 2018). kept: the row stays in shared memory between the two passes,
// because long rows in flight exceed the cache. Each thread reads only what it wrote itself.
template <class S, class T, int threads, bool kept>
__global__ void __launch_bounds__(threads)
    softmax_loss_kernel(const S* logits, S* losses, T* dlogits, const int32_t* targets, int64_t n,
                        Number<double> loss_scale, bool whole) {
  constexpr int w = width_of<S, T>;
  int64_t row = blockIdx.x;
  int32_t target = targets[row];
  const S* x = logits + row * n;
  T* d = dlogits ? dlogits + row * n : nullptr;
  if (target < 0) {
    if (threadIdx.x == 0) losses[row] = 0;
    if (d)
      for (int64_t i = threadIdx.x; i < n; i += blockDim.x) store(d + i, sum_of<T>(0));
    return;
  }
  S wanted = x[target], most = x[0], sum = 0, *row_here = kept ? dynamic_shared<S>() : nullptr;
  over_logits<w>(x, n, whole, [&](int64_t i, S(&v)[w], int count) {
    if (kept) put<w>(row_here, v, i, n, whole);
    S greatest = most;
    for (int j = 0; j < w; ++j)
      if (j < count) greatest = math::v_max(v[j], greatest);
    sum = sum * exp_of(most - greatest);
    most = greatest;
    for (int j = 0; j < w; ++j)
      if (j < count) sum += exp_of(v[j] - most);
  });
  S greatest = row_max(most);
  sum = row_sum(sum * exp_of(most - greatest));
  if (threadIdx.x == 0) losses[row] = math::log(sum) + (greatest - wanted);
  if (!d) return;
  S scale = S(loss_scale.get()), inverse = S(1) / sum, factor = inverse * scale;
  over_logits<w>(kept ? row_here : x, n, whole, [&](int64_t i, S(&v)[w], int) {
    for (int j = 0; j < w; ++j) {
      S e = exp_of(v[j] - greatest);
      v[j] = i + j == target ? (e * inverse - S(1)) * scale : e * factor;
    }
    put<w>(d, v, i, n, whole);
  });
}

void softmax_loss(Tensor& logits, Tensor& losses, Tensor& dlogits, const Tensor& targets,
                  Number<double> scale) {
  with_types(logits.dtype(), dlogits ? dlogits.dtype() : logits.dtype(),
             [&](auto* logit_type, auto* type) {
               using S = sum_of<pointed<decltype(logit_type)>>;
               using T = pointed<decltype(type)>;
               const S* x = logits.data<S>();
               T* d = dlogits ? dlogits.data<T>() : nullptr;
               int64_t n = logits.columns();
               const bool all = whole(n, width_of<S, T>, x, d);
               const size_t row = size_t(n) * sizeof(S),
                            others = 1 << 10;  // others: shared memory used by the block's sums
               if constexpr (std::is_same_v<S, float>)
                 if (d && n > 16384 && row + others <= most_shared())
                   return launch(softmax_loss_kernel<S, T, 1024, true>, unsigned(logits.rows()),
                                 1024, row, x, losses.data<S>(), d, targets.data<int32_t>(), n,
                                 scale, all);
               constexpr int most = sizeof(S) == 8 ? 256 : 512;  // f64 needs twice the registers
               const int threads = n <= 1024 ? 64 : n <= 8192 ? 256 : most;
               launch(softmax_loss_kernel<S, T, most, false>, unsigned(logits.rows()), threads, 0,
                      x, losses.data<S>(), d, targets.data<int32_t>(), n, scale, all);
             });
}

// One warp per sequence. It counts the targets of earlier sequences to find its first index. The
// last warp fills the rest.
__global__ void rows_with_target_kernel(int32_t* rows, int32_t* wanted, int64_t room,
                                        const int32_t* targets, int64_t sequences, int64_t length) {
  int64_t sequence = my_row(), at = 0;
  if (sequence >= sequences) return;
  int lane = int(threadIdx.x);
  auto keep = [&](int64_t place, int32_t row, int32_t target) {
    if (place < room) {
      rows[place] = row;
      wanted[place] = target;
    }
  };
  for (int64_t s = 0; s <= sequence; ++s) {
    for (int64_t base = 0; base < length; base += warp) {
      int64_t i = s * length + base + lane;
      int32_t target = base + lane < length ? targets[i] : -1;
      unsigned found = __ballot_sync(0xffffffffu, target >= 0);
      if (s == sequence && target >= 0)
        keep(at + __popc(found & ((1u << lane) - 1)), int32_t(i), target);
      at += __popc(found);
    }
    if (at % 2 && s == sequence && lane == 0) keep(at, -1, -1);
    at += at % 2;
  }
  if (sequence == sequences - 1)
    for (int64_t place = at + lane; place < room; place += warp) keep(place, -1, -1);
}
void rows_with_target(Tensor& rows, Tensor& wanted, const Tensor& targets) {
  int64_t length = targets.columns(), sequences = targets.rows();
  launch(rows_with_target_kernel, unsigned(ceil_div(sequences, 4)), dim3(warp, 4), 0,
         rows.data<int32_t>(), wanted.data<int32_t>(), rows.size(), targets.data<const int32_t>(),
         sequences, length);
}

void gather_rows(Tensor& y, const Tensor& x, const Tensor& rows) {
  int64_t element = int64_t(size_of(x.dtype())), width = y.size() / rows.size() * element;
  copy_rows(y.data<void>(), x.data<void>(),
            {nullptr, rows.data<int32_t>(), width, width, width, rows.size()}, size_t(element));
}
void scatter_rows(Tensor& y, const Tensor& x, const Tensor& rows) {
  int64_t element = int64_t(size_of(x.dtype())), width = x.size() / rows.size() * element;
  copy_rows(y.data<void>(), x.data<void>(),
            {rows.data<int32_t>(), nullptr, width, width, width, rows.size()}, size_t(element));
}

REGISTER_CUDA(softmax_loss, block_per_row, 0, softmax_loss);
REGISTER_CUDA(rows_with_target, warp_per_sequence, 0, rows_with_target);
REGISTER_CUDA(gather_rows, row_copy, 0, gather_rows);
REGISTER_CUDA(scatter_rows, row_copy, 0, scatter_rows);

}  // namespace
}  // namespace afina::AFINA_GPU
