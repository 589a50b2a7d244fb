// adamw: one optimizer pass over one weight, and the gradient norm that clipping needs; and both
// over all weights in one launch, for asynchronous devices.
#pragma once
#include "engine/kernel.h"
#include "engine/step_numbers.h"

namespace afina {

struct AdamWStep {
  float lr, beta1, beta2, eps;
  float decay;              // weight decay of this weight
  float bias1, bias2_root;  // 1 - beta1^t and sqrt(1 - beta2^t), computed in f64
  float gradient_scale;     // from clipping; 1 where nothing is clipped
  float rate = 1.f;         // multiplies lr for this weight
};

// What a step leaves in device memory; the host reads it once.
struct StepRecord {
  double loss = 0.;        // the sum of the losses of all targets
  double squares = 0.;     // the sum of squares of all gradients
  double norm = 0.;        // its square root
  double not_finite = 0.;  // 1 when loss or norm is NaN or infinite; no weight is updated then
  // Clipping's scale and three factors of AdamW, computed once for all weights.
  double scale = 1., rate = 0., shrink = 1., lr = 0.;
};
inline constexpr int64_t record_size = sizeof(StepRecord) / sizeof(double);

// A trained weight in a table in device memory. Statistic dtype (engine/primitives.h) unless it
// says otherwise.
struct WeightRow {
  void *master, *value;  // value: the bf16 copy of master, or master itself
  const void* gradient;
  void *m, *v;               // first and second moment
  int64_t size, first_part;  // elements; number of parts (weight_part elements) in earlier rows
  float decay;
  int32_t rounded;   // is value bf16?
  float rate = 1.f;  // multiplies lr
};
inline constexpr int64_t weight_part = 4096;
inline int64_t weight_parts(int64_t size) { return (size + weight_part - 1) / weight_part; }

// What stays the same from step to step.
struct AdamWOptions {
  float beta1, beta2, eps;
};

namespace kernel {
// AdamW (Loshchilov and Hutter, 2019), element by element, as torch.optim.AdamW: g = gradient ·
// gradient_scale; w *= 1 - lr · rate · decay; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 -
// beta2) g²; w -= lr / bias1 · rate · m / (sqrt(v) / bias2_root + eps). All of statistic dtype
// except value, which is master itself or its bf16 copy and is written in the same pass.
inline constinit Kernel<void(Tensor& master, Tensor& value, const Tensor& gradient, Tensor& m,
                             Tensor& v, const AdamWStep& step)>
    adamw{"adamw"};
// norm (1) f64 = the sum of squares of x: blocks of 4096 elements, each summed in 16 lanes of f64
// and a tree; the blocks are added in order.
inline constinit Kernel<void(Tensor& norm, const Tensor& x)> squared_norm{"squared_norm"};

// For all weights at once, on GPUs. record: a StepRecord as f64 (record_size); table: WeightRows as
// i32; parts: the number of parts in all rows; numbers: StepNumbers as f64; dtype: that of the
// masters. Nothing here depends on what the host knows about a step.
// record.loss = [record.loss +] the sum of losses, by a fixed tree.
inline constinit Kernel<void(Tensor& record, const Tensor& losses, bool first)> add_loss{
    "add_loss"};
// Fills in the rest of the record: sums of squares per part in `squares` f64 (parts), a fixed tree
// over them, and the scale of clipping.
inline constinit Kernel<void(Tensor& record, Tensor& squares, const Tensor& table,
                             const Tensor& numbers, Dtype dtype)>
    gradient_norm{"gradient_norm"};
// AdamW for every row, with the numbers in the record; does nothing when record.not_finite is set.
inline constinit Kernel<void(const Tensor& record, const Tensor& table, int64_t parts,
                             const AdamWOptions& options, Dtype dtype)>
    adamw_all{"adamw_all"};
}  // namespace kernel

}  // namespace afina
