// The numbers of an AdamW step that follow from options and step alone.
#include "engine/train/adamw_numbers.h"

#include "engine/math.h"

namespace afina {

namespace {

// b^n for whole n by squaring, in f64.
double whole_power(double b, int64_t n) {
  double out = 1.;
  for (; n; n /= 2, b *= b)
    if (n % 2) out *= b;
  return out;
}

}  // namespace

float bias1_of(const OptimizerOptions& options, int64_t step) {
  return float(1. - whole_power(options.beta1, step + 1));
}
float bias2_root_of(const OptimizerOptions& options, int64_t step) {
  return float(math::sqrt(1. - whole_power(options.beta2, step + 1)));
}
float decay_of(const OptimizerOptions& options, const Parameter& parameter) {
  return parameter.decays ? float(options.weight_decay) : 0.f;
}
AdamWStep adamw_step(const OptimizerOptions& options, const Parameter& parameter, double lr,
                     double gradient_scale, int64_t step) {
  AdamWStep s{};
  s.lr = float(lr);
  s.beta1 = float(options.beta1);
  s.beta2 = float(options.beta2);
  s.eps = float(options.eps);
  s.decay = decay_of(options, parameter);
  s.bias1 = bias1_of(options, step);
  s.bias2_root = bias2_root_of(options, step);
  s.gradient_scale = float(gradient_scale);
  s.rate = float(parameter.rate);
  return s;
}

}  // namespace afina
