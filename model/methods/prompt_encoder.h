// Networks that make the rows of virtual tokens while a prompt is trained. What they make is
// stored; they themselves are not, as in PEFT.
#pragma once
#include "model/method.h"

namespace afina {

// Rows (tokens, out) from an embedding (tokens, in) by a small network, in f32 (f64). Its
// parameters are called prompt_encoder.*, with the names that torch has for their parts, and begin
// as there.
class PromptEncoder {
 public:
  virtual ~PromptEncoder() = default;
  virtual Tensor rows() const = 0;
};

// P-tuning's multi-layer perceptron: in -> hidden -> hidden -> out with ReLU between.
std::unique_ptr<PromptEncoder> mlp_encoder(const Scope& scope, int64_t tokens, int64_t in,
                                           int64_t hidden, int64_t out);
// P-tuning's bidirectional LSTM (Hochreiter and Schmidhuber, 1997) of `layers` layers over the
// tokens, then 2 hidden -> 2 hidden -> out with ReLU between.
std::unique_ptr<PromptEncoder> lstm_encoder(const Scope& scope, int64_t tokens, int64_t in,
                                            int64_t hidden, int64_t layers, int64_t out);
// Prefix tuning's projection: in -> hidden -> out with tanh between.
std::unique_ptr<PromptEncoder> projection_encoder(const Scope& scope, int64_t tokens, int64_t in,
                                                  int64_t hidden, int64_t out);

}  // namespace afina
