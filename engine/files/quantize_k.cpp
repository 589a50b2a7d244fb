// The K types of GGUF: 256 numbers in sub-blocks with small whole scales. The scales are chosen by
// least squares: a few steps are tried, each is refined by turns (levels for a scale, the best
// scale for the levels), and the error is judged with the scales as they are stored.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/files/dequantize.h"
#include "engine/files/quantize.h"

namespace afina {

namespace {

constexpr int refinements = 4;

float nearest(float value) { return std::nearbyint(value); }

// Numbers as scale * level - minimum, with levels 0 .. most.
struct Affine {
  float scale = 0.f, minimum = 0.f, error = INFINITY;
};

float affine_error(const float* x, int n, float scale, float minimum, int most) {
  const float inverse = scale > 0.f ? 1.f / scale : 0.f;
  float sum = 0.f;
  for (int i = 0; i < n; ++i) {
    const float level = std::clamp(nearest((x[i] + minimum) * inverse), 0.f, float(most));
    const float off = scale * level - minimum - x[i];
    sum += off * off;
  }
  return sum;
}

// One turn: the levels for scale and minimum, then the best scale and minimum for these levels.
// The format has minima of at least 0 alone.
Affine affine_turn(const float* x, int n, Affine from, int most) {
  const float inverse = from.scale > 0.f ? 1.f / from.scale : 0.f;
  float sl = 0.f, sll = 0.f, sx = 0.f, slx = 0.f;
  for (int i = 0; i < n; ++i) {
    const float level = std::clamp(nearest((x[i] + from.minimum) * inverse), 0.f, float(most));
    sl += level;
    sll += level * level;
    sx += x[i];
    slx += level * x[i];
  }
  const float determinant = float(n) * sll - sl * sl;
  Affine to;
  if (determinant > 0.f) {
    to.scale = (float(n) * slx - sl * sx) / determinant;
    to.minimum = (sl * slx - sll * sx) / determinant;
  }
  if ((to.minimum < 0.f || determinant <= 0.f) && sll > 0.f) {
    to.minimum = 0.f;
    to.scale = slx / sll;
  }
  if (to.scale <= 0.f) return {};
  to.error = affine_error(x, n, to.scale, to.minimum, most);
  return to;
}

// The best scale and minimum that are found for n numbers.
Affine fit_affine(const float* x, int n, int most) {
  const auto [low, high] = std::minmax_element(x, x + n);
  const float least = std::min(*low, 0.f), range = *high - least;
  Affine best;
  if (!(range > 0.f)) {  // all are equal and at most 0: the minimum says it
    best = {0.f, -least, 0.f};
    return best;
  }
  // Steps around the whole range: a little smaller ones clip the ends and serve the middle.
  for (int part = 0; part < 8; ++part) {
    const float share = 1.f - 0.04f * float(part), cut = 0.5f * (1.f - share) * range;
    Affine at = {share * range / float(most), std::max(-least - cut, 0.f), INFINITY};
    at.error = affine_error(x, n, at.scale, at.minimum, most);
    for (int turn = 0; turn < refinements; ++turn) {
      if (at.error < best.error) best = at;
      at = affine_turn(x, n, at, most);
      if (!std::isfinite(at.error)) break;
    }
    if (at.error < best.error) best = at;
  }
  return best;
}

void store_f16(uint8_t* to, float value) {
  const uint16_t bits = float_to_f16(value);
  std::memcpy(to, &bits, 2);
}
float as_f16(float value) { return f16_to_float(float_to_f16(value)); }

// 8 scales and minima of 6 bits each in 12 bytes.
void pack(const uint8_t* scales, const uint8_t* minima, uint8_t* to) {
  for (int j = 0; j < 4; ++j) {
    to[j] = uint8_t(scales[j] | (scales[j + 4] >> 4) << 6);
    to[j + 4] = uint8_t(minima[j] | (minima[j + 4] >> 4) << 6);
    to[j + 8] = uint8_t((scales[j + 4] & 15) | (minima[j + 4] & 15) << 4);
  }
}

// The whole scale and minimum near the wanted ones with which the sub-block's error is least, and
// that error.
float choose_pair(const float* x, const Affine& wanted, float d, float dmin, int most,
                  uint8_t& scale, uint8_t& minimum) {
  const int s = d > 0.f ? int(std::clamp(nearest(wanted.scale / d), 0.f, 63.f)) : 0,
            m = dmin > 0.f ? int(std::clamp(nearest(wanted.minimum / dmin), 0.f, 63.f)) : 0;
  float best = INFINITY;
  for (int i = std::max(s - 1, 0); i <= std::min(s + 1, 63); ++i)
    for (int k = std::max(m - 1, 0); k <= std::min(m + 1, 63); ++k) {
      const float error = affine_error(x, 32, d * float(i), dmin * float(k), most);
      if (error >= best) continue;
      best = error;
      scale = uint8_t(i);
      minimum = uint8_t(k);
    }
  return best;
}

// The scales of a block of 256.
struct Scales {
  float d = 0.f, dmin = 0.f, error = INFINITY;
  uint8_t scales[8] = {}, minima[8] = {};
};

// Those with the least error of some steps: the largest scale need not be 63 of them.
Scales choose_scales(const float* from, const Affine* fits, int most) {
  float scale = 0.f, minimum = 0.f;
  for (int j = 0; j < 8; ++j) {
    scale = std::max(scale, fits[j].scale);
    minimum = std::max(minimum, fits[j].minimum);
  }
  Scales best;
  for (float part : {63.f, 61.5f, 60.f, 58.f}) {
    Scales at;
    at.d = as_f16(scale / part);
    at.dmin = as_f16(minimum / part);
    at.error = 0.f;
    for (int j = 0; j < 8; ++j)
      at.error +=
          choose_pair(from + 32 * j, fits[j], at.d, at.dmin, most, at.scales[j], at.minima[j]);
    if (at.error < best.error || part == 63.f) best = at;
  }
  return best;
}

// Q4_K (most = 15) and Q5_K (31): d, dmin, 12 bytes of scales; the levels, 256 of them.
bool affine_block(const float* from, uint8_t* block, uint8_t* levels, int most) {
  Affine fits[8];
  for (int j = 0; j < 8; ++j) fits[j] = fit_affine(from + 32 * j, 32, most);
  const Scales chosen = choose_scales(from, fits, most);
  store_f16(block, chosen.d);
  store_f16(block + 2, chosen.dmin);
  for (int j = 0; j < 8; ++j) {
    const float scale = chosen.d * float(chosen.scales[j]),
                minimum = chosen.dmin * float(chosen.minima[j]),
                inverse = scale > 0.f ? 1.f / scale : 0.f;
    for (int i = 0; i < 32; ++i)
      levels[32 * j + i] =
          uint8_t(std::clamp(nearest((from[32 * j + i] + minimum) * inverse), 0.f, float(most)));
  }
  pack(chosen.scales, chosen.minima, block + 4);
  return std::isfinite(chosen.d) && std::isfinite(chosen.dmin);
}

// Numbers as scale * level, with levels -32 .. 31; the scale may have either sign.
float symmetric_error(const float* x, float scale) {
  const float inverse = scale != 0.f ? 1.f / scale : 0.f;
  float sum = 0.f;
  for (int i = 0; i < 16; ++i) {
    const float off = scale * std::clamp(nearest(x[i] * inverse), -32.f, 31.f) - x[i];
    sum += off * off;
  }
  return sum;
}

float fit_symmetric(const float* x) {
  float largest = x[0];
  for (int i = 1; i < 16; ++i)
    if (std::fabs(x[i]) > std::fabs(largest)) largest = x[i];
  if (largest == 0.f) return 0.f;
  float best = 0.f, least = INFINITY;
  for (int part = -8; part <= 8; ++part) {
    float scale = largest / (-32.f + 0.1f * float(part));
    for (int turn = 0; turn <= 2; ++turn) {
      const float error = symmetric_error(x, scale);
      if (error < least) {
        least = error;
        best = scale;
      }
      const float inverse = 1.f / scale;
      float slx = 0.f, sll = 0.f;
      for (int i = 0; i < 16; ++i) {
        const float level = std::clamp(nearest(x[i] * inverse), -32.f, 31.f);
        slx += level * x[i];
        sll += level * level;
      }
      if (!(sll > 0.f) || slx == 0.f) break;
      scale = slx / sll;
    }
  }
  return best;
}

}  // namespace

bool q4_k_to_block(const float* from, uint8_t* block) {
  uint8_t levels[256];
  const bool fits = affine_block(from, block, levels, 15);
  for (int j = 0; j < 8; j += 2)
    for (int i = 0; i < 32; ++i)
      block[16 + 16 * j + i] = uint8_t(levels[32 * j + i] | levels[32 * j + 32 + i] << 4);
  return fits;
}

bool q5_k_to_block(const float* from, uint8_t* block) {
  uint8_t levels[256];
  const bool fits = affine_block(from, block, levels, 31);
  std::fill_n(block + 16, 32, uint8_t(0));
  for (int j = 0; j < 8; ++j)
    for (int i = 0; i < 32; ++i) block[16 + i] |= uint8_t((levels[32 * j + i] >> 4) << j);
  for (int j = 0; j < 8; j += 2)
    for (int i = 0; i < 32; ++i)
      block[48 + 16 * j + i] =
          uint8_t((levels[32 * j + i] & 15) | (levels[32 * j + 32 + i] & 15) << 4);
  return fits;
}

bool q6_k_to_block(const float* from, uint8_t* block) {
  float fits[16], largest = 0.f;
  for (int j = 0; j < 16; ++j) {
    fits[j] = fit_symmetric(from + 16 * j);
    if (std::fabs(fits[j]) > std::fabs(largest)) largest = fits[j];
  }
  // Whole scales -128 .. 127: the largest becomes -128.
  store_f16(block + 208, largest / -128.f);
  const float d = as_f16(largest / -128.f);
  uint8_t levels[256];
  for (int j = 0; j < 16; ++j) {
    const float* x = from + 16 * j;
    const int wanted = d != 0.f ? int(std::clamp(nearest(fits[j] / d), -128.f, 127.f)) : 0;
    int chosen = 0;
    float least = INFINITY;
    for (int s = std::max(wanted - 1, -128); s <= std::min(wanted + 1, 127); ++s)
      if (const float error = symmetric_error(x, d * float(s)); error < least) {
        least = error;
        chosen = s;
      }
    block[192 + j] = uint8_t(int8_t(chosen));
    const float scale = d * float(chosen), inverse = scale != 0.f ? 1.f / scale : 0.f;
    for (int i = 0; i < 16; ++i)
      levels[16 * j + i] = uint8_t(int(std::clamp(nearest(x[i] * inverse), -32.f, 31.f)) + 32);
  }
  std::fill_n(block, 192, uint8_t(0));
  for (int i = 0; i < 256; ++i) {
    const int part = i / 128, row = i % 128 / 32, column = i % 32;
    block[64 * part + 32 * (row % 2) + column] |= uint8_t((levels[i] & 15) << (row / 2 * 4));
    block[128 + 32 * part + column] |= uint8_t((levels[i] >> 4) << (2 * row));
  }
  return std::isfinite(d);
}

}  // namespace afina
