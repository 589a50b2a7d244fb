// Attention by cuDNN: builds the graph of operations that the library recognises and fuses. For
// causal rows without packed documents, in bf16.
#include <compare>
#include <map>

#include "cuda/cudnn_graph.h"
#include "engine/choices.h"
#include "engine/ops/attention.h"

namespace afina::cuda {
namespace {

constexpr cudnnDataType_t half = CUDNN_DATA_BFLOAT16, full = CUDNN_DATA_FLOAT;

struct Call {
  int64_t batch, queries, keys, heads, kv_heads, dim;
  auto operator<=>(const Call&) const = default;
  Extents rows() const { return {batch, heads, queries, 1}; }
  Extents scores() const { return {batch, heads, queries, keys}; }
};
// Strides of (B, heads, T, dim) in memory laid out as (B, T, heads, dim).
Extents head_strides(int64_t length, int64_t heads, int64_t dim) {
  return {length * heads * dim, dim, heads * dim, 1};
}
Node heads_in(Graph& g, int64_t batch, int64_t length, int64_t heads, int64_t dim) {
  return g.memory({batch, heads, length, dim}, head_strides(length, heads, dim), half);
}
Node turned_heads_in(Graph& g, int64_t batch, int64_t length, int64_t heads, int64_t dim) {
  return g.memory({batch, heads, dim, length}, {length * heads * dim, dim, 1, heads * dim}, half);
}
// One number per row, (B, heads, T, 1), in memory laid out as (B, T, heads): the slot's lse.
Node statistics_in(Graph& g, const Call& c) {
  return g.memory(c.rows(), {c.queries * c.heads, 1, c.heads, 1}, full);
}

// scale q kᵀ, minus `minus` if given, with -inf for keys after the query.
struct Scores {
  Node scale, hidden, masked;
};
Scores scores_of(Graph& g, const Call& c, const Node& q, const Node& turned_k,
                 const Node* minus = nullptr) {
  Node products = g.between(c.scores()), scale = g.number(), hidden = g.number();
  g.matmul(q, turned_k, products);
  Node scaled = g.pointwise(CUDNN_POINTWISE_MUL, products, scale);
  if (minus) scaled = g.pointwise(CUDNN_POINTWISE_SUB, scaled, *minus);
  Node row = g.index(scaled, 2), column = g.index(scaled, 3);
  Node seen = g.between(c.scores(), CUDNN_DATA_BOOLEAN), masked = g.between(c.scores());
  g.pointwise(CUDNN_POINTWISE_CMP_GE, row, &column, nullptr, seen, CUDNN_DATA_BOOLEAN);
  g.pointwise(CUDNN_POINTWISE_BINARY_SELECT, scaled, &hidden, &seen, masked);
  return {scale, hidden, masked};
}

struct Forward {
  Graph graph;
  int64_t q, k, v, o, lse, scale, hidden;
  bool usable = false;
  explicit Forward(const Call& c) {
    Graph& g = graph;
    Node of_q = heads_in(g, c.batch, c.queries, c.heads, c.dim),
         of_k = turned_heads_in(g, c.batch, c.keys, c.kv_heads, c.dim);
    Node of_v = heads_in(g, c.batch, c.keys, c.kv_heads, c.dim),
         of_o = heads_in(g, c.batch, c.queries, c.heads, c.dim);
    Node statistics = statistics_in(g, c), most = g.between(c.rows()), sum = g.between(c.rows()),
         p = g.between(c.scores(), half);
    Scores s = scores_of(g, c, of_q, of_k);
    g.reduce(CUDNN_REDUCE_TENSOR_MAX, s.masked, most);
    Node e = g.pointwise(CUDNN_POINTWISE_EXP, g.pointwise(CUDNN_POINTWISE_SUB, s.masked, most));
    g.reduce(CUDNN_REDUCE_TENSOR_ADD, e, sum);
    Node log = g.pointwise(CUDNN_POINTWISE_LOG, sum);
    g.pointwise(CUDNN_POINTWISE_ADD, most, &log, nullptr, statistics);
    g.pointwise(CUDNN_POINTWISE_DIV, e, &sum, nullptr, p);
    g.matmul(p, of_v, of_o);
    q = of_q.id;
    k = of_k.id;
    v = of_v.id;
    o = of_o.id;
    lse = statistics.id;
    scale = s.scale.id;
    hidden = s.hidden.id;
    usable = g.plan();
  }
};

struct Backward {
  Graph graph;
  int64_t q, turned_k, turned_v, o, dout, lse, delta, dq, dk, dv, scale, hidden, slope_scale, one;
  bool usable = false;
  explicit Backward(const Call& c) {
    Graph& g = graph;
    Node of_q = heads_in(g, c.batch, c.queries, c.heads, c.dim);
    Node k_turned = turned_heads_in(g, c.batch, c.keys, c.kv_heads, c.dim),
         v_turned = turned_heads_in(g, c.batch, c.keys, c.kv_heads, c.dim);
    Node of_o = heads_in(g, c.batch, c.queries, c.heads, c.dim),
         of_dout = heads_in(g, c.batch, c.queries, c.heads, c.dim);
    Node of_dq = heads_in(g, c.batch, c.queries, c.heads, c.dim),
         of_dk = heads_in(g, c.batch, c.keys, c.kv_heads, c.dim);
    Node of_dv = heads_in(g, c.batch, c.keys, c.kv_heads, c.dim);
    // The library recognises this graph by its shape: delta is stored row by row per head and
    // multiplied by a number (for dropout, here one); the mask comes after the statistics.
    Node statistics = statistics_in(g, c), sum = g.between(c.rows()), by_one = g.number(),
         again = g.number();
    Node along = g.memory(c.rows(), {c.heads * c.queries, c.queries, 1, 1}, full);
    g.reduce(CUDNN_REDUCE_TENSOR_ADD, g.pointwise(CUDNN_POINTWISE_MUL, of_dout, of_o), sum);
    g.pointwise(CUDNN_POINTWISE_MUL, sum, &by_one, nullptr, along);
    Scores s = scores_of(g, c, of_q, k_turned, &statistics);
    Node p = g.pointwise(CUDNN_POINTWISE_EXP, s.masked);
    product_of_keys(g, c, g.transposed(p, half), of_dout, of_dv);
    Node dp = g.between(c.scores()), ds = g.between(c.scores(), half);
    g.matmul(of_dout, v_turned, dp);
    Node slope = g.pointwise(CUDNN_POINTWISE_MUL, g.pointwise(CUDNN_POINTWISE_SUB, dp, along), p);
    g.pointwise(CUDNN_POINTWISE_MUL, slope, &again, nullptr, ds);
    product_of_keys(g, c, g.transposed(ds, half), of_q, of_dk);
    Extents of_k = head_strides(c.keys, c.kv_heads, c.dim);
    g.matmul(ds, g.transposed(k_turned, half, &of_k), of_dq);
    q = of_q.id;
    turned_k = k_turned.id;
    turned_v = v_turned.id;
    o = of_o.id;
    dout = of_dout.id;
    lse = statistics.id;
    delta = along.id;
    dq = of_dq.id;
    dk = of_dk.id;
    dv = of_dv.id;
    scale = s.scale.id;
    hidden = s.hidden.id;
    slope_scale = again.id;
    one = by_one.id;
    usable = g.plan();
  }
  // to = a b, summed over the heads that share a key head.
  static void product_of_keys(Graph& g, const Call& c, const Node& a, const Node& b,
                              const Node& to) {
    if (c.heads == c.kv_heads) return g.matmul(a, b, to);
    Node each = g.between({c.batch, c.heads, c.keys, c.dim}, half);
    g.matmul(a, b, each);
    g.reduce(CUDNN_REDUCE_TENSOR_ADD, each, to);
  }
};

// Cache: plans take long to build, so each shape has one.
struct Plans {
  Forward forward;
  Backward backward;
  explicit Plans(const Call& c) : forward(c), backward(c) {
    note_choice("cudnn attention " + std::to_string(c.batch) + "x" + std::to_string(c.queries) +
                    "x" + std::to_string(c.keys) + ", " + std::to_string(c.heads) + "/" +
                    std::to_string(c.kv_heads) + " heads of " + std::to_string(c.dim),
                std::string(forward.usable ? "forward" : "no forward") +
                    (backward.usable ? ", backward" : ", no backward") + " by heuristic A; cuDNN " +
                    std::to_string(cudnn().version()));
  }
};
Call call_of(const Tensor& q, const Tensor& k) {
  return {q.shape()[0], q.shape()[1], k.shape()[1], q.shape()[2], k.shape()[2], q.columns()};
}
Plans& plans_of(const Call& c) {
  static auto* all = new std::map<Call, std::unique_ptr<Plans>>;
  auto& p = (*all)[c];
  if (!p) p = std::make_unique<Plans>(c);
  return *p;
}

// Deterministic backward stores a number per pair of query and key: beyond this many bytes `flash`
// runs instead.
constexpr int64_t most_workspace = int64_t(2) << 30;

// Only lengths that are a multiple of 128: every other length would need its own plan, which takes
// longer to build than many steps, and backward requires them to be masked.
bool takes_heads(const Tensor& q, const Tensor& k, const Tensor& starts) {
  if (q.dtype() != Dtype::bf16 || q.columns() % 8 || q.columns() > 256 ||
      q.shape()[1] != k.shape()[1] || k.shape()[1] % 128 || !cudnn().library.usable())
    return false;
  for (int32_t start : starts.integers())
    if (start) return false;  // packed documents
  return true;
}

Tensor room_for(int64_t bytes) { return Tensor({(bytes + 3) / 4 + 1}, Dtype::f32, this_device); }

void attention(Tensor& o, Tensor& lse, const Tensor& q, const Tensor& k, const Tensor& v,
               const Tensor&, AttentionForm form) {
  Forward& f = plans_of(call_of(q, k)).forward;
  PurposeScope purpose(Purpose::workspace);
  Tensor room = room_for(f.graph.workspace());
  float by = float(form.scale), hidden = -INFINITY;
  f.graph.run({{f.q, q.data()},
               {f.k, k.data()},
               {f.v, v.data()},
               {f.o, o.data()},
               {f.lse, lse.data()},
               {f.scale, &by},
               {f.hidden, &hidden}},
              room.data());
}
bool takes(const Tensor&, const Tensor&, const Tensor& q, const Tensor& k, const Tensor&,
           const Tensor& starts, AttentionForm form) {
  return form.plain() && takes_heads(q, k, starts) && plans_of(call_of(q, k)).forward.usable;
}

void attention_backward(Tensor& dq, Tensor& dk, Tensor& dv, const Tensor& dout, const Tensor& o,
                        const Tensor& lse, const Tensor& q, const Tensor& k, const Tensor& v,
                        const Tensor&, AttentionForm form) {
  Backward& f = plans_of(call_of(q, k)).backward;
  PurposeScope purpose(Purpose::workspace);
  Tensor room = room_for(f.graph.workspace()), delta = like(lse);
  float by = float(form.scale), again = by, one = 1.f, hidden = -INFINITY;
  f.graph.run({{f.q, q.data()},
               {f.turned_k, k.data()},
               {f.turned_v, v.data()},
               {f.o, o.data()},
               {f.dout, dout.data()},
               {f.lse, lse.data()},
               {f.delta, delta.data()},
               {f.dq, dq.data()},
               {f.dk, dk.data()},
               {f.dv, dv.data()},
               {f.scale, &by},
               {f.hidden, &hidden},
               {f.slope_scale, &again},
               {f.one, &one}},
              room.data());
}
bool takes_backward(const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&,
                    const Tensor&, const Tensor& q, const Tensor& k, const Tensor&,
                    const Tensor& starts, AttentionForm form) {
  if (!form.plain() || !takes_heads(q, k, starts)) return false;
  const Backward& f = plans_of(call_of(q, k)).backward;
  return f.usable && f.graph.workspace() <= most_workspace;
}

std::string version() {
  return cudnn().library.usable() ? "cuDNN " + std::to_string(cudnn().version()) : "";
}
std::string missing() { return cudnn().library.missing(); }
[[maybe_unused]] const bool listed = add_kernel_library({"cudnn", version, missing});

// Ranks above `flash`: two to three times as fast on an H100 (docs/results/gpu.md).
REGISTER_CUDA(attention, cudnn, 30, attention, takes);
REGISTER_CUDA(attention_backward, cudnn, 30, attention_backward, takes_backward);

}  // namespace
}  // namespace afina::cuda
