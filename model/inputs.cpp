// Builds the inputs of a forward pass from rows of tokens.
#include "model/inputs.h"

namespace afina {

Inputs make_inputs(int64_t rows, int64_t length, const std::vector<int32_t>& tokens,
                   const std::vector<int32_t>& targets, const std::vector<int32_t>& starts,
                   const std::vector<int64_t>& samples, Device device) {
  size_t n = size_t(rows * length);
  require(tokens.size() == n && starts.size() == n && (targets.empty() || targets.size() == n) &&
              (samples.empty() || samples.size() == n),
          "a batch of ", rows, " rows of ", length, " tokens with ", tokens.size(), " tokens, ",
          targets.size(), " targets, ", starts.size(), " starts");
  std::vector<int32_t> positions(n), keys(samples.empty() ? 0 : 2 * n);
  for (size_t i = 0; i < n; ++i) {
    positions[i] = int32_t(i % size_t(length)) - starts[i];
    if (!samples.empty()) {
      keys[2 * i] = int32_t(samples[i]);
      keys[2 * i + 1] = positions[i];
    }
  }
  Inputs inputs;
  inputs.tokens = Tensor::from(tokens, {rows, length}, device);
  if (!targets.empty()) inputs.targets = Tensor::from(targets, {rows, length}, device);
  inputs.positions = Tensor::from(positions, {rows, length}, device);
  inputs.starts = Tensor::from(starts, {rows, length}, device);
  if (!keys.empty()) inputs.keys = Tensor::from(keys, {rows * length, 2}, device);
  return inputs;
}

Inputs make_inputs(const std::vector<int32_t>& tokens, int64_t position, Device device) {
  std::vector<int32_t> starts(tokens.size(), 0), positions(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) positions[i] = int32_t(position) + int32_t(i);
  int64_t length = int64_t(tokens.size());
  Inputs inputs = make_inputs(1, length, tokens, {}, starts, {}, device);
  inputs.positions = Tensor::from(positions, {1, length}, device);
  return inputs;
}

}  // namespace afina
