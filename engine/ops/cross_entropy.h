// cross_entropy: the head and the loss in one, chunk of rows after chunk of rows, so that the
// logits are never held whole.
#pragma once
#include "engine/ops.h"
#include "engine/step_numbers.h"

namespace afina {

namespace kernel {
// logits f32 (f64) (rows, vocabulary) in place: losses[i] = log sum exp - logit of the target;
// then, when dlogits is not empty, dlogits (x's dtype; may be logits itself when it is of the same
// dtype) = (softmax - onehot) · scale. A target of -1 gives loss 0 and a row of zeros.
inline constinit Kernel<void(Tensor& logits, Tensor& losses, Tensor& dlogits, const Tensor& targets,
                             Number<double> scale)>
    softmax_loss{"softmax_loss"};
// y (count, n) = x[rows[i]], zeros where rows[i] is -1; and its reverse y[rows[i]] = x[i], other
// rows untouched.
inline constinit Kernel<void(Tensor& y, const Tensor& x, const Tensor& rows)> gather_rows{
    "gather_rows"};
inline constinit Kernel<void(Tensor& y, const Tensor& x, const Tensor& rows)> scatter_rows{
    "scatter_rows"};
// total (1) = scale · the sum of the losses, added in f64 in order.
inline constinit Kernel<void(Tensor& total, const Tensor& losses, Number<double> scale)> sum_losses{
    "sum_losses"};
// The numbers of the rows that have a target and their targets, an even number of each sequence
// (row -1, target -1 where one is added), and -1 up to the end of rows and wanted i32 (count).
// targets (B, T). For GPUs: it reads no host's memory, so that it holds for other targets when a
// step is replayed.
inline constinit Kernel<void(Tensor& rows, Tensor& wanted, const Tensor& targets)> rows_with_target{
    "rows_with_target"};
}  // namespace kernel

// How many rows the head computes on a GPU of these targets: those that rows_with_target finds,
// rounded up so that few numbers exist, and few graphs of steps with them.
int64_t rounded_target_rows(const std::vector<int32_t>& targets, int64_t length);

// By primitives: the mean over targets of log sum exp(x Wᵀ) - logit of the target, times the number
// of targets, times scale.
inline Tensor cross_entropy_definition(const Tensor& x, const Tensor& weight, const Tensor& targets,
                                       double scale) {
  Tensor flat = reshape(x, {x.rows(), x.columns()}), logits = matmul(flat, weight, false, true);
  auto wanted = targets.integers();
  std::vector<float> one(size_t(logits.size()), 0.f), counts(wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i] >= 0) {
      one[i * size_t(weight.rows()) + size_t(wanted[i])] = 1.f;
      counts[i] = 1.f;
    }
  Tensor each = log(sum_columns(exp(logits))) -
                sum_columns(logits * Tensor::from(one, logits.shape(), x.dtype(), x.device()));
  return sum(each * Tensor::from(counts, {x.rows(), 1}, x.dtype(), x.device())) * scale;
}

struct Loss {
  Tensor total;   // (1), f32 (f64): scale · the sum of the losses of all targets; recorded
  Tensor losses;  // (rows), f32 (f64): the loss of each row, 0 where there is no target
};

// x (B, T, n), weight (vocabulary, n), targets i32 (B, T) with -1 for none, scale: 1 / the targets
// of the whole step. Only rows with a target are computed, and an even number of them per sequence
// (a row of zeros is added), so that bf16 pairs never straddle sequences; a multiple of 32 where
// bf16 is summed by tiles and the head is trained. While a tape records, gradients are made in the
// same pass and the weight's is added to its sum at once; backward must then start from 1.
Loss cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& targets, double scale);

}  // namespace afina
