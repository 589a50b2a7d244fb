// Fills the attention slots with flash attention: chooses the kernels, and computes delta = the sum
// of dout · o that backward needs first.
#include "cuda/block.cuh"
#include "cuda/flash.cuh"

namespace afina::AFINA_GPU {
namespace {

// One warp per row.
template <class T>
__global__ void delta_kernel(float* delta, const T* dout, const T* o, int64_t rows, int dim) {
  int64_t row = (int64_t(blockIdx.x) * blockDim.x + threadIdx.x) / warp;
  if (row >= rows) return;
  float sum = 0.f;
  for (int i = threadIdx.x % warp; i < dim; i += warp) {
    if constexpr (std::is_same_v<T, bf16>)
      sum = fmaf(to_float(dout[row * dim + i]), to_float(o[row * dim + i]), sum);
    else sum = fmaf(dout[row * dim + i], o[row * dim + i], sum);
  }
  sum = warp_sum(sum);
  if (threadIdx.x % warp == 0) delta[row] = sum;
}

void attention(Tensor& o, Tensor& lse, const Tensor& q, const Tensor& k, const Tensor& v,
               const Tensor& starts, AttentionForm form) {
  int batch = int(q.shape()[0]);
  if (q.dtype() == Dtype::bf16)
    flash_forward_bf16({q, k, v, starts, form.scale}, batch, o.data<bf16>(), lse.data<float>());
  else if (q.dtype() == Dtype::f32)
    flash_forward_f32({q, k, v, starts, form.scale}, batch, o.data<float>(), lse.data<float>());
  else unsupported_dtype("attention", q.dtype());
}

template <class T>
Slopes<T> slopes(Tensor& dq, Tensor& dk, Tensor& dv, const Tensor& dout, const Tensor& o,
                 const Tensor& lse, const Tensor& delta) {
  constexpr int threads = 128;
  launch(delta_kernel<T>, dim3(ceil_div(lse.size() * warp, threads)), dim3(threads), 0,
         delta.data<float>(), dout.data<T>(), o.data<T>(), lse.size(), int(o.columns()));
  return {dout.data<T>(), lse.data<float>(), delta.data<float>(),
          dq.data<T>(),   dk.data<T>(),      dv.data<T>()};
}
void attention_backward(Tensor& dq, Tensor& dk, Tensor& dv, const Tensor& dout, const Tensor& o,
                        const Tensor& lse, const Tensor& q, const Tensor& k, const Tensor& v,
                        const Tensor& starts, AttentionForm form) {
  PurposeScope purpose(Purpose::workspace);
  Tensor delta = like(lse);
  int batch = int(q.shape()[0]);
  if (q.dtype() == Dtype::bf16)
    flash_backward_bf16({q, k, v, starts, form.scale}, batch,
                        slopes<bf16>(dq, dk, dv, dout, o, lse, delta));
  else if (q.dtype() == Dtype::f32)
    flash_backward_f32({q, k, v, starts, form.scale}, batch,
                       slopes<float>(dq, dk, dv, dout, o, lse, delta));
  else unsupported_dtype("attention_backward", q.dtype());
}

// Windows and capped scores are the plain kernel's (cuda/attention.cu). For bf16, rows must begin
// at multiples of 16 bytes, because asynchronous copies load them.
bool takes_heads(const Tensor& q, const Tensor& k, const Tensor& v) {
  auto aligned = [](const Tensor& t) {
    return reinterpret_cast<uintptr_t>(t.data<void>()) % 16 == 0;
  };
  if (q.columns() > 128) return false;
  return q.dtype() == Dtype::f32 || (q.dtype() == Dtype::bf16 && q.columns() % 8 == 0 &&
                                     aligned(q) && aligned(k) && aligned(v));
}
bool takes(const Tensor&, const Tensor&, const Tensor& q, const Tensor& k, const Tensor& v,
           const Tensor&, AttentionForm form) {
  return form.plain() && takes_heads(q, k, v);
}
bool takes_backward(const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&,
                    const Tensor&, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor&,
                    AttentionForm form) {
  return form.plain() && takes_heads(q, k, v);
}

REGISTER_CUDA(attention, flash, 20, attention, takes);
REGISTER_CUDA(attention_backward, flash, 20, attention_backward, takes_backward);

}  // namespace
}  // namespace afina::AFINA_GPU
