// The networks behind prompts, of recorded operations.
#include "model/methods/prompt_encoder.h"

#include "engine/ops/linear.h"
#include "model/methods/targeted.h"

namespace afina {

namespace {

// A part of an encoder: needed in training alone, held and trained in f32 (f64).
Parameter& part(const Scope& scope, const std::string& name, const Shape& shape, Init init) {
  return scope.added("prompt_encoder." + name, shape, init,
                     {.shared = true, .vector = true, .decays = shape.rank() > 1, .aside = true});
}
Parameter& embedding_of(const Scope& scope, int64_t tokens, int64_t in) {
  return part(scope, "embedding.weight", {tokens, in}, {Init::normal, 1.f});
}

struct Layer {
  Parameter &weight, &bias;
  Layer(const Scope& scope, const std::string& name, int64_t in, int64_t out)
      : weight(part(scope, name + ".weight", {out, in}, kaiming(in))),
        bias(part(scope, name + ".bias", {out}, kaiming(in))) {}
  Tensor operator()(const Tensor& x) const { return linear(x, weight.value, bias.value); }
};

// Layers with one function between them.
struct Perceptron {
  std::vector<Layer> layers;
  Tensor (*between)(const Tensor&);
  Tensor operator()(Tensor x) const {
    for (size_t i = 0; i < layers.size(); ++i) x = layers[i](i ? between(x) : x);
    return x;
  }
};

struct Mlp : PromptEncoder {
  Parameter& embedding;
  Perceptron head;
  Mlp(Parameter& embedding, Perceptron head) : embedding(embedding), head(std::move(head)) {}
  Tensor rows() const override { return head(embedding.value); }
};

// One direction of one layer of an LSTM over the rows of x.
struct Direction {
  Parameter &input, &state, &input_bias, &state_bias;  // (4 hidden, in), (4 hidden, hidden), biases
  int64_t hidden;
  bool backwards;
  Direction(const Scope& scope, const std::string& suffix, int64_t in, int64_t hidden,
            bool backwards)
      : input(part(scope, "lstm_head.weight_ih_" + suffix, {4 * hidden, in}, kaiming(hidden))),
        state(part(scope, "lstm_head.weight_hh_" + suffix, {4 * hidden, hidden}, kaiming(hidden))),
        input_bias(part(scope, "lstm_head.bias_ih_" + suffix, {4 * hidden}, kaiming(hidden))),
        state_bias(part(scope, "lstm_head.bias_hh_" + suffix, {4 * hidden}, kaiming(hidden))),
        hidden(hidden),
        backwards(backwards) {}
  // x (tokens, in) -> (tokens, hidden).
  Tensor operator()(const Tensor& x) const {
    const int64_t tokens = x.rows();
    const Tensor of_x = reshape(linear(x, input.value, input_bias.value), {1, tokens * 4 * hidden});
    std::vector<Tensor> states(static_cast<size_t>(tokens));
    Tensor cell, before;
    for (int64_t i = 0; i < tokens; ++i) {
      const int64_t at = backwards ? tokens - 1 - i : i;
      Tensor gates = columns(of_x, at * 4 * hidden, 4 * hidden);
      const Tensor from =
          before ? before : Tensor::zeros({1, hidden}, gates.dtype(), gates.device());
      gates = gates + linear(from, state.value, state_bias.value);
      auto gate = [&](int64_t which) { return columns(gates, which * hidden, hidden); };
      const Tensor fresh = sigmoid(gate(0)) * tanh(gate(2));
      cell = cell ? sigmoid(gate(1)) * cell + fresh : fresh;
      before = sigmoid(gate(3)) * tanh(cell);
      states[size_t(at)] = before;
    }
    return reshape(concat_columns(states), {tokens, hidden});
  }
};

struct Lstm : PromptEncoder {
  Parameter& embedding;
  std::vector<Direction> directions;  // two for each layer
  Perceptron head;
  explicit Lstm(Parameter& embedding) : embedding(embedding), head{{}, relu} {}
  Tensor rows() const override {
    Tensor x = embedding.value;
    for (size_t i = 0; i < directions.size(); i += 2)
      x = concat_columns({directions[i](x), directions[i + 1](x)});
    return head(x);
  }
};

}  // namespace

std::unique_ptr<PromptEncoder> mlp_encoder(const Scope& scope, int64_t tokens, int64_t in,
                                           int64_t hidden, int64_t out) {
  Parameter& embedding = embedding_of(scope, tokens, in);
  Perceptron head{{}, relu};
  head.layers.emplace_back(scope, "mlp_head.0", in, hidden);
  head.layers.emplace_back(scope, "mlp_head.2", hidden, hidden);
  head.layers.emplace_back(scope, "mlp_head.4", hidden, out);
  return std::make_unique<Mlp>(embedding, std::move(head));
}

std::unique_ptr<PromptEncoder> lstm_encoder(const Scope& scope, int64_t tokens, int64_t in,
                                            int64_t hidden, int64_t layers, int64_t out) {
  auto lstm = std::make_unique<Lstm>(embedding_of(scope, tokens, in));
  for (int64_t i = 0; i < layers; ++i)
    for (bool backwards : {false, true})
      lstm->directions.emplace_back(scope, "l" + std::to_string(i) + (backwards ? "_reverse" : ""),
                                    i ? 2 * hidden : in, hidden, backwards);
  lstm->head.layers.emplace_back(scope, "mlp_head.0", 2 * hidden, 2 * hidden);
  lstm->head.layers.emplace_back(scope, "mlp_head.2", 2 * hidden, out);
  return lstm;
}

std::unique_ptr<PromptEncoder> projection_encoder(const Scope& scope, int64_t tokens, int64_t in,
                                                  int64_t hidden, int64_t out) {
  Parameter& embedding = embedding_of(scope, tokens, in);
  Perceptron head{{}, tanh};
  head.layers.emplace_back(scope, "transform.0", in, hidden);
  head.layers.emplace_back(scope, "transform.2", hidden, out);
  return std::make_unique<Mlp>(embedding, std::move(head));
}

}  // namespace afina
