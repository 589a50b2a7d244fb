// One element's step of AdamW, and the numbers of a step, computed as on the CPU.
#pragma once
#include "cuda/elements.cuh"
#include "engine/ops/adamw.h"

namespace afina::AFINA_GPU {

template <class S>
struct Constants {
  S keep, rate, scale, eps, b1, rest1, b2, rest2, shrink;
};
template <class S>
Constants<S> constants_of(const AdamWStep& step) {
  double lr = double(step.lr), beta1 = double(step.beta1), beta2 = double(step.beta2),
         own = double(step.rate);
  return {S(1. - lr * own * double(step.decay)),
          S(-lr / double(step.bias1) * own),
          S(step.gradient_scale),
          S(step.eps),
          S(beta1),
          S(1. - beta1),
          S(beta2),
          S(1. - beta2),
          S(1. / double(step.bias2_root))};
}

// Moves one weight and its moments along a gradient.
template <class S>
__device__ void move_one(S& weight, S& first, S& second, S gradient, const Constants<S>& c) {
  S slope = gradient * c.scale;
  first = math::v_fma(c.b1, first, c.rest1 * slope);
  second = math::v_fma(c.b2, second, c.rest2 * slope * slope);
  weight = math::v_fma(c.rate, first / math::v_fma(math::v_sqrt(second), c.shrink, c.eps),
                       weight * c.keep);
}

}  // namespace afina::AFINA_GPU
