// cross_entropy: the output head and its loss as one operation, in chunks of rows, so that the full
// matrix of logits is never held.
#pragma once
#include "engine/ops.h"
#include "engine/step_numbers.h"

namespace afina {

namespace kernel {
// losses[i] = log sum exp(logits[i]) - logit of the target. logits (rows, vocabulary), overwritten,
// and losses (rows): statistic dtype; targets i32 (rows). Unless dlogits is empty, also dlogits =
// (softmax - onehot) · scale in x's dtype; it may be logits itself where the dtypes agree and, on
// the CPU, bf16 written over f32 logits (Tensor::reused). A target of -1 gives loss 0 and a row of
// zeros.
inline constinit Kernel<void(Tensor& logits, Tensor& losses, Tensor& dlogits, const Tensor& targets,
                             Number<double> scale)>
    softmax_loss{"softmax_loss"};
// y[i] = x[rows[i]], or zeros where rows[i] is -1: y (count, n), rows i32 (count). And the reverse,
// y[rows[i]] = x[i], which leaves the other rows of y as they are.
inline constinit Kernel<void(Tensor& y, const Tensor& x, const Tensor& rows)> gather_rows{
    "gather_rows"};
inline constinit Kernel<void(Tensor& y, const Tensor& x, const Tensor& rows)> scatter_rows{
    "scatter_rows"};
// total (1) = scale · the sum of the losses, added in order in f64; statistic dtype.
inline constinit Kernel<void(Tensor& total, const Tensor& losses, Number<double> scale)> sum_losses{
    "sum_losses"};
// rows, wanted i32 (count) = the indices of the rows that have a target, and their targets. Each
// sequence contributes an even number of entries (one of -1 is added if necessary), and -1 fills up
// the end. targets i32 (B, T). For GPUs: needs no values on the host, so that a replayed step works
// for other targets.
inline constinit Kernel<void(Tensor& rows, Tensor& wanted, const Tensor& targets)> rows_with_target{
    "rows_with_target"};
}  // namespace kernel

// The number of rows that the head computes on a GPU: those that rows_with_target finds, rounded up
// so that few different counts occur, and with them few kinds of steps to capture. targets: all
// rows' (-1 for none), of sequences of `length`.
int64_t rounded_target_rows(const std::vector<int32_t>& targets, int64_t length);

// A low-rank path beside the head: the logits are x Wᵀ + low highᵀ, with low (B, T, r) of its own
// history in the graph and high (vocabulary, r), both of x's dtype. Empty: no path.
struct HeadPath {
  Tensor low, high;
};

// The definition: scale · the sum over rows with a target of log sum exp(x Wᵀ) - logit of the
// target. cap: logits become cap · tanh(logit / cap); 0: they stay.
inline Tensor cross_entropy_definition(const Tensor& x, const Tensor& weight, const Tensor& targets,
                                       double scale, double cap = 0., const HeadPath& path = {}) {
  Tensor flat = reshape(x, {x.rows(), x.columns()}), logits = matmul(flat, weight, false, true);
  if (path.low)
    logits =
        logits + matmul(reshape(path.low, {x.rows(), path.low.columns()}), path.high, false, true);
  if (cap > 0.) logits = tanh(logits * (1. / cap)) * cap;
  auto wanted = targets.integers();
  std::vector<float> one_hot(size_t(logits.size()), 0.f), counts(wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i] >= 0) {
      one_hot[i * size_t(weight.rows()) + size_t(wanted[i])] = 1.f;
      counts[i] = 1.f;
    }
  Tensor each = log(sum_columns(exp(logits))) -
                sum_columns(logits * Tensor::from(one_hot, logits.shape(), x.dtype(), x.device()));
  return sum(each * Tensor::from(counts, {x.rows(), 1}, x.dtype(), x.device())) * scale;
}

struct Loss {
  Tensor total;   // (1), statistic dtype: scale · the sum of the losses of all targets; recorded
  Tensor losses;  // (rows), statistic dtype: the loss of each row, 0 where there is no target
};

// x (B, T, n), weight (vocabulary, n) of x's dtype, targets i32 (B, T) with -1 for none, scale:
// 1 / number of targets in the whole step. Throws an Error if shapes or dtypes differ or a target
// is beyond the vocabulary. Only rows with a target are computed, padded with rows of zeros to an
// even number per sequence, so that pairs of bf16 never straddle two sequences (to a multiple of 32
// where bf16 is summed by tiles and the head is trained). While a tape records, the gradients are
// computed in the same pass, and the weight's is added to its slot at once; backward must therefore
// start at this loss, with 1. cap: as in the definition (Gemma 2). The path's product is added to
// the same chunk of logits, which are never formed twice.
Loss cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& targets, double scale,
                   double cap = 0., const HeadPath& path = {});
// The same cap on logits of any shape, in place; not recorded.
void cap_logits(Tensor& logits, double cap);

}  // namespace afina
