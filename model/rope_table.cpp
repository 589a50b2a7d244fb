// Rotary frequencies and tables of cosines and sines.
#include "model/rope_table.h"

#include <algorithm>

#include "engine/math.h"

namespace afina {

namespace {

// Llama 3's scaling: divides frequencies with long wavelengths (beyond the original context) by
// factor, keeps those with short wavelengths, and interpolates between. Computed in f32, operation
// by operation as transformers' _compute_llama3_parameters does.
void scale_llama3(std::vector<float>& frequencies, const Json& scaling, const std::string& where) {
  auto number = [&](const char* key) {
    double value = get<double>(scaling, key, where);
    require(value > 0. && value < 1e9, where, ": '", key, "' is ", value,
            " where a number above 0 is expected");
    return float(value);
  };
  float factor = number("factor"), low = number("low_freq_factor"),
        high = number("high_freq_factor"), original = number("original_max_position_embeddings");
  require(high > low, where, ": high_freq_factor ", high, " should be above low_freq_factor ", low);
  for (float& f : frequencies) {
    float wavelength = float(2 * 3.14159265358979323846) / f;
    if (wavelength < original / high) continue;
    float scaled = f / factor;
    if (wavelength > original / low) {
      f = scaled;
    } else {
      float smooth = (original / wavelength - low) / (high - low);
      f = (1.f - smooth) * scaled + smooth * f;
    }
  }
}

// transformers 4 writes rope_scaling (with "type" or "rope_type"), transformers 5 rope_parameters.
const Json* scaling_of(const Json& json, const std::string& where) {
  const Json* scaling = find_member(json, "rope_parameters", where);
  if (!scaling) scaling = find_member(json, "rope_scaling", where);
  if (scaling)
    require(scaling->is_object(), where, ": rope_scaling should be an object, not ",
            describe(*scaling));
  return scaling;
}

}  // namespace

std::vector<float> rope_frequencies(const ModelConfig& config, const std::string& where) {
  std::vector<float> frequencies;
  for (int64_t i = 0; i < config.head_dim / 2; ++i) {
    double exponent = double(float(2 * i) / float(config.head_dim));
    frequencies.push_back(1.f / float(math::power(config.rope_theta, exponent)));
  }
  const Json* scaling = scaling_of(config.json, where);
  if (!scaling) return frequencies;
  std::string kind = get_or<std::string>(*scaling, "rope_type", where,
                                         get_or<std::string>(*scaling, "type", where, "default"));
  if (kind == "linear") {
    double factor = get<double>(*scaling, "factor", where);
    require(factor >= 1. && factor < 1e6, where, ": rope scaling factor ", factor,
            " where 1 or more is expected");
    for (float& f : frequencies) f /= float(factor);
  } else if (kind == "llama3") {
    scale_llama3(frequencies, *scaling, where);
  } else {
    require(kind == "default", where, ": rope scaling '", kind,
            "' is not known; known: default, linear, llama3");
  }
  return frequencies;
}

RopeTable::RopeTable(const ModelConfig& config, Dtype dtype, Device device)
    : frequencies_(rope_frequencies(config, "config")),
      context_(config.context),
      dtype_(statistic_dtype(dtype)),
      device_(device) {}

const Tensor& RopeTable::up_to(int64_t end) {
  if (table_ && table_.rows() >= end) return table_;
  int64_t rows = 256;
  while (rows < end) rows *= 2;
  rows = std::max(end, std::min(rows, context_));
  size_t half = frequencies_.size();
  std::vector<float> values(size_t(rows) * 2 * half);
  for (size_t p = 0; p < size_t(rows); ++p)
    for (size_t i = 0; i < half; ++i) {
      float angle = float(p) * frequencies_[i];
      double sin, cos;
      math::sin_cos(double(angle), sin, cos);
      values[p * 2 * half + i] = float(cos);
      values[p * 2 * half + half + i] = float(sin);
    }
  PurposeScope purpose(Purpose::weights);
  if (table_ && table_.device() != Device::cpu)
    earlier_tables_.push_back(table_);  // captured steps still read it
  table_ = Tensor::from(values, {rows, int64_t(2 * half)}, dtype_, device_);
  return table_;
}

}  // namespace afina
