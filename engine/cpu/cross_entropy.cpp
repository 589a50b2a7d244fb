// Softmax, loss and its gradient on rows of logits; gathering and scattering of rows.
#include "engine/ops/cross_entropy.h"

#include "engine/cpu/loops.h"
#include "engine/scratch.h"

namespace afina::AFINA_ISA {

// One row: replaces the logits by exp(logit - maximum); returns the loss.
template <class S, class V>
AFINA_INLINE S exponentials(S* row, int64_t n, int64_t target, S& sum) {
  S wanted = row[target], greatest = row[0];
  V most = row[0];
  columns16(n, [&](int64_t i, int m) {
    if (m == lanes) most = v_max(most, take(row + i, m));
    else
      for (int j = 0; j < m; ++j) greatest = math::v_max(greatest, row[i + j]);
  });
  greatest = math::v_max(greatest, max_lanes<S>(most));
  V by = greatest, total = 0.f;
  columns16(n, [&](int64_t i, int m) {
    V e = math::exp(take(row + i, m) - by);
    put(row + i, e, m);
    total = total + first_lanes(e, m);
  });
  sum = sum_lanes<S>(total);
  return math::log(sum) + (greatest - wanted);
}

static void softmax_loss(Tensor& logits, Tensor& losses, Tensor& dlogits, const Tensor& targets,
                         Number<double> by) {
  with_types(
      logits.dtype(), dlogits ? dlogits.dtype() : logits.dtype(),
      [&](auto* logit_type, auto* type) {
        using S = sum_of<AFINA_TYPE(logit_type)>;
        using T = AFINA_TYPE(type);
        using V = vector_of<T>;
        S *all = logits.data<S>(), *loss = losses.data<S>();
        T* slopes = dlogits ? dlogits.data<T>() : nullptr;
        const int32_t* wanted = targets.data<int32_t>();
        int64_t n = logits.columns();
        double scale = by.value;
        const bool over = sizeof(T) < sizeof(S) && (void*)slopes == (void*)all;
        auto one = [=](int64_t r, T* d) {
          S *row = all + r * n, sum = 0;
          if (wanted[r] < 0) {
            loss[r] = 0;
            if (d) memset(d, 0, size_t(n) * sizeof(T));
            return;
          }
          loss[r] = exponentials<S, V>(row, n, wanted[r], sum);
          if (!d) return;
          S inverse = S(1) / sum, target_slope = (row[wanted[r]] * inverse - S(1)) * S(scale);
          V factor = inverse * S(scale);
          columns16(n, [=](int64_t i, int m) { put(d + i, take(row + i, m) * factor, m); });
          store_one(d + wanted[r], target_slope);
        };
        const int64_t rows = logits.rows();
        if (!over)
          return each_row(rows, 4 * n,
                          [=](int64_t r) { one(r, slopes ? slopes + r * n : nullptr); });
        // A row's slopes take half of its logits' room: they lie where the logits of the row
        // of half its number were. So rows m .. 2 m follow once those before m are done, and
        // the first row's, which would lie on its own logits, are copied there.
        T* first = static_cast<T*>(scratch(scratch_sums, size_t(n) * sizeof(T)));
        if (rows > 0) one(0, first);
        if (rows > 0) memcpy(slopes, first, size_t(n) * sizeof(T));
        for (int64_t done = 1, end; done < rows; done = end) {
          end = 2 * done < rows ? 2 * done : rows;
          each_row(end - done, 4 * n, [=](int64_t r) { one(done + r, slopes + (done + r) * n); });
        }
      });
}

static void gather_rows(Tensor& y, const Tensor& x, const Tensor& rows) {
  size_t width = size_t(y.size() / rows.size()) * size_of(x.dtype());
  char* out = y.data<char>();
  const char* in = x.data<char>();
  const int32_t* from = rows.data<int32_t>();
  each_row(rows.size(), y.size() / rows.size(), [=](int64_t i) {
    if (from[i] < 0) memset(out + size_t(i) * width, 0, width);
    else memcpy(out + size_t(i) * width, in + size_t(from[i]) * width, width);
  });
}
static void scatter_rows(Tensor& y, const Tensor& x, const Tensor& rows) {
  size_t width = size_t(x.size() / rows.size()) * size_of(x.dtype());
  char* out = y.data<char>();
  const char* in = x.data<char>();
  const int32_t* to = rows.data<int32_t>();
  each_row(rows.size(), x.size() / rows.size(), [=](int64_t i) {
    if (to[i] >= 0) memcpy(out + size_t(to[i]) * width, in + size_t(i) * width, width);
  });
}

REGISTER_CPU(softmax_loss, softmax_loss);
REGISTER_CPU(gather_rows, gather_rows);
REGISTER_CPU(scatter_rows, scatter_rows);

}  // namespace afina::AFINA_ISA
