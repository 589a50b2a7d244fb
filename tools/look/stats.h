// What a tensor's elements are like: range, mean, norm, a histogram, extreme values with their
// places.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace afina {

struct ValueStats {
  static constexpr int bins = 24;
  static constexpr size_t extremes = 4;
  struct Extreme {
    double value;
    int64_t at;  // position of the element, row-major
  };
  int64_t count = 0, zeros = 0, not_finite = 0;
  // Of the finite elements; norm: the root of the sum of squares.
  double least = 0, most = 0, mean = 0, norm = 0;
  std::array<int64_t, bins> histogram{};  // equal bins from least to most
  std::vector<Extreme> lowest, highest;   // from the outermost on
};

// Reads the elements where they are, or a copy on the host; of i32 tensors too. Allocates nothing
// that the meter counts for a tensor on the CPU.
ValueStats stats_of(const Tensor& t);
// The norm of the difference of two tensors of one size, the second as values on the host.
double distance_between(const Tensor& t, const std::vector<double>& other);

// The index of the element at a position: "[0, 17, 5]" in a tensor of shape (8, 256, 128).
std::string index_text(const Shape& shape, int64_t position);

}  // namespace afina
