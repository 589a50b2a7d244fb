// The head and the loss, chunk of rows after chunk of rows, with their gradients in the same pass.
#include "engine/ops/cross_entropy.h"

#include <algorithm>

#include "engine/bf16_sums.h"
#include "engine/on_gpu.h"

namespace afina {

namespace {

// Rows whose gradient of the logits is held at a time: enough that reading and adding to the
// weight's gradient is small beside the product; a frozen head has none to add to. A multiple of
// what bf16 sums as one (engine/bf16_sums.h), so that this never straddles chunks; the bits do not
// depend on it.
constexpr int64_t chunk_trained = 512, chunk_frozen = 256;
// Rows of f32 logits held at a time where their gradient does not take their place: enough that
// packing the head is small beside the product.
constexpr int64_t part_rows = 128;
// The same on a GPU, whose products want more rows to fill it.
constexpr int64_t gpu_chunk = 4096, gpu_part = 1024;

struct Chunks {
  int64_t rows, part;
};
Chunks chunks_of(Device device, bool trained) {
  if (on_gpu(device)) return {gpu_chunk, gpu_part};
  return {trained ? chunk_trained : chunk_frozen, part_rows};
}

// The rows that have a target, of each sequence a multiple of `together` (-1: a row of zeros), and
// their targets.
struct Chosen {
  std::vector<int32_t> rows, targets;
};
void require_within(int32_t target, size_t position, int64_t vocabulary) {
  require(target < vocabulary, "cross_entropy: target ", target, " at position ", position,
          " is beyond the vocabulary of ", vocabulary);
}
Chosen rows_with_target(const Tensor& targets, int64_t length, int64_t vocabulary,
                        int64_t together) {
  Chosen chosen;
  auto wanted = targets.integers();
  for (size_t i = 0; i < wanted.size(); ++i) {
    require_within(wanted[i], i, vocabulary);
    if (wanted[i] >= 0) {
      chosen.rows.push_back(int32_t(i));
      chosen.targets.push_back(wanted[i]);
    }
    if (int64_t(i + 1) % length == 0)
      while (int64_t(chosen.rows.size()) % together) {
        chosen.rows.push_back(-1);
        chosen.targets.push_back(-1);
      }
  }
  return chosen;
}

// On a device that finds them by itself they are not looked up here.
struct Rows {
  Tensor numbers, targets;
  Rows(const Tensor& of, int64_t vocabulary, Device device, int64_t together) {
    PurposeScope purpose(Purpose::workspace);
    int64_t length = of.columns();
    if (!kernel::rows_with_target.runs_on(device)) {
      Chosen chosen = rows_with_target(of, length, vocabulary, together);
      int64_t count = int64_t(chosen.rows.size());
      if (count) {
        numbers = Tensor::from(chosen.rows, {count}, device);
        targets = Tensor::from(chosen.targets, {count}, device);
      }
      return;
    }
    std::vector<int32_t> wanted = of.integers();
    for (size_t i = 0; i < wanted.size(); ++i) require_within(wanted[i], i, vocabulary);
    int64_t count = rounded_target_rows(wanted, length);
    if (!count) return;
    numbers = Tensor({count}, Dtype::i32, device);
    targets = like(numbers);
    kernel::rows_with_target(numbers, targets, of);
  }
  int64_t count() const { return numbers ? numbers.size() : 0; }
};

// What one chunk works in; the last chunk uses the first rows of it.
struct Room {
  Tensor x, logits, losses, dlogits, dx;
  Room(int64_t rows, int64_t part, const Tensor& of, const Tensor& weight, Dtype sums, bool slopes,
       bool to_x) {
    const bool in_place = slopes && sums == of.dtype();
    x = Tensor({rows, of.columns()}, of.dtype(), of.device());
    logits = Tensor({in_place ? rows : std::min(part, rows), weight.rows()}, sums, of.device());
    losses = Tensor({rows, 1}, sums, of.device());
    if (slopes)
      dlogits = in_place ? logits : Tensor({rows, weight.rows()}, of.dtype(), of.device());
    if (to_x) dx = like(x);
  }
  Room(const Room& all, int64_t rows) {
    auto cut = [&](const Tensor& t) {
      return t ? t.slice_rows(0, std::min(rows, t.rows())) : Tensor();
    };
    x = cut(all.x);
    logits = cut(all.logits);
    losses = cut(all.losses);
    dlogits = cut(all.dlogits);
    dx = cut(all.dx);
  }
};

void run_chunk(Room& room, const Tensor& x, const Tensor& weight, const Tensor& rows,
               const Tensor& targets, Number<double> scale, Tensor& losses, Tensor& dx) {
  kernel::gather_rows(room.x, x, rows);
  for (int64_t from = 0, step = room.logits.rows(); from < room.x.rows(); from += step) {
    const int64_t count = std::min(step, room.x.rows() - from);
    auto cut = [&](const Tensor& t) { return t ? t.slice_rows(from, count) : Tensor(); };
    Tensor logits = room.logits.slice_rows(0, count), of_losses = cut(room.losses),
           dlogits = cut(room.dlogits);
    product_into(logits, cut(room.x), weight, false, true, false, Tensor());
    kernel::softmax_loss(logits, of_losses, dlogits, cut(targets), scale);
  }
  kernel::scatter_rows(losses, room.losses, rows);
  if (dx) {
    product_into(room.dx, room.dlogits, weight, false, false, false, Tensor());
    kernel::scatter_rows(dx, room.dx, rows);
  }
  if (!room.dlogits || !weight.needs_grad()) return;
  bool fresh = false;
  Tensor sum = weight.grad().sum(&fresh);
  product_into(sum, room.dlogits, room.x, true, false, !fresh, Tensor());
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

Loss cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& targets, double scale) {
  require(x.columns() == weight.columns() && x.dtype() == weight.dtype(), "cross_entropy: x ",
          x.shape().text(), " ", name(x.dtype()), " and a head ", weight.shape().text(), " ",
          name(weight.dtype()));
  require(targets.size() == x.rows(), "cross_entropy: ", targets.size(), " targets for ", x.rows(),
          " rows");
  Dtype sums = statistic_dtype(x.dtype());
  bool record = Tape::recording() && (x.needs_grad() || weight.needs_grad());
  const bool in_blocks = record && weight.needs_grad() &&
                         x.dtype() == Dtype::bf16;  // only the weight's gradient sums over rows
  Rows rows(targets, weight.rows(), x.device(), in_blocks ? rows_summed_as_one() : 2);
  const int64_t count = rows.count();
  const Number<double> by = loss_scale(scale, x.device());
  Tensor losses = Tensor::zeros({x.rows()}, sums, x.device()), total({1}, sums, x.device());
  Tensor dx = record && x.needs_grad() ? Tensor::zeros(x.shape(), x.dtype(), x.device()) : Tensor();
  if (count) {
    PurposeScope purpose(Purpose::workspace);
    const auto [chunk, part] = chunks_of(x.device(), weight.needs_grad());
    Room all(std::min(chunk, count), part, x, weight, sums, record, bool(dx));
    for (int64_t from = 0; from < count; from += chunk) {
      Room room(all, std::min(chunk, count - from));
      int64_t now = room.x.rows();
      run_chunk(room, x, weight, rows.numbers.slice_rows(from, now),
                rows.targets.slice_rows(from, now), by, losses, dx);
    }
  }
  kernel::sum_losses(total, losses, by);
  Tensor recorded =
      Tape::record("cross_entropy", total, {x, weight}, [to_x = x.grad(), dx](const Tensor& dy) {
        require(dy.device() != Device::cpu || dy.item() == 1.,
                "cross_entropy: its gradients are made for a backward pass that starts from this "
                "loss; scale it by its argument");
        if (to_x) to_x += dx;
      });
  return {recorded, losses};
}

}  // namespace afina
