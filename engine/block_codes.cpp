// The values that codes of few bits stand for, as bitsandbytes 0.50.2 has them, bit for bit.
#include <algorithm>
#include <array>
#include <cstring>

#include "engine/blocks.h"

namespace afina {

namespace {

float of_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

// signs: 2^i values of each sign in decade i; else 2^(i + 1) positive ones.
std::vector<float> made_dynamic_map(bool signs) {
  std::vector<float> all = {0.f, 1.f};
  // As bitsandbytes writes them; each is rounded to f32.
  constexpr double tens[] = {1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.};
  for (int i = 0; i < 7; ++i) {
    // The middles of neighbours among points from 0.1 to 1, as torch.linspace has these: the first
    // half counted from the beginning, the second from the end.
    const int parts = signs ? 1 << i : 2 << i, points = parts + 1;
    const float step = 0.9f / float(parts);
    auto point = [&](int k) {
      return k < points / 2 ? float(double(0.1f) + double(step) * k)
                            : float(1. - double(step) * (points - 1 - k));
    };
    for (int k = 0; k + 1 < points; ++k) {
      const float value = (point(k) + point(k + 1)) / 2.f * float(tens[i]);
      all.push_back(value);
      if (signs) all.push_back(-value);
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

// Place k holds the index of the value nearest to 2 k / 65535 - 1.
std::array<uint8_t, 65536> made_places() {
  std::array<uint8_t, 65536> places{};
  const std::vector<float>& map = dynamic_map();
  size_t at = 0;
  for (size_t k = 0; k < places.size(); ++k) {
    const float x = float(-1. + 2. * double(k) / 65535.);
    while (at + 1 < map.size() && double(x) - double(map[at]) > double(map[at + 1]) - double(x))
      ++at;
    places[k] = uint8_t(at);
  }
  return places;
}

}  // namespace

const std::vector<float>& nf4_code() {
  static const std::vector<float> all = [] {
    std::vector<float> values;
    for (uint32_t bits :
         {0xBF800000u, 0xBF3239B1u, 0xBF066B30u, 0xBECA32A0u, 0xBE91A24Du, 0xBE3D353Fu, 0xBDBA7871u,
          0x00000000u, 0x3DA2FAFFu, 0x3E24CAE3u, 0x3E7C04DDu, 0x3EAD033Au, 0x3EE1A4B8u, 0x3F1007ABu,
          0x3F3913B3u, 0x3F800000u})
      values.push_back(of_bits(bits));
    return values;
  }();
  return all;
}

const std::vector<float>& fp4_code() {
  static const std::vector<float> all = [] {
    std::vector<float> values = {0.f,         0.0052083335f, 0.6666667f,  1.f,
                                 0.33333334f, 0.5f,          0.16666667f, 0.25f};
    values.push_back(0.f);
    for (size_t i = 1; i < 8; ++i) values.push_back(-values[i]);
    return values;
  }();
  return all;
}

const std::vector<float>& dynamic_map() {
  static const std::vector<float> all = made_dynamic_map(true);
  return all;
}
const std::vector<float>& unsigned_dynamic_map() {
  static const std::vector<float> all = made_dynamic_map(false);
  return all;
}

uint8_t dynamic_index(float y) {
  static const std::array<uint8_t, 65536> places = made_places();
  const int place = int((y + 1.f) * 32767.5f + 0.5f);
  return places[size_t(std::clamp(place, 0, 65535))];
}

}  // namespace afina
