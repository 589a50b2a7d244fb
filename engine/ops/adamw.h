// adamw: one pass of the optimizer over one weight, and the norm that clipping needs; and both over
// all weights at once, for devices that are not to be waited for.
#pragma once
#include "engine/kernel.h"
#include "engine/step_numbers.h"

namespace afina {

struct AdamWStep {
  float lr, beta1, beta2, eps;
  float decay;              // weight decay of this weight: 0 for vectors
  float bias1, bias2_root;  // 1 - beta1^t and sqrt(1 - beta2^t), computed in f64
  float gradient_scale;     // from clipping; 1 when it does nothing
};

// What the step says of itself, in device memory: read back once.
struct StepRecord {
  double loss = 0.;        // the sum of the losses of all targets
  double squares = 0.;     // of the gradient of all weights
  double norm = 0.;        // its root
  double not_finite = 0.;  // 1 when loss or norm is NaN or infinite: nothing is moved then
  double scale = 1., rate = 0., shrink = 1.,
         lr = 0.;  // of clipping and of AdamW, worked out once for all weights
};
inline constexpr int64_t record_size = sizeof(StepRecord) / sizeof(double);

// A trained weight in a table in device memory.
struct WeightRow {
  void *master, *value;  // f32 (f64), and its bf16 copy or the same
  const void* gradient;  // f32 (f64)
  void *m, *v;
  int64_t size, first_part;  // parts of weight_part elements in the rows before
  float decay;
  int32_t rounded;  // is value bf16?
};
inline constexpr int64_t weight_part = 4096;
inline int64_t weight_parts(int64_t size) { return (size + weight_part - 1) / weight_part; }

// What stays the same from step to step.
struct AdamWOptions {
  float beta1, beta2, eps;
};

namespace kernel {
// AdamW (Loshchilov and Hutter, 2019), element by element, as torch.optim.AdamW: g = gradient ·
// gradient_scale; w *= 1 - lr · decay; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g²; w
// -= lr / bias1 · m / (sqrt(v) / bias2_root + eps). All f32 (f64) but value, which is master itself
// or its bf16 copy and is refreshed in the same pass.
inline constinit Kernel<void(Tensor& master, Tensor& value, const Tensor& gradient, Tensor& m,
                             Tensor& v, const AdamWStep& step)>
    adamw{"adamw"};
// norm (1) f64 = the sum of squares of x: blocks of 4096 elements, 16 lanes of f64 each and a tree,
// blocks added in order.
inline constinit Kernel<void(Tensor& norm, const Tensor& x)> squared_norm{"squared_norm"};

// Of all weights at once, for GPUs. record: a StepRecord as f64 (record_size); table: WeightRow by
// WeightRow, i32; parts: of all rows together; numbers: StepNumbers, as f64; `of` the masters'
// dtype. Nothing here depends on what the host knows of a step. record.loss = [record.loss +] the
// sum of losses, by a fixed tree.
inline constinit Kernel<void(Tensor& record, const Tensor& losses, bool first)> add_loss{
    "add_loss"};
// The rest of the record: squares part by part into `squares` f64 (parts), then a fixed tree; the
// scale of clipping.
inline constinit Kernel<void(Tensor& record, Tensor& squares, const Tensor& table,
                             const Tensor& numbers, Dtype of)>
    gradient_norm{"gradient_norm"};
// AdamW for every row, with the numbers of the record; nothing when they are not finite.
inline constinit Kernel<void(const Tensor& record, const Tensor& table, int64_t parts,
                             const AdamWOptions& options, Dtype of)>
    adamw_all{"adamw_all"};
}  // namespace kernel

}  // namespace afina
