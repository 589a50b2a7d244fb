// Weights of a file against those of a trained model.
#include "model/files/weight_errors.h"

#include <algorithm>
#include <cmath>

#include "engine/files/rounding.h"
#include "model/files/save.h"
#include "model/merged.h"

namespace afina {

namespace {

// A tensor of other than Gaussian weights may lose this many times more.
constexpr double tensor_room = 3.;
// What sums in another order do to merged weights, in parts of the largest of the tensor.
constexpr double of_sums = 1e-5;
// Two factors are rounded, and their errors meet in a product of any shape.
constexpr double product_room = 6.;
constexpr int64_t part_of_row = 32;

double share(double error, double bound) {
  return bound > 0. ? error / bound : error > 0. ? INFINITY : 0.;
}

double squared(double x) { return x * x; }

double largest(const std::vector<float>& values) {
  double most = 0.;
  for (float value : values) most = std::max(most, std::fabs(double(value)));
  return most;
}

double mean_square(const float* x, const float* y, int64_t count) {
  double squares = 0.;
  for (int64_t i = 0; i < count; ++i) squares += squared(double(x[i]) - (y ? double(y[i]) : 0.));
  return squares / double(std::max<int64_t>(count, 1));
}

// One tensor: what is in the file, what was trained, and bounds part by part.
struct Pair {
  StoredType type;
  std::string tensor, parameter;  // in the file, and in the model
  int64_t width;                  // of a row
  const std::vector<float>&expected, &found;
};

class Sum {
 public:
  // of_part: the bound of `count` numbers from `first` on. of_tensor: that of its relative error.
  template <class OfPart>
  void add(const Pair& pair, int64_t count, double of_tensor, const OfPart& of_part) {
    auto found = std::find_if(all.begin(), all.end(),
                              [&](const WeightErrors& one) { return one.type == pair.type; });
    if (found == all.end()) {
      found = all.insert(all.end(), WeightErrors());
      found->type = pair.type;
    }
    WeightErrors& errors = *found;
    const auto n = int64_t(pair.expected.size());
    const double off = mean_square(pair.expected.data(), pair.found.data(), n),
                 whole = mean_square(pair.expected.data(), nullptr, n),
                 relative = std::sqrt(whole > 0. ? off / whole : off);
    if (errors.tensors++ == 0 ||
        share(relative, of_tensor) > share(errors.error, errors.error_bound)) {
      errors.error = relative;
      errors.error_bound = of_tensor;
      errors.tensor = pair.tensor;
    }
    for (int64_t first = 0; first < n; first += count) {
      const int64_t here = std::min(count, n - first);
      const double part = std::sqrt(
                       mean_square(pair.expected.data() + first, pair.found.data() + first, here)),
                   bound = of_part(first, here);
      if (!errors.place.empty() && share(part, bound) <= share(errors.part, errors.part_bound))
        continue;
      errors.part = part;
      errors.part_bound = bound;
      errors.place = place_of(pair, first, here);
    }
  }
  std::vector<WeightErrors> all;

