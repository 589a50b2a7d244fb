// Counter-based random numbers (Philox 4x32-10, Salmon et al., 2011): a number is a function of
// what it is used for and at which position, so the order in which things are built, split or
// resumed cannot change it.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace afina {

// Ten rounds of Philox 4x32 on one counter block.
inline std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter,
                                      std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = uint64_t(0xD2511F53u) * counter[0], p1 = uint64_t(0xCD9E8D57u) * counter[2];
    counter = {uint32_t(p1 >> 32) ^ counter[1] ^ key[0], uint32_t(p1),
               uint32_t(p0 >> 32) ^ counter[3] ^ key[1], uint32_t(p0)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

// 64-bit FNV-1a hash, which turns a tensor's name or a purpose into part of a key.
constexpr uint64_t hash_of(std::string_view text) {
  uint64_t h = 0xcbf29ce484222325ull;
  for (char c : text) h = (h ^ uint8_t(c)) * 0x100000001b3ull;
  return h;
}

// A stream of random numbers keyed by (seed, purpose, name or sample), addressed by position.
class Random {
 public:
  // purpose: what the numbers are for ("init", "shuffle", "dropout"); name: a tensor's name, or any
  // other text.
  Random(uint64_t seed, std::string_view purpose, std::string_view name = "")
      : Random(seed, purpose, hash_of(name)) {}
  Random(uint64_t seed, std::string_view purpose, uint64_t index)
      : key_{uint32_t(seed), uint32_t(seed >> 32)},
        high_(hash_of(purpose) * 0x9E3779B97F4A7C15ull ^ index) {}

  // 32 random bits at a position.
  uint32_t bits(uint64_t position) const { return block(position / 4)[position % 4]; }
  // The four numbers of one block: positions 4i .. 4i+3.
  std::array<uint32_t, 4> block(uint64_t i) const {
    return philox({uint32_t(i), uint32_t(i >> 32), uint32_t(high_), uint32_t(high_ >> 32)}, key_);
  }
  // Uniform in [0, 1), 24 bits.
  float uniform(uint64_t position) const { return float(bits(position) >> 8) * 0x1p-24f; }
  // Uniform integer in [0, n), n < 2^32, by multiplication (bias below 2^-32 * n).
  uint32_t below(uint64_t position, uint32_t n) const {
    return uint32_t((uint64_t(bits(position)) * n) >> 32);
  }
  // Standard normal, by Box-Muller with the functions of engine/math.h. kernel::normals
  // (engine/normals.h) computes many at once.
  float normal(uint64_t position) const;
  // The Philox key of block(), and the upper half of its counter.
  const std::array<uint32_t, 2>& key() const { return key_; }
  uint64_t high() const { return high_; }

 private:
  std::array<uint32_t, 2> key_;
  uint64_t high_;
};

// A permutation of 0 .. n-1 that depends on the stream only (Fisher-Yates; std::shuffle differs
// between libraries).
std::vector<uint32_t> permutation(uint32_t n, const Random& random);

}  // namespace afina
