// torch's generator on the CPU and numpy's default one, without either.
#include "model/methods/torch_random.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "engine/dtype.h"
#include "engine/math.h"

namespace afina {

namespace {

constexpr double two_pi = 6.283185307179586;

// numpy.random.SeedSequence: a pool of four words mixed from the seed's, and words drawn from it.
class SeedSequence {
 public:
  explicit SeedSequence(uint64_t seed) {
    std::vector<uint32_t> entropy{uint32_t(seed)};
    if (seed >> 32) entropy.push_back(uint32_t(seed >> 32));
    uint32_t constant = 0x43b0d7e5u;
    auto hashed = [&](uint32_t value) {
      value ^= constant;
      constant *= 0x931e8875u;
      value *= constant;
      return value ^ (value >> 16);
    };
    for (size_t i = 0; i < 4; ++i) pool_[i] = hashed(i < entropy.size() ? entropy[i] : 0u);
    for (size_t from = 0; from < 4; ++from)
      for (size_t to = 0; to < 4; ++to) {
        if (from == to) continue;
        const uint32_t mixed = 0xca01f9ddu * pool_[to] - 0x4973f715u * hashed(pool_[from]);
        pool_[to] = mixed ^ (mixed >> 16);
      }
  }
  // generate_state(count, uint64).
  std::vector<uint64_t> words(size_t count) const {
    std::vector<uint64_t> all;
    uint32_t constant = 0x8b51f9ddu;
    for (size_t i = 0; i < 2 * count; ++i) {
      uint32_t value = pool_[i % 4] ^ constant;
      constant *= 0x58f38dedu;
      value *= constant;
      value ^= value >> 16;
      if (i % 2 == 0) all.push_back(value);
      else all.back() |= uint64_t(value) << 32;
    }
    return all;
  }

 private:
  uint32_t pool_[4] = {};
};

// numpy.random.default_rng(seed).
class NumpyRandom {
 public:
  explicit NumpyRandom(uint64_t seed) {
    const std::vector<uint64_t> of = SeedSequence(seed).words(4);
    increment_ = (wide(of[2], of[3]) << 1) | 1u;
    step();
    state_ += wide(of[0], of[1]);
    step();
  }
  // Uniform from 0 to `most`, by Lemire's multiplication (2019).
  uint32_t up_to(uint32_t most) {
    if (most == 0) return 0;
    const uint32_t count = most + 1;
    uint64_t product = uint64_t(next()) * count;
    if (uint32_t(product) < count) {
      const uint32_t threshold = (0xffffffffu - most) % count;
      while (uint32_t(product) < threshold) product = uint64_t(next()) * count;
    }
    return uint32_t(product >> 32);
  }
  // shuffle(all): numbers too large are drawn again.
  void shuffle(std::vector<int32_t>& all) {
    for (size_t i = all.size(); i-- > 1;) {
      const uint32_t mask = std::bit_ceil(uint32_t(i) + 1) - 1;
      uint32_t j = next() & mask;
      while (j > i) j = next() & mask;
      std::swap(all[j], all[i]);
    }
  }
  // choice(population, count, replace=False).
  std::vector<int32_t> choice(int64_t population, int64_t count) {
    if (population > 10000 && count > population / 50) {
      std::vector<int32_t> all(size_t(population), 0);
      std::iota(all.begin(), all.end(), 0);
      exchange(all, size_t(std::max<int64_t>(population - count, 1)));
      return {all.end() - count, all.end()};
    }
    // Floyd's algorithm (Bentley and Floyd, 1987).
    std::vector<int32_t> chosen;
    std::vector<bool> taken(size_t(population), false);
    for (int64_t j = population - count; j < population; ++j) {
      int32_t value = int32_t(up_to(uint32_t(j)));
      if (taken[size_t(value)]) value = int32_t(j);
      taken[size_t(value)] = true;
      chosen.push_back(value);
    }
    exchange(chosen, 1);
    return chosen;
  }

