// The tiny models of test/stored/tiny with their reference numbers, and comparisons of tensors.
#pragma once
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "engine/files/dequantize.h"
#include "engine/files/safetensors.h"
#include "model/files/weights.h"

namespace afina {

inline std::string tiny_path(const std::string& name) {
  return AFINA_SOURCE_DIR "/test/stored/tiny/" + name;
}

// Stored reference numbers by name.
class Reference {
 public:
  explicit Reference(const std::string& path) : file_(path) {}
  std::vector<float> numbers(const std::string& name) const {
    const StoredTensor& t = file_.at(name);
    std::vector<float> values(size_t(t.count()));
    to_f32(t, 0, t.count(), values.data());
    return values;
  }
  // -100, which marks what is not trained on elsewhere, becomes -1.
  std::vector<int32_t> integers(const std::string& name) const {
    const StoredTensor& t = file_.at(name);
    std::vector<int32_t> values(size_t(t.count()));
    std::memcpy(values.data(), t.data, t.bytes);
    for (int32_t& v : values) v = v == -100 ? -1 : v;
    return values;
  }
  std::vector<int64_t> shape(const std::string& name) const { return file_.at(name).shape; }
  bool has(const std::string& name) const { return file_.find(name) != nullptr; }
  // How many names begin with `prefix`?
  size_t count(const std::string& prefix) const {
    return size_t(std::count_if(tensors().begin(), tensors().end(),
                                [&](const StoredTensor& t) { return t.name.starts_with(prefix); }));
  }
  const StoredTensors& tensors() const { return file_.tensors(); }

 private:
  Safetensors file_;
};

// Values at positions i * size / n, n = min(size, 251): what the reference keeps of a large tensor.
inline std::vector<float> sampled(const std::vector<float>& all) {
  size_t n = std::min<size_t>(all.size(), 251);
  std::vector<float> out;
  for (size_t i = 0; i < n; ++i) out.push_back(all[i * all.size() / n]);
  return out;
}

// The largest distance, as a share of the largest expected value.
inline double distance(const std::vector<float>& found, const std::vector<float>& expected) {
  if (found.size() != expected.size()) return INFINITY;
  double largest = 1e-30, worst = 0.;
  for (float e : expected) largest = std::max(largest, std::fabs(double(e)));
  for (size_t i = 0; i < found.size(); ++i) {
    if (!std::isfinite(found[i])) return INFINITY;
    worst = std::max(worst, std::fabs(double(found[i]) - double(expected[i])));
  }
  return worst / largest;
}

inline std::unique_ptr<Model> tiny_model(const std::string& path,
                                         const std::string& method = "full",
                                         BuildOptions options = {}) {
  ModelFiles files = open_model(path);
  return build_model(files.config, *files.source, make_method(parse_method(method)), options);
}

// Rows of equal length, one document each, samples counted from `first`.
inline Inputs plain_inputs(int64_t rows, const std::vector<int32_t>& tokens,
                           const std::vector<int32_t>& targets = {}, int64_t first = 0,
                           Device device = Device::cpu) {
  int64_t length = int64_t(tokens.size()) / rows;
  std::vector<int64_t> samples;
  for (int64_t i = 0; i < rows * length; ++i) samples.push_back(first + i / length);
  return make_inputs(rows, length, tokens, targets, std::vector<int32_t>(tokens.size(), 0), samples,
                     device);
}

// One row in which `segments` tell documents apart: where each token's document starts.
inline std::vector<int32_t> starts_of(const std::vector<int32_t>& segments) {
  std::vector<int32_t> starts(segments.size(), 0);
  for (size_t i = 1; i < segments.size(); ++i)
    starts[i] = segments[i] == segments[i - 1] ? starts[i - 1] : int32_t(i);
  return starts;
}

inline double scale_of(const std::vector<int32_t>& targets) {
  return 1. /
         double(std::count_if(targets.begin(), targets.end(), [](int32_t t) { return t >= 0; }));
}

}  // namespace afina
