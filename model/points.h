// Named places in an architecture, outside its linear layers, where a method may stand. Without an
// adapter a point is the identity: it copies nothing and records nothing.
#pragma once
#include "model/scope.h"

namespace afina {

enum class Place : uint8_t {
  embeddings,       // of the tokens, before the first block; where positions are learned, without
                    // theirs
  keys_values,      // of a block's attention, after rotary embedding; two tensors
  after_attention,  // the attention branch's result, before the residual stream takes it in
  after_mlp         // the MLP branch's result, likewise
};

// What stands at a point; made by the method, owned by the point.
struct PointAdapter {
  virtual ~PointAdapter() = default;
  // after_attention, after_mlp: x (B, T, width) -> the same shape.
  virtual Tensor forward(const Tensor& x, const Inputs& inputs) const {
    (void)inputs;
    return x;
  }
  // embeddings, keys_values: the rows of the method's virtual tokens (Method::virtual_tokens), one
  // for the embeddings, two for keys and values: columns `from` .. `from` + width of a tensor
  // (virtual tokens, ...), a parameter's value or what follows from parameters.
  struct Rows {
    Tensor value;
    int64_t from;
  };
  virtual std::vector<Rows> virtual_rows() const { return {}; }
};

struct Point {
  Place place;
  std::string path;  // "model.layers.0.self_attn"
  int64_t layer;     // of the block; 0 for the embeddings
  int64_t width;     // columns of what passes here; kv_heads * head_dim for keys_values
  std::unique_ptr<PointAdapter> adapter;

  // scope: where the adapter's parameters get their names.
  Point(const Scope& scope, Place place, int64_t width, int64_t layer = 0);
  Tensor operator()(const Tensor& x, const Inputs& inputs) const {
    return adapter ? adapter->forward(x, inputs) : x;
  }
  // x (B, T, ...) with the virtual tokens' rows number `which` before each sequence's, where
  // inputs.virtual_tokens says that they stand there: (B, virtual tokens + T, ...).
  Tensor before(const Tensor& x, const Inputs& inputs, size_t which = 0) const {
    return adapter && inputs.virtual_tokens ? lengthened(x, which) : x;
  }
  // y (B, virtual tokens + T, width) without the rows that `before` put there.
  Tensor without(const Tensor& y, const Inputs& inputs) const;

 private:
  Tensor lengthened(const Tensor& x, size_t which) const;
};

}  // namespace afina
