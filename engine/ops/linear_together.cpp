// LoRA's low-rank paths of layers that take the same input: their first halves are one product.
#include "engine/on_gpu.h"
#include "engine/ops/linear.h"
#include "engine/saved.h"

namespace afina {

namespace {

Tensor flat(const Tensor& x) { return x.viewed({x.rows(), x.columns()}); }

// The rows of all of them, one after the other.
Tensor stacked(const std::vector<Tensor>& parts) {
  int64_t rows = 0;
  for (const Tensor& part : parts) rows += part.rows();
  Tensor all({rows, parts[0].columns()}, parts[0].dtype(), parts[0].device());
  rows = 0;
  for (const Tensor& part : parts) {
    require(part.columns() == all.columns() && part.dtype() == all.dtype(),
            "lora_low: ", part.shape().text(), " ", name(part.dtype()), " cannot be stacked on ",
            all.shape().text(), " ", name(all.dtype()));
    all.slice_rows(rows, part.rows()).copy_from(part);
    rows += part.rows();
  }
  return all;
}

// add_outer for each gradient (r, in) with its columns of ds (rows, r1 + r2 + ...): the sums so far
// are stacked, go on together and are taken apart again.
void add_outers(const std::vector<Gradient>& gradients, const Tensor& ds, const Tensor& x) {
  std::vector<Tensor> sums;
  bool all_fresh = true;
  for (const Gradient& gradient : gradients) {
    bool fresh = false;
    sums.push_back(gradient.sum(&fresh));
    if (fresh) sums.back().zero();  // a chain that begins here begins at zero
    all_fresh = all_fresh && fresh;
  }
  Tensor all = stacked(sums);
  product_into(all, ds, x, true, false, !all_fresh, Tensor());
  int64_t rows = 0;
  for (const Tensor& sum : sums) {
    sum.copy_from(all.slice_rows(rows, sum.rows()));
    rows += sum.rows();
  }
}

}  // namespace

Tensor lora_low(const Tensor& x, const std::vector<Tensor>& as) {
  Tensor a = stacked(as);
  require(x.columns() == a.columns(), "lora_low: x ", x.shape().text(), " where A takes ",
          a.columns(), " columns");
  Tensor low({x.rows(), a.rows()}, x.dtype(), x.device());
  product_into(low, flat(x), a, false, true, false, Tensor());
  std::vector<Gradient> gradients;
  for (const Tensor& part : as)
    if (part.needs_grad()) gradients.push_back(part.grad());
  require(gradients.empty() || gradients.size() == as.size(),
          "lora_low: some As are trained and some are not");
  Saved kept = gradients.empty() ? Saved() : Saved(flat(x));
  Gradient dx = on_gpu(x.device()) ? x.grad() : Gradient();
  return Tape::record("lora_low", low, !gradients.empty() || dx,
                      [gradients, kept, dx, a, shape = x.shape()](const Tensor& ds) {
                        if (!gradients.empty()) add_outers(gradients, ds, kept.get());
                        if (dx) add_product(dx, ds, a, shape);
                      });
}

}  // namespace afina
