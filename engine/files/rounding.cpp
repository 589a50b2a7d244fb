// Bounds of rounding.
#include "engine/files/rounding.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"

namespace afina {

namespace {

constexpr double room = 1.5, weighed_share = 0.95;
constexpr double f16_relative = 0x1p-11, f16_least = 0x1p-25;  // its rounding; of the smallest

// Levels of a block format. symmetric: whole multiples of the scale, `steps` of them to the largest
// number; affine: `steps` of them from the least number or 0 to the largest.
struct Levels {
  int64_t group;
  bool affine;
  double steps;
  double scales;  // the largest whole scale in a block of 256; 0: the scale is an f16
};

const Levels* levels_of(StoredType type) {
  static constexpr Levels q4_0 = {32, false, 8, 0}, q4_1 = {32, true, 15, 0},
                          q5_0 = {32, false, 16, 0}, q5_1 = {32, true, 31, 0},
                          q8_0 = {32, false, 127, 0}, q2_k = {16, true, 3, 15},
                          q3_k = {16, false, 4, 32}, q4_k = {32, true, 15, 63},
                          q5_k = {32, true, 31, 63}, q6_k = {16, false, 32, 128};
  // Levels -127 to 113, which lie at most 24 apart.
  static constexpr Levels iq4_nl = {32, false, 113. / 24., 0}, iq4_xs = {32, false, 113. / 24., 32};
  switch (type) {
    case StoredType::q4_0: return &q4_0;
    case StoredType::q4_1: return &q4_1;
    case StoredType::q5_0: return &q5_0;
    case StoredType::q5_1: return &q5_1;
    case StoredType::q8_0: return &q8_0;
    case StoredType::q2_k: return &q2_k;
    case StoredType::q3_k: return &q3_k;
    case StoredType::q4_k: return &q4_k;
    case StoredType::q5_k: return &q5_k;
    case StoredType::q6_k: return &q6_k;
    case StoredType::iq4_nl: return &iq4_nl;
    case StoredType::iq4_xs: return &iq4_xs;
    default: return nullptr;
  }
}

// What the smallest scales of an f16 may be off, at the highest level.
double least_scale(const Levels& levels) {
  return f16_least * std::max(levels.scales, 1.) * (levels.steps + (levels.affine ? 1. : 0.));
}

double squared(double x) { return x * x; }

// Half a unit in the last of `digits` binary digits of x; of the smallest numbers `least`.
double half_unit(float x, int digits, double least) {
  int exponent = 0;
  std::frexp(double(x), &exponent);  // |x| = m 2^exponent, m from 0.5 to 1
  return x == 0.f ? 0. : std::max(std::ldexp(1., exponent - digits - 1), least);
}

// 32 numbers of E2M1, whose levels 0, 0.5, 1, 1.5, 2, 3, 4, 6 are at most a quarter of a number
// apart from it from 2 on, and 0.5 apart below. The scale is a power of two: the largest number is
// 3 to 8 of it, the end of which is cut off, by a quarter as well.
double mxfp4_bound(const float* x) {
  float largest = 0.f;
  for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(x[i]));
  double squares = 0.;
  for (int i = 0; i < 32; ++i)
    squares += squared(std::max(std::fabs(double(x[i])) / 4., std::fabs(double(largest)) / 12.));
  return room * std::sqrt(squares / 32.) + 0x1p-126;
}

}  // namespace

double gaussian_rounding(StoredType type) {
  switch (type) {
    case StoredType::f64:
    case StoredType::f32: return 0.;
    case StoredType::f16: return 2.1e-4;
    case StoredType::bf16: return 1.7e-3;
    case StoredType::q8_0: return 5.3e-3;
    case StoredType::q6_k: return 0.018;
    case StoredType::q5_k: return 0.036;
    case StoredType::q5_1: return 0.038;
    case StoredType::q5_0: return 0.043;
    case StoredType::q4_k: return 0.071;
    case StoredType::iq4_nl: return 0.076;
    case StoredType::iq4_xs: return 0.077;
    case StoredType::q4_1: return 0.078;
    case StoredType::q4_0: return 0.086;
    case StoredType::mxfp4: return 0.114;
    case StoredType::q3_k: return 0.15;
    case StoredType::q2_k: return 0.30;
    default: return -1.;
  }
}

int64_t numbers_per_scale(StoredType type) {
  if (const Levels* levels = levels_of(type)) return levels->group;
  if (type == StoredType::mxfp4) return 32;
  const bool floating = type == StoredType::f64 || type == StoredType::f32 ||
                        type == StoredType::f16 || type == StoredType::bf16;
  return floating ? 1 : 0;
}

bool may_be_weighed(StoredType type) {
  return levels_of(type) != nullptr && type != StoredType::q8_0;
}

double weighed_bound(StoredType type, const float* x) {
  const Levels* levels = levels_of(type);
  require(levels, name(type), " is no type of blocks that are weighed");
  const int count = info(type).block_elements;
  double squares = 0.;
  for (int i = 0; i < count; ++i) squares += double(x[i]) * double(x[i]);
  return weighed_share * std::sqrt(squares / count) + room * least_scale(*levels);
}

void rounding_bounds(StoredType type, const float* x, double* bounds) {
  require(numbers_per_scale(type) > 0, "no bound is known for rounding to ", name(type));
  if (type == StoredType::f64 || type == StoredType::f32) *bounds = 0.;
  else if (type == StoredType::f16) *bounds = half_unit(*x, 11, f16_least);
  else if (type == StoredType::bf16) *bounds = half_unit(*x, 8, 0x1p-134);
  else if (type == StoredType::mxfp4) *bounds = mxfp4_bound(x);
  const Levels* levels = levels_of(type);
  if (!levels) return;
  const int64_t groups = info(type).block_elements / levels->group;
  // Of every group the width that the levels span, and the minimum below zero of affine ones.
  double widest = 0., deepest = 0.;
  auto span = [&](int64_t group, double& below) {
    const float* first = x + group * levels->group;
    const auto [low, high] = std::minmax_element(first, first + levels->group);
    if (!levels->affine) {
      below = 0.;
      return double(std::max(std::fabs(*low), std::fabs(*high)));
    }
    // Only the formats without whole scales can begin above zero.
    const double least = levels->scales > 0. ? double(std::min(*low, 0.f)) : double(*low);
    below = std::fabs(least);
    return double(*high) - least;
  };
  for (int64_t g = 0; g < groups; ++g) {
    double below = 0.;
    widest = std::max(widest, span(g, below));
    deepest = std::max(deepest, below);
  }
  for (int64_t g = 0; g < groups; ++g) {
    double below = 0.;
    const double width = span(g, below), half = width / levels->steps / 2.;
    double of_scales = f16_relative * (width + below) + least_scale(*levels);
    if (levels->scales > 0.) of_scales += (widest + deepest) / (2. * levels->scales);
    bounds[g] = room * (half + of_scales);
  }
}

}  // namespace afina
