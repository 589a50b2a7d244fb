// AdamW (Loshchilov and Hutter, 2019) in one pass over master, gradient and moments: for one
// weight, or for all weights in one launch.
#include "engine/ops/adamw.h"

#include "cuda/adamw.cuh"
#include "cuda/weights.cuh"

namespace afina::AFINA_GPU {
namespace {

// The same from the step's record in device memory.
template <class S>
__device__ Constants<S> recorded_constants(const StepRecord& record, const AdamWOptions& o,
                                           const WeightRow& row) {
  double beta1 = double(o.beta1), beta2 = double(o.beta2), own = double(row.rate);
  return {S(1. - record.lr * own * double(row.decay)),
          S(record.rate * own),
          S(float(record.scale)),
          S(o.eps),
          S(beta1),
          S(1. - beta1),
          S(beta2),
          S(1. - beta2),
          S(record.shrink)};
}

// Elements i .. i + w of one weight, of which those at n and beyond do not exist.
template <class S, class Value>
__device__ void move(S* master, Value* value, const S* gradient, S* m, S* v, int64_t i, int64_t n,
                     const Constants<S>& c, bool whole) {
  constexpr int w = width_of<S>;
  S weight[w], g[w], first[w], second[w];
  take<w>(weight, master, i, n, whole), take<w>(g, gradient, i, n, whole);
  take<w>(first, m, i, n, whole), take<w>(second, v, i, n, whole);
  for (int j = 0; j < w; ++j) move_one(weight[j], first[j], second[j], g[j], c);
  put<w>(m, first, i, n, whole), put<w>(v, second, i, n, whole),
      put<w>(master, weight, i, n, whole);
  if constexpr (!std::is_same_v<S, Value>) put<w>(value, weight, i, n, whole);
}

template <class S, class Value>
__global__ void adamw_kernel(S* master, Value* value, const S* gradient, S* m, S* v, int64_t n,
                             Constants<S> c, bool whole) {
  int64_t i = my_elements<width_of<S>>();
  if (i < n) move(master, value, gradient, m, v, i, n, c, whole);
}

template <class S, class Value>
void step_of(Tensor& master, Tensor& value, const Tensor& gradient, Tensor& m, Tensor& v,
             const AdamWStep& step) {
  S *weight = master.data<S>(), *first = m.data<S>(), *second = v.data<S>();
  Value* rounded = value.data<Value>();
  const S* slope = gradient.data<S>();
  constexpr int w = width_of<S>;
  int64_t n = master.size();
  launch(adamw_kernel<S, Value>, grid_of(n, w), element_threads, 0, weight, rounded, slope, first,
         second, n, constants_of<S>(step), whole(n, w, weight, rounded, slope, first, second));
}

void adamw(Tensor& master, Tensor& value, const Tensor& gradient, Tensor& m, Tensor& v,
           const AdamWStep& step) {
  auto are = [&](Dtype a, Dtype b) { return master.dtype() == a && value.dtype() == b; };
  if (are(Dtype::f64, Dtype::f64)) step_of<double, double>(master, master, gradient, m, v, step);
  else if (are(Dtype::f32, Dtype::bf16)) step_of<float, bf16>(master, value, gradient, m, v, step);
  else if (are(Dtype::f32, Dtype::f32)) step_of<float, float>(master, master, gradient, m, v, step);
  else unsupported_dtypes("adamw", master.dtype(), value.dtype());
}

// One block per part of a weight. The step's record says whether to update and with which numbers.
template <class S>
__global__ void adamw_all_kernel(const WeightRow* table, int64_t rows, const StepRecord* record,
                                 AdamWOptions options) {
  constexpr int w = width_of<S>;
  if (record->not_finite != 0.) return;
  const WeightRow& row = row_of_part(table, rows, blockIdx.x);
  Constants<S> c = recorded_constants<S>(*record, options, row);
  S *master = static_cast<S*>(row.master), *m = static_cast<S*>(row.m), *v = static_cast<S*>(row.v);
  const S* gradient = static_cast<const S*>(row.gradient);
  int64_t n = row.size, first = (blockIdx.x - row.first_part) * weight_part,
          end = first + weight_part < n ? first + weight_part : n;
  auto over = [&](auto* value) {
    bool whole = all_whole(n, w, master, value, gradient, m, v);
    for (int64_t i = first + int64_t(threadIdx.x) * w; i < end; i += int64_t(blockDim.x) * w)
      move(master, value, gradient, m, v, i, n, c, whole);
  };
  if constexpr (std::is_same_v<S, float>)
    if (row.rounded) return over(static_cast<bf16*>(row.value));
  over(master);
}

void adamw_all(const Tensor& record, const Tensor& table, int64_t parts,
               const AdamWOptions& options, Dtype of) {
  with_type(of, [&](auto* type) {
    using S = sum_of<pointed<decltype(type)>>;
    launch(adamw_all_kernel<S>, unsigned(parts), element_threads, 0, table.data<const WeightRow>(),
           rows_of(table), record.data<const StepRecord>(), options);
  });
}

REGISTER_CUDA(adamw, vector_per_thread, 0, adamw);
REGISTER_CUDA(adamw_all, block_per_part, 0, adamw_all);

}  // namespace
}  // namespace afina::AFINA_GPU
