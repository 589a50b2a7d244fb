// Random numbers as other programs draw them, for matrices that an adapter's file may leave out
// because they follow from a seed: torch's generator on the CPU and numpy's default one.
#pragma once
#include <cstdint>
#include <random>
#include <vector>

namespace afina {

// torch.Generator().manual_seed(seed) on the CPU (torch 2.15): Mersenne Twister 19937 (Matsumoto
// and Nishimura, 1998), one draw of 32 bits for a number.
class TorchRandom {
 public:
  explicit TorchRandom(uint64_t seed) : twister_(static_cast<uint32_t>(seed)) {}
  // tensor.uniform_(from, to) of f32: the same bits.
  std::vector<float> uniform(int64_t count, float from, float to);
  // The same of bf16: the numbers of f32, rounded.
  std::vector<float> uniform_bf16(int64_t count, float from, float to);
  // tensor.normal_(0, deviation) of f32, by Box and Muller, from 16 elements on in groups of
  // sixteen: torch's numbers within rounding, since its logarithm, sine and cosine differ in the
  // last place.
  std::vector<float> normal(int64_t count, float deviation);

 private:
  std::vector<float> few_normal(int64_t count, float deviation);
  std::mt19937 twister_;
};

// Which number of theta each element of UniLoRA's matrices is, for the whole model in order: every
// one of `length` numbers floor(count / length) times, and once more those that
// numpy.random.default_rng(seed).choice draws without replacement; shuffled by the same generator
// (numpy 2: PCG64, O'Neill, 2014).
std::vector<int32_t> balanced_shuffle(int64_t count, int64_t length, uint64_t seed);

}  // namespace afina