 private:
  __extension__ using Wide = unsigned __int128;
  // Exchanges the elements from the last down to number `first` with one before or at them.
  void exchange(std::vector<int32_t>& all, size_t first) {
    for (size_t i = all.size(); i-- > first;) std::swap(all[size_t(up_to(uint32_t(i)))], all[i]);
  }
  static Wide wide(uint64_t high, uint64_t low) { return Wide(high) << 64 | low; }
  void step() { state_ = state_ * wide(0x2360ed051fc65da4ull, 0x4385df649fccf645ull) + increment_; }
  // The lower half of a number of 64 bits, then its upper half.
  uint32_t next() {
    if (held_) {
      held_ = false;
      return upper_;
    }
    step();
    const uint64_t high = uint64_t(state_ >> 64), mixed = high ^ uint64_t(state_);
    const unsigned turn = unsigned(high >> 58);
    const uint64_t number = mixed >> turn | mixed << ((64 - turn) % 64);
    held_ = true;
    upper_ = uint32_t(number >> 32);
    return uint32_t(number);
  }
  Wide state_ = 0, increment_ = 0;
  bool held_ = false;
  uint32_t upper_ = 0;
};

}  // namespace

// `to` itself is not drawn: what rounds to it becomes `from`.
std::vector<float> TorchRandom::uniform(int64_t count, float from, float to) {
  std::vector<float> all;
  for (int64_t i = 0; i < count; ++i) {
    const float value = math::fma(float(twister_() & 0xffffffu) * 0x1p-24f, to - from, from);
    all.push_back(value == to ? from : value);
  }
  return all;
}

std::vector<float> TorchRandom::uniform_bf16(int64_t count, float from, float to) {
  const float first = to_float(to_bf16(from)), last = to_float(to_bf16(to));
  std::vector<float> all = uniform(count, from, to);
  for (float& value : all) {
    value = to_float(to_bf16(value));
    if (value == last) value = first;
  }
  return all;
}

std::vector<float> TorchRandom::normal(int64_t count, float deviation) {
  if (count < 16) return few_normal(count, deviation);
  std::vector<float> all = uniform(count, 0.f, 1.f);
  auto make = [&](float* sixteen) {
    for (int i = 0; i < 8; ++i) {
      const double length = math::sqrt(-2. * math::log(1. - double(sixteen[i])));
      double sine, cosine;
      math::sin_cos(two_pi * double(sixteen[i + 8]), sine, cosine);
      sixteen[i] = float(length * cosine) * deviation;
      sixteen[i + 8] = float(length * sine) * deviation;
    }
  };
  for (int64_t i = 0; i + 16 <= count; i += 16) make(&all[size_t(i)]);
  if (count % 16) {  // the last sixteen anew
    const std::vector<float> last = uniform(16, 0.f, 1.f);
    std::copy(last.begin(), last.end(), all.end() - 16);
    make(&all[size_t(count - 16)]);
  }
  return all;
}

std::vector<float> TorchRandom::few_normal(int64_t count, float deviation) {
  auto uniform53 = [this] {
    const uint64_t high = twister_(), low = twister_();
    return double((high << 32 | low) & ((uint64_t(1) << 53) - 1)) * 0x1p-53;
  };
  std::vector<float> all;
  while (int64_t(all.size()) < count) {
    const double first = uniform53(), second = uniform53(),
                 length = math::sqrt(-2. * math::log(1. - second));
    double sine, cosine;
    math::sin_cos(two_pi * first, sine, cosine);
    all.push_back(float(length * cosine * double(deviation)));
    all.push_back(float(length * sine * double(deviation)));
  }
  all.resize(size_t(count));
  return all;
}

std::vector<int32_t> balanced_shuffle(int64_t count, int64_t length, uint64_t seed) {
  NumpyRandom random(seed);
  std::vector<int32_t> all;
  for (int64_t i = 0; i < length; ++i) all.insert(all.end(), size_t(count / length), int32_t(i));
  if (count % length) {
    const std::vector<int32_t> more = random.choice(length, count % length);
    all.insert(all.end(), more.begin(), more.end());
  }
  random.shuffle(all);
  return all;
}

}  // namespace afina
