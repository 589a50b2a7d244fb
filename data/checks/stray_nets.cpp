// A forward pass through small networks.
#include "data/checks/stray_nets.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/math.h"

namespace afina {

void chances_of(const SmallNets& nets, std::span<const float> inputs, std::span<double> chances) {
  std::fill(chances.begin(), chances.end(), 0.);
  std::array<double, 8> odds{};
  std::array<float, 32> hidden{};
  const float* w = nets.weights;
  for (size_t n = 0; n < nets.nets; ++n) {
    for (size_t h = 0; h < nets.hidden; ++h) {
      float sum = w[nets.inputs];
      for (size_t i = 0; i < nets.inputs; ++i) sum += w[i] * inputs[i];
      hidden[h] = sum / (1 + std::abs(sum));
      w += nets.inputs + 1;
    }
    double all = 0;
    for (size_t k = 0; k < nets.kinds; ++k) {
      float sum = w[nets.hidden];
      for (size_t h = 0; h < nets.hidden; ++h) sum += w[h] * hidden[h];
      odds[k] = math::exp(std::clamp(double(sum), -30., 30.));
      all += odds[k];
      w += nets.hidden + 1;
    }
    for (size_t k = 0; k < nets.kinds; ++k) chances[k] += odds[k] / all / double(nets.nets);
  }
}

}  // namespace afina
