// attention: causal, with grouped queries, isolated between packed documents. The matrix of scores
// is never held as a whole.
#pragma once
#include <cmath>

#include "engine/attention_flops.h"
#include "engine/ops.h"

namespace afina {

// How scores become probabilities, beside the mask of documents.
struct AttentionForm {
  double scale;        // of q kᵀ
  int64_t window = 0;  // a query sees at most this many keys, its own and those before; 0: all
  double cap = 0.;     // scores become cap · tanh(scale q kᵀ / cap) (Gemma 2); 0: they stay
  AttentionForm(double by, int64_t keys = 0, double most = 0.)
      : scale(by), window(keys), cap(most) {}
  bool plain() const { return window == 0 && cap == 0.; }
  // The first key that the query at `position` sees, of a document that begins at `start`.
  int64_t first(int64_t start, int64_t position) const {
    return window && position - window + 1 > start ? position - window + 1 : start;
  }
};

namespace kernel {
// q, o (B, T, heads, dim), k, v (B, S, kv_heads, dim) with S >= T: query t has position S - T + t
// (a KV cache makes S > T). starts i32 (B, T): the start of a query's document, the first position
// that it sees unless form.window ends before. lse (B, T, heads) of statistic dtype: log of the sum
// of exponentials of the scaled (and capped) scores, saved for backward. For each query, the
// softmax's sum is 16 lanes counted from the first key that it sees and a tree; the output is a
// chain over keys ascending (by pairs in bf16, where probabilities are rounded to bf16; pairs, and
// the blocks of bf16-tiles, are counted from the document's start).
inline constinit Kernel<void(Tensor& o, Tensor& lse, const Tensor& q, const Tensor& k,
                             const Tensor& v, const Tensor& starts, AttentionForm form)>
    attention{"attention"};
// dq, dk and dv are overwritten. dk and dv are chains over queries, one head of the group after
// another.
inline constinit Kernel<void(Tensor& dq, Tensor& dk, Tensor& dv, const Tensor& dout,
                             const Tensor& o, const Tensor& lse, const Tensor& q, const Tensor& k,
                             const Tensor& v, const Tensor& starts, AttentionForm form)>
    attention_backward{"attention_backward"};
}  // namespace kernel

// The definition: softmax(scale q kᵀ) v written out, one head of one sequence after another; only
// for S == T.
inline Tensor attention_definition(const Tensor& q, const Tensor& k, const Tensor& v,
                                   const Tensor& starts, AttentionForm form) {
  int64_t B = q.shape()[0], T = q.shape()[1], heads = q.shape()[2], dim = q.columns(),
          groups = heads / k.shape()[2];
  auto start = starts.integers();
  auto part = [&](const Tensor& x, int64_t b, int64_t h) {
    return choose_columns(choose_rows(reshape(x, {B * T, x.size() / (B * T)}), b * T, T), h * dim,
                          dim);
  };
  Tensor y = Tensor::zeros({B * T, heads * dim}, q.dtype(), q.device());
  for (int64_t b = 0; b < B; ++b)
    for (int64_t h = 0; h < heads; ++h) {
      std::vector<float> visible(size_t(T * T), 0.f);
      for (int64_t i = 0; i < T; ++i)
        for (int64_t j = form.first(start[size_t(b * T + i)], i); j <= i; ++j)
          visible[size_t(i * T + j)] = 1.f;
      Tensor scores = matmul(part(q, b, h), part(k, b, h / groups), false, true) * form.scale;
      if (form.cap > 0.) scores = tanh(scores * (1. / form.cap)) * form.cap;
      Tensor e = exp(scores) * Tensor::from(visible, {T, T}, q.dtype(), q.device());
      Tensor head = matmul(e / sum_columns(e), part(v, b, h / groups));  // (T, dim)
      // Products with 0/1 matrices put it at its rows and columns of y.
      std::vector<float> rows(size_t(B * T * T), 0.f), columns(size_t(dim * heads * dim), 0.f);
      for (int64_t i = 0; i < T; ++i) rows[size_t((b * T + i) * T + i)] = 1.f;
      for (int64_t i = 0; i < dim; ++i) columns[size_t(i * heads * dim + h * dim + i)] = 1.f;
      Tensor placed = matmul(Tensor::from(rows, {B * T, T}, q.dtype(), q.device()), head);
      y = y + matmul(placed, Tensor::from(columns, {dim, heads * dim}, q.dtype(), q.device()));
    }
  return reshape(y, q.shape());
}

// The number of (query, key) pairs of one head that the mask admits; keys: S; window as in
// AttentionForm. Throws an Error if a query starts after its own position.
inline int64_t visible_pairs(const Tensor& starts, int64_t keys, int64_t window = 0) {
  auto first = starts.integers();
  int64_t pairs = 0, length = starts.columns();
  for (size_t i = 0; i < first.size(); ++i) {
    int64_t position = keys - length + int64_t(i) % length;
    require(first[i] >= 0 && first[i] <= position, "attention: the query at position ", position,
            " has its document start at ", first[i]);
    pairs += position + 1 - AttentionForm(1., window).first(first[i], position);
  }
  return pairs;
}

// softmax(scale q kᵀ) v over the keys that each query sees. q (B, T, heads, dim), k and v (B, S,
// kv_heads, dim), starts i32 (B, T) -> (B, T, heads, dim). form: a number is the scale alone. Where
// a device has no kernel, the definition runs.
inline Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& starts,
                        AttentionForm form) {
  require(q.shape().rank() == 4 && k.shape().rank() == 4 && k.shape() == v.shape() &&
              q.columns() == k.columns() && q.shape()[2] % k.shape()[2] == 0,
          "attention: q ", q.shape().text(), ", k ", k.shape().text(), ", v ", v.shape().text());
  require(form.scale > 0. && form.window >= 0 && form.cap >= 0. && k.shape()[1] >= q.shape()[1] &&
              starts.size() == q.shape()[0] * q.shape()[1],
          "attention: scale ", form.scale, ", window ", form.window, ", cap ", form.cap, ", ",
          starts.size(), " starts, q ", q.shape().text(), ", k ", k.shape().text());
  if (form.window >= k.shape()[1]) form.window = 0;  // nobody is that far from a key
  if (!kernel::attention.runs_on(q.device())) return attention_definition(q, k, v, starts, form);
  Tensor o = like(q),
         lse({q.shape()[0], q.shape()[1], q.shape()[2]}, statistic_dtype(q.dtype()), q.device());
  int64_t product_flops =
      2 * q.shape()[2] * q.columns() * visible_pairs(starts, k.shape()[1], form.window);
  count_attention_flops(2 * product_flops, form.window);  // scores and output
  kernel::attention(o, lse, q, k, v, starts, form);
  return Tape::record(
      "attention", o, {q, k, v},
      [q_grad = q.grad(), k_grad = k.grad(), v_grad = v.grad(), o, lse, q = q.detached(),
       k = k.detached(), v = v.detached(), starts, form, product_flops](const Tensor& dout) {
        Tensor dq = like(q), dk = like(k), dv = like(v);
        count_attention_flops(5 * product_flops, form.window);  // scores again, dP, dQ, dK, dV
        kernel::attention_backward(dq, dk, dv, dout, o, lse, q, k, v, starts, form);
        if (q_grad) q_grad += dq;
        if (k_grad) k_grad += dk;
        if (v_grad) v_grad += dv;
      });
}

}  // namespace afina