 private:
  static std::string place_of(const Pair& pair, int64_t first, int64_t count) {
    const auto n = int64_t(pair.expected.size());
    const int64_t row = first / pair.width, column = first % pair.width;
    std::string text = pair.parameter;
    if (pair.width < n) text += ", row " + std::to_string(row);
    text += count == 1 ? ", column " + std::to_string(column)
                       : ", columns " + std::to_string(column) + " to " +
                             std::to_string(column + count - 1);
    return text;
  }
};

// The values of this parameter in the file; the head's may be the embedding's.
std::vector<float> values_in(FileWeights& written, const Parameter& like, const std::string& name) {
  Parameter read = make_parameter(name, like.shape, {}, false, Dtype::f32, Device::cpu);
  read.stored_transposed = like.stored_transposed;
  written.expect(name, read.shape, read.stored_transposed);
  written.read(read);
  return read.exact().values();
}

// What else than rounding to the file's type may move a number.
struct Moves {
  double plain = 0.;          // any number, by this
  double of_own = 0.;         // and by this share of itself
  double of_change = 0.;      // and of what merging changed
  std::vector<float> before;  // without what is merged; empty: nothing is
  double operator()(const std::vector<float>& expected, int64_t i) const {
    const double own = double(expected[size_t(i)]);
    double moved = plain + of_own * std::fabs(own);
    if (of_change > 0.) moved += of_change * std::fabs(own - double(before[size_t(i)]));
    return moved;
  }
};

void add_stored(Sum& sum, const Pair& pair, const Moves& moves, Scales scales = Scales::nearest) {
  const auto n = int64_t(pair.expected.size());
  const int64_t group = numbers_per_scale(pair.type), block = info(pair.type).block_elements;
  if (group == 0) return sum.add(pair, pair.width, -1., [](int64_t, int64_t) { return -1.; });
  require(pair.width % block == 0, "tensor '", pair.tensor, "' has rows of ", pair.width,
          " numbers, which are no whole blocks of ", name(pair.type));
  double squares = 0.;
  for (int64_t i = 0; i < n; ++i) squares += squared(moves(pair.expected, i));
  const double whole = mean_square(pair.expected.data(), nullptr, n) * double(n);
  const bool weighed = scales == Scales::any && may_be_weighed(pair.type);
  std::vector<double> bounds(size_t(block / group));
  int64_t begun = -1;
  auto of_part = [&](int64_t first, int64_t count) {
    if (first / block != begun) {
      begun = first / block;
      rounding_bounds(pair.type, pair.expected.data() + begun * block, bounds.data());
    }
    double moved = 0.;
    for (int64_t i = first; i < first + count; ++i)
      moved = std::max(moved, moves(pair.expected, i));
    return moved + (weighed ? weighed_bound(pair.type, pair.expected.data() + first)
                            : bounds[size_t(first % block / group)]);
  };
  sum.add(pair, weighed ? block : group,
          tensor_room * gaussian_rounding(pair.type) +
              std::sqrt(squares / (whole > 0. ? whole : double(n))),
          of_part);
}

}  // namespace

std::vector<WeightErrors> weight_errors(const Model& trained, FileWeights& written, Scales scales) {
  const MergedWeights merged(trained);
  const GgufForm& form = architectures().at(trained.config.architecture).gguf;
  Sum sum;
  auto compare = [&](const Parameter& p, std::string name) {
    const bool adapted = merged.adapted(p);
    const std::vector<float> expected = merged.of(p).values();
    const std::vector<float> found = values_in(written, p, name);
    const StoredTensor stored = *written.stored(name);
    Moves moves;
    if (adapted) {
      moves.plain = of_sums * largest(expected);
      moves.of_change = stored.type == StoredType::bf16  ? 0x1p-7
                        : stored.type == StoredType::f16 ? 0x1p-10
                                                         : 0.;
      if (moves.of_change > 0.) moves.before = p.exact().values();
    }
    // What is added to norms in a file takes their last bits.
    if (form.added_to_norms != 0.f && p.name.ends_with("norm.weight") &&
        stored.file.ends_with(".gguf")) {
      moves.plain += 0x1p-23 * double(form.added_to_norms);
      moves.of_own += 0x1p-23;
    }
    const auto n = int64_t(expected.size());
    add_stored(sum,
               {stored.type, stored.name, p.name, n / (p.shape.rank() > 1 ? p.shape[0] : 1),
                expected, found},
               moves, scales);
  };
  const TokenEnds& ends = trained.ends();
  for (const Parameter& p : trained.parameters->all) {
    if (p.added) continue;
    const bool head = !ends.tied() && &p == &ends.head_table();
    compare(p, head && !written.stored(p.name) ? ends.table().name : p.name);
  }
  // A head of its own where the trained one is the embedding.
  for (const char* head : {"lm_head.weight", "embed_out.weight"})
    if (const StoredTensor* own = ends.tied() ? written.stored(head) : nullptr)
      if (own->name != written.stored(ends.table().name)->name) compare(ends.table(), head);
  return sum.all;
}

std::vector<WeightErrors> merged_errors(const Model& trained, const Model& written,
                                        const std::vector<FactorType>& factors) {
  const MergedWeights merged(trained), other(written);
  Sum sum;
  for (const Parameter& p : trained.parameters->all) {
    if (p.added) continue;
    const Parameter* same = written.parameters->find(p.name);
    require(same && same->shape == p.shape, "the written model has no tensor '", p.name,
            "' of shape ", p.shape.text());
    const std::vector<float> expected = merged.of(p).values(), found = other.of(*same).values();
    const auto n = int64_t(expected.size());
    auto factor = std::find_if(factors.begin(), factors.end(),
                               [&](const FactorType& one) { return one.weight == p.name; });
    const StoredType type = factor == factors.end() ? StoredType::f32 : factor->type;
    const Pair pair = {type,     p.name, p.name, n / (p.shape.rank() > 1 ? p.shape[0] : 1),
                       expected, found};
    const bool adapted = merged.adapted(p) || factor != factors.end() || other.adapted(*same);
    Moves moves;
    if (adapted) moves.plain = of_sums * largest(expected);
    if (type == StoredType::f32) {
      add_stored(sum, pair, moves);
      continue;
    }
    // The factors' errors are parts of the change, not of the weight.
    const std::vector<float> before = p.exact().values();
    const double change = std::sqrt(mean_square(expected.data(), before.data(), n)),
                 whole = std::sqrt(mean_square(expected.data(), nullptr, n)),
                 usual = gaussian_rounding(type);
    const int64_t count = std::min(part_of_row, pair.width);
    sum.add(pair, pair.width % count == 0 ? count : pair.width,
            usual < 0. ? -1.
                       : (product_room * usual * change + moves.plain) / (whole > 0. ? whole : 1.),
            [&](int64_t first, int64_t here) {
              const double own =
                  std::sqrt(mean_square(expected.data() + first, before.data() + first, here));
              return product_room * std::max(usual, 0.) * std::max(own, change) + moves.plain;
            });
  }
  return sum.all;
}

std::optional<std::vector<WeightErrors>> adapter_errors(const Model& trained, const Model& written,
                                                        const StoredTensors& file) {
  const Stored stored = trained.method->stored();
  if (stored == Stored::model || written.method->stored() != stored) return {};
  const auto mine = trained.method->integers(), theirs = written.method->integers();
  if (mine.size() != theirs.size()) return {};
  for (size_t i = 0; i < mine.size(); ++i)
    if (mine[i].name != theirs[i].name || mine[i].values != theirs[i].values) return {};
  Sum sum;
  for (const Parameter& p : written.parameters->all)
    if (const Parameter* same = trained.parameters->find(p.name);
        in_adapter(p, stored) && (!same || !in_adapter(*same, stored)))
      return {};
  for (const Parameter& p : trained.parameters->all) {
    if (!in_adapter(p, stored)) continue;
    const Parameter* same = written.parameters->find(p.name);
    if (!same || same->shape != p.shape || !in_adapter(*same, stored)) return {};
    const std::string name = Beside::names(*written.method, *same)[0];
    const StoredTensor* in_file = file.find(name);
    if (!in_file || trained.method->stored_behind(p).extent > 0 ||
        written.method->stored_behind(*same).extent > 0)
      return {};
    const std::vector<float> expected = trained.method->value_in_adapter(p).values(),
                             found = written.method->value_in_adapter(*same).values();
    add_stored(sum,
               {in_file->type, name, p.name,
                int64_t(expected.size()) / (p.shape.rank() > 1 ? p.shape[0] : 1), expected, found},
               {});
  }
  return sum.all;
}

}  // namespace afina
