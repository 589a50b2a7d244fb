// The head and the loss in chunks of rows, with their gradients in the same pass.
#include "engine/ops/cross_entropy.h"

#include <algorithm>

#include "engine/bf16_sums.h"
#include "engine/on_gpu.h"

namespace afina {

namespace {

// Rows whose gradient of the logits is held at a time: enough that reading and writing the weight's
// gradient is cheap compared with the product. A frozen head has none, so that packing it is what
// must be cheap. A multiple of the rows that bf16 sums as one (engine/bf16_sums.h); otherwise the
// bits do not depend on it.
constexpr int64_t chunk_trained = 512, chunk_frozen = 144;
// Rows of f32 logits held at a time where their gradient is a tensor of its own: enough that
// packing the head is cheap compared with the product.
constexpr int64_t part_rows = 128;
// The same on a GPU, whose products need more rows to occupy it.
constexpr int64_t gpu_chunk = 4096, gpu_part = 1024;

struct Chunks {
  int64_t rows, part;
};
Chunks chunks_of(Device device, bool trained, int64_t count) {
  if (on_gpu(device)) return {gpu_chunk, gpu_part};
  if (trained) return {chunk_trained, part_rows};
  // As many chunks as there must be, all about as long; whole tiles of the products.
  const int64_t chunks = (count + chunk_frozen - 1) / chunk_frozen,
                rows = (count + chunks - 1) / chunks;
  return {(rows + 15) / 16 * 16, part_rows};
}

// The indices of the rows that have a target, and their targets. Entries of -1, for rows of zeros,
// pad each sequence to a multiple of `multiple`.
struct Chosen {
  std::vector<int32_t> rows, targets;
};
void require_within(int32_t target, size_t position, int64_t vocabulary) {
  require(target < vocabulary, "cross_entropy: target ", target, " at position ", position,
          " is beyond the vocabulary of ", vocabulary);
}
Chosen rows_with_target(const Tensor& targets, int64_t length, int64_t vocabulary,
                        int64_t multiple) {
  Chosen chosen;
  auto wanted = targets.integers();
  for (size_t i = 0; i < wanted.size(); ++i) {
    require_within(wanted[i], i, vocabulary);
    if (wanted[i] >= 0) {
      chosen.rows.push_back(int32_t(i));
      chosen.targets.push_back(wanted[i]);
    }
    if (int64_t(i + 1) % length == 0)
      while (int64_t(chosen.rows.size()) % multiple) {
        chosen.rows.push_back(-1);
        chosen.targets.push_back(-1);
      }
  }
  return chosen;
}

// The same on the device; GPUs find the rows themselves.
struct Rows {
  Tensor indices, targets;
  Rows(const Tensor& all_targets, int64_t vocabulary, Device device, int64_t multiple) {
    PurposeScope purpose(Purpose::workspace);
    int64_t length = all_targets.columns();
    if (!kernel::rows_with_target.runs_on(device)) {
      Chosen chosen = rows_with_target(all_targets, length, vocabulary, multiple);
      int64_t count = int64_t(chosen.rows.size());
      if (count) {
        indices = Tensor::from(chosen.rows, {count}, device);
        targets = Tensor::from(chosen.targets, {count}, device);
      }
      return;
    }
    std::vector<int32_t> wanted = all_targets.integers();
    for (size_t i = 0; i < wanted.size(); ++i) require_within(wanted[i], i, vocabulary);
    int64_t count = rounded_target_rows(wanted, length);
    if (!count) return;
    indices = Tensor({count}, Dtype::i32, device);
    targets = like(indices);
    kernel::rows_with_target(indices, targets, all_targets);
  }
  int64_t count() const { return indices ? indices.size() : 0; }
};

// The workspace of one chunk; the last chunk uses its first rows.
struct Workspace {
  Tensor x, logits, losses, dlogits, dx;
  Tensor slopes, cast_slopes;  // of the capped logits: 1 - tanh²; cast to dlogits' dtype
  Tensor low, dlow;            // of the path beside the head
  // like_x: gives dtype, device and columns of x. over: dlogits are written over logits, whatever
  // their dtype.
  Workspace(int64_t rows, int64_t part, const Tensor& like_x, const Tensor& weight,
            const HeadPath& path, bool gradients, bool x_needs_grad, bool capped, bool over) {
    const Dtype dtype = like_x.dtype(), statistics = statistic_dtype(dtype);
    const Device device = like_x.device();
    const bool in_place = gradients && (over || statistics == dtype);
    x = Tensor({rows, like_x.columns()}, dtype, device);
    logits = Tensor({in_place ? rows : std::min(part, rows), weight.rows()}, statistics, device);
    losses = Tensor({rows, 1}, statistics, device);
    if (gradients)
      dlogits = in_place ? logits.reused(logits.shape(), dtype)
                         : Tensor({rows, weight.rows()}, dtype, device);
    if (x_needs_grad) dx = like(x);
    if (path.low) {
      low = Tensor({rows, path.low.columns()}, dtype, device);
      if (gradients && path.low.needs_grad()) dlow = like(low);
    }
    if (!capped || !gradients) return;
    slopes = like(logits);
    if (statistics != dtype) cast_slopes = Tensor(logits.shape(), dtype, device);
  }
  Workspace(const Workspace& all, int64_t rows) {
    auto cut = [&](const Tensor& t) {
      return t ? t.slice_rows(0, std::min(rows, t.rows())) : Tensor();
    };
    x = cut(all.x);
    logits = cut(all.logits);
    losses = cut(all.losses);
    dlogits = cut(all.dlogits);
    dx = cut(all.dx);
    slopes = cut(all.slopes);
    cast_slopes = cut(all.cast_slopes);
    low = cut(all.low);
    dlow = cut(all.dlow);
  }
};

// logits = cap · tanh(logits / cap); slopes, unless empty, becomes the derivative.
void cap_with_slopes(Tensor& logits, Tensor& slopes, double cap) {
  kernel::affine(logits, logits, 1. / cap, 0.);
  kernel::map(logits, logits, Scalar::tanh);
  if (slopes) {
    kernel::map(slopes, logits, Scalar::square);
    kernel::affine(slopes, slopes, -1., 1.);
  }
  kernel::affine(logits, logits, cap, 0.);
}
// dlogits *= slopes.
void apply_slopes(Tensor& dlogits, const Tensor& slopes, Tensor cast) {
  if (cast) kernel::cast(cast, slopes);
  kernel::zip(dlogits, dlogits, cast ? cast : slopes, Binary::mul);
}

// gradient += dlogitsᵀ x, if it is wanted: x (rows, n), gradient (vocabulary, n).
void add_gradient(const Tensor& of, const Tensor& dlogits, const Tensor& x) {
  if (!dlogits || !of.needs_grad()) return;
  bool fresh = false;
  Tensor sum = of.grad().sum(&fresh);
  product_into(sum, dlogits, x, true, false, !fresh, Tensor());
}

void run_chunk(Workspace& w, const Tensor& x, const Tensor& weight, const HeadPath& path,
               const Tensor& rows, const Tensor& targets, Number<double> scale, double cap,
               Tensor& losses, Tensor& dx, Tensor& dlow) {
  kernel::gather_rows(w.x, x, rows);
  if (w.low) kernel::gather_rows(w.low, path.low, rows);
  for (int64_t from = 0, step = w.logits.rows(); from < w.x.rows(); from += step) {
    const int64_t count = std::min(step, w.x.rows() - from);
    auto cut = [&](const Tensor& t) { return t ? t.slice_rows(from, count) : Tensor(); };
    Tensor logits = w.logits.slice_rows(0, count), part_losses = cut(w.losses),
           dlogits = cut(w.dlogits);
    auto first = [&](const Tensor& t) { return t ? t.slice_rows(0, count) : Tensor(); };
    Tensor slopes = first(w.slopes);
    product_into(logits, cut(w.x), weight, false, true, false, Tensor());
    if (w.low) product_into(logits, cut(w.low), path.high, false, true, true, Tensor());
    if (cap > 0.) cap_with_slopes(logits, slopes, cap);
    kernel::softmax_loss(logits, part_losses, dlogits, cut(targets), scale);
    if (slopes) apply_slopes(dlogits, slopes, first(w.cast_slopes));
  }
  kernel::scatter_rows(losses, w.losses, rows);
  if (dx) {
    product_into(w.dx, w.dlogits, weight, false, false, false, Tensor());
    kernel::scatter_rows(dx, w.dx, rows);
  }
  if (dlow) {
    product_into(w.dlow, w.dlogits, path.high, false, false, false, Tensor());
    kernel::scatter_rows(dlow, w.dlow, rows);
  }
  add_gradient(weight, w.dlogits, w.x);
  if (w.low) add_gradient(path.high, w.dlogits, w.low);
}

}  // namespace

int64_t rounded_target_rows(const std::vector<int32_t>& targets, int64_t length) {
  int64_t count = 0, all = int64_t(targets.size());
  for (int64_t i = 0; i < all; ++i) {
    count += targets[size_t(i)] >= 0;
    if ((i + 1) % length == 0) count += count % 2;
  }
  int64_t step = std::max<int64_t>(16, (all / 8 + 1) / 2 * 2);
  return (count + step - 1) / step * step;
}

void cap_logits(Tensor& logits, double cap) {
  Tensor none;
  cap_with_slopes(logits, none, cap);
}

Loss cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& targets, double scale,
                   double cap, const HeadPath& path) {
  require(x.columns() == weight.columns() && x.dtype() == weight.computed(), "cross_entropy: x ",
          x.shape().text(), " ", name(x.dtype()), " and a head ", weight.shape().text(), " ",
          name(weight.computed()));
  require(targets.size() == x.rows(), "cross_entropy: ", targets.size(), " targets for ", x.rows(),
          " rows");
  require(!path.low || (path.low.rows() == x.rows() && path.high.rows() == weight.rows() &&
                        path.low.columns() == path.high.columns() &&
                        path.low.dtype() == x.dtype() && path.high.dtype() == x.dtype()),
          "cross_entropy: a path beside the head does not fit x ", x.shape().text(), " and a head ",
          weight.shape().text());
  const Dtype statistics = statistic_dtype(x.dtype());
  const bool low_needs_grad = path.low && path.low.needs_grad(),
             trained = weight.needs_grad() || (path.low && path.high.needs_grad()),
             record = Tape::recording() && (x.needs_grad() || low_needs_grad || trained);
  // Only gradients of weights sum over rows.
  const bool sums_rows = record && trained && x.dtype() == Dtype::bf16;
  Rows rows(targets, weight.rows(), x.device(), sums_rows ? rows_summed_as_one() : 2);
  const int64_t count = rows.count();
  const Number<double> factor = loss_scale(scale, x.device());
  Tensor losses = Tensor::zeros({x.rows()}, statistics, x.device()),
         total({1}, statistics, x.device());
  auto gradient_of = [&](const Tensor& t, bool wanted) {
    return record && wanted ? Tensor::zeros(t.shape(), t.dtype(), t.device()) : Tensor();
  };
  Tensor dx = gradient_of(x, x.needs_grad()), dlow = gradient_of(path.low, low_needs_grad);
  if (count) {
    PurposeScope purpose(Purpose::workspace);
    const auto [chunk, part] = chunks_of(x.device(), trained, count);
    Workspace all(std::min(chunk, count), part, x, weight, path, record, bool(dx), cap > 0.,
                  !trained && !on_gpu(x.device()));
    for (int64_t from = 0; from < count; from += chunk) {
      Workspace workspace(all, std::min(chunk, count - from));
      int64_t size = workspace.x.rows();
      run_chunk(workspace, x, weight, path, rows.indices.slice_rows(from, size),
                rows.targets.slice_rows(from, size), factor, cap, losses, dx, dlow);
    }
  }
  kernel::sum_losses(total, losses, factor);
  const Tensor* inputs[] = {&x, &weight, &path.low, &path.high};
  Tensor recorded = Tape::record(
      "cross_entropy", total, record,
      [x_grad = x.grad(), dx, low_grad = path.low ? path.low.grad() : Gradient(),
       dlow](const Tensor& dy) {
        require(dy.device() != Device::cpu || dy.item() == 1.,
                "cross_entropy: its gradients are already computed for dloss = 1, so backward must "
                "start at this loss; use the argument `scale` to scale it");
        if (low_grad) low_grad += dlow;
        if (x_grad) x_grad += dx;
      },
      std::span(inputs, path.low ? 4 : 2));
  return {recorded, losses};
}

}  // namespace afina
