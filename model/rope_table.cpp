// Rotary frequencies and tables of cosines and sines.
#include "model/rope_table.h"

#include <algorithm>
#include <cmath>

#include "engine/math.h"

namespace afina {

namespace {

constexpr double pi = 3.14159265358979323846;

// theta^(2 i / turned) in f32.
std::vector<float> wavelengths(const RopeForm& form) {
  std::vector<float> all;
  for (int64_t i = 0; i < form.turned / 2; ++i)
    all.push_back(float(math::power(form.theta, double(float(2 * i) / float(form.turned)))));
  return all;
}

// Llama 3's scaling: divides frequencies with long wavelengths (beyond the original context) by
// factor, keeps those with short wavelengths, and interpolates between. Computed in f32, operation
// by operation as transformers' _compute_llama3_parameters does.
void scale_llama3(std::vector<float>& frequencies, const RopeForm& form) {
  float factor = float(form.factor), low = float(form.low), high = float(form.high),
        original = float(form.original);
  for (float& f : frequencies) {
    float wavelength = float(2 * pi) / f;
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

// YaRN: divides the frequencies of column pairs that turn less than beta_slow times in the original
// context by factor, keeps those that turn more than beta_fast times, and interpolates between.
std::vector<float> yarn(const RopeForm& form) {
  auto column = [&](double turns) {
    return double(form.turned) * math::log(double(form.original) / (turns * 2 * pi)) /
           (2 * math::log(form.theta));
  };
  double low = column(form.beta_fast), high = column(form.beta_slow);
  if (form.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.);
  high = std::min(high, double(form.turned - 1));
  if (low == high) high += 0.001;
  std::vector<float> all = wavelengths(form);
  for (size_t i = 0; i < all.size(); ++i) {
    float ramp = (float(i) - float(low)) / float(high - low),
          kept = 1.f - std::clamp(ramp, 0.f, 1.f);
    all[i] = 1.f / (float(form.factor) * all[i]) * (1.f - kept) + 1.f / all[i] * kept;
  }
  return all;
}

}  // namespace

std::vector<float> rope_frequencies(const RopeForm& form, bool extended) {
  if (form.kind == "yarn") return yarn(form);
  std::vector<float> all = wavelengths(form);
  if (form.kind == "longrope") {
    const std::vector<double>& factors = extended ? form.long_factors : form.short_factors;
    for (size_t i = 0; i < all.size(); ++i) all[i] = 1.f / (float(factors[i]) * all[i]);
    return all;
  }
  for (float& f : all) f = 1.f / f;
  if (form.kind == "linear")
    for (float& f : all) f /= float(form.factor);
  if (form.kind == "llama3") scale_llama3(all, form);
  return all;
}

RopeTable::RopeTable(const RopeForm& form, Dtype dtype, Device device)
    : form_(form),
      frequencies_(rope_frequencies(form)),
      dtype_(statistic_dtype(dtype)),
      device_(device) {
  if (form.kind == "longrope" && form.original < form.context)
    extended_ = rope_frequencies(form, true);
}

const Tensor& RopeTable::up_to(int64_t end) {
  if (table_ && length_ >= end) return table_;
  int64_t rows = 256;
  while (rows < end) rows *= 2;
  length_ = std::max(end, std::min(rows, form_.context));
  const size_t half = frequencies_.size(), length = size_t(length_);
  std::vector<float> values((extends() ? 2 : 1) * length * 2 * half);
  auto fill = [&](float* to, const std::vector<float>& frequencies) {
    for (size_t p = 0; p < length; ++p)
      for (size_t i = 0; i < half; ++i) {
        float angle = float(p) * frequencies[i];
        double sin, cos;
        math::sin_cos(double(angle), sin, cos);
        to[p * 2 * half + i] = float(cos);
        to[p * 2 * half + half + i] = float(sin);
      }
  };
  fill(values.data(), frequencies_);
  if (extends()) fill(values.data() + length * 2 * half, extended_);
  if (form_.attention_factor != 1.)
    for (float& v : values) v *= float(form_.attention_factor);
  PurposeScope purpose(Purpose::weights);
  if (table_ && table_.device() != Device::cpu)
    earlier_tables_.push_back(table_);  // captured steps still read it
  table_ = Tensor::from(values, {int64_t(values.size() / (2 * half)), int64_t(2 * half)}, dtype_,
                        device_);
  return table_;
}

// For what follows from positions on the host.
void RopeTable::require_host(const char* what) const {
  require(device_ == Device::cpu || device_ == Device::shapes, "documents longer than the model's ",
          form_.original, " original positions have other ", what, ", which device '",
          name(device_), "' cannot choose; use --length ", form_.original, " or --device cpu");
}

std::vector<double> RopeTable::query_factors(const Inputs& in, int64_t end) const {
  if (form_.query_beta == 0. || end <= form_.original) return {};
  require_host("factors of queries");
  std::vector<double> all;
  for (int32_t position : in.positions.integers())
    all.push_back(1. + form_.query_beta * math::log(1. + double(position / form_.original)));
  return all;
}

RopeTable::Turned RopeTable::turned(const Inputs& in, int64_t end) {
  const Tensor& table = up_to(end);
  Turned plain{table, in.positions, query_factors(in, end)};
  if (!extends() || end <= form_.original) return plain;
  std::vector<int32_t> positions = in.positions.integers(), starts = in.starts.integers();
  const size_t columns = size_t(in.positions.columns());
  bool any = false;
  for (size_t from = 0; from < positions.size();) {
    size_t to = from + 1, row_end = (from / columns + 1) * columns;
    while (to < row_end && starts[to] == starts[from]) ++to;
    if (int64_t(positions[to - 1]) + 1 > form_.original) {
      any = true;
      for (size_t i = from; i < to; ++i) positions[i] += int32_t(length_);
    }
    from = to;
  }
  if (!any) return plain;
  require_host("rotary frequencies (longrope)");
  PurposeScope purpose(Purpose::workspace);
  plain.rows = Tensor::from(positions, in.positions.shape(), device_);
  return plain;
}

}  // namespace afina
