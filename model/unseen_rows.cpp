// Nearly equal rows found by a few projections, then compared whole.
#include "model/unseen_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "engine/blocks.h"
#include "engine/random.h"
#include "engine/threads.h"

namespace afina {

namespace {

constexpr int projections = 8;
constexpr double alike = 0.998;  // the cosine
// Two unit vectors with that cosine differ by 0.063, and so do, as one deviation, their products
// with a vector of random signs.
constexpr float window = 0.25f;
constexpr int others = 3;

struct Sketch {
  float norm = 0.f;
  std::array<float, projections> products{};  // of the row of length 1 with the vectors of signs
};

std::vector<Sketch> sketches_of(const Tensor& table) {
  const int64_t rows = table.rows(), width = table.columns(), piece = 4096;
  std::vector<float> signs(size_t(width * projections));
  const Random random(0, "signs", "unseen rows");
  for (size_t i = 0; i < signs.size(); ++i) signs[i] = random.uniform(i) < 0.5f ? -1.f : 1.f;
  std::vector<Sketch> all(static_cast<size_t>(rows));
  for (int64_t first = 0; first < rows; first += piece) {
    const int64_t count = std::min(piece, rows - first);
    const std::vector<float> values = rows_of(table, first, count).values();
    parallel_for(count, 64, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        Sketch& sketch = all[size_t(first + r)];
        const float* row = values.data() + r * width;
        double square = 0.;
        std::array<double, projections> sums{};
        for (int64_t i = 0; i < width; ++i) {
          square += double(row[i]) * row[i];
          for (size_t p = 0; p < projections; ++p)
            sums[p] += double(row[i]) * signs[size_t(i) * projections + p];
        }
        sketch.norm = float(std::sqrt(square));
        for (size_t p = 0; p < projections; ++p)
          sketch.products[p] = sketch.norm > 0.f ? float(sums[p] / double(sketch.norm)) : 0.f;
      }
    });
  }
  return all;
}

class Rows {
 public:
  explicit Rows(const Tensor& table) : table_(table), all_(sketches_of(table)) {
    for (size_t i = 0; i < all_.size(); ++i) order_.push_back(int32_t(i));
    auto first = [this](int32_t row) { return all_[size_t(row)].products[0]; };
    std::sort(order_.begin(), order_.end(), [&](int32_t a, int32_t b) {
      return first(a) != first(b) ? first(a) < first(b) : a < b;
    });
    std::vector<float> norms;
    for (const Sketch& s : all_) norms.push_back(s.norm);
    std::nth_element(norms.begin(), norms.begin() + int64_t(norms.size() / 2), norms.end());
    median_ = norms[norms.size() / 2];
  }
  bool unseen(int32_t row) {
    const Sketch& own = all_[size_t(row)];
    if (own.norm <= 1e-3f * median_) return true;
    auto from = std::lower_bound(
        order_.begin(), order_.end(), own.products[0] - window,
        [this](int32_t other, float least) { return all_[size_t(other)].products[0] < least; });
    int found = 0;
    for (; from != order_.end() && found < others; ++from) {
      if (all_[size_t(*from)].products[0] > own.products[0] + window) break;
      found += *from != row && near(own, all_[size_t(*from)]) && cosine(row, *from) > alike;
    }
    return found >= others;
  }

 private:
  static bool near(const Sketch& a, const Sketch& b) {
    for (size_t p = 1; p < projections; ++p)
      if (std::fabs(a.products[p] - b.products[p]) > window) return false;
    return b.norm > 0.f;
  }
  const std::vector<float>& row(int32_t index) {
    auto found = read_.find(index);
    if (found == read_.end())
      found = read_.emplace(index, rows_of(table_, index, 1).values()).first;
    return found->second;
  }
  double cosine(int32_t a, int32_t b) {
    const std::vector<float>&x = row(a), &y = row(b);
    double sum = 0.;
    for (size_t i = 0; i < x.size(); ++i) sum += double(x[i]) * y[i];
    return sum / (double(all_[size_t(a)].norm) * all_[size_t(b)].norm);
  }
  Tensor table_;
  std::vector<Sketch> all_;
  std::vector<int32_t> order_;  // by the first product
  std::map<int32_t, std::vector<float>> read_;
  float median_ = 0.f;
};

}  // namespace

std::vector<int32_t> unseen_rows(const Tensor& table, const std::vector<int32_t>& asked) {
  Rows rows(table.detached());
  std::vector<int32_t> found;
  for (int32_t row : asked)
    if (rows.unseen(row)) found.push_back(row);
  return found;
}

}  // namespace afina
