// LoKr (Yeh et al., 2023): ΔW = scale W1 ⊗ W2, a Kronecker product; the larger of the two, and on
// request the smaller, is itself a product of rank r where that is smaller.
#include <algorithm>
#include <numeric>

#include "model/methods/lycoris.h"

namespace afina {

namespace {

struct Split {
  int64_t small, large;
};
// A dimension as the product of two: (factor, dimension / factor) where factor divides it, else the
// pair of divisors next to a square whose smaller one is at most factor; -1: no bound. As PEFT's.
Split split_of(int64_t dimension, int64_t factor) {
  if (factor > 0 && dimension % factor == 0) return {factor, dimension / factor};
  if (factor == -1) factor = dimension;
  Split best{1, dimension};
  for (int64_t m = 1; m <= std::min(factor, dimension); ++m)
    if (dimension % m == 0 && m + dimension / m <= best.small + best.large)
      best = {m, dimension / m};
  if (best.small > best.large) std::swap(best.small, best.large);
  return best;
}

// One factor of the Kronecker product: a matrix, or two whose product it is.
struct Factor {
  Parameter *whole = nullptr, *a = nullptr, *b = nullptr;
  Tensor operator()() const { return whole ? whole->value : matmul(a->value, b->value); }
};

struct LokrAdapter : WeightAdapter {
  Factor w1, w2;
  Split out, in;
  double scale;
  Tensor places;  // of ΔW's elements in the outer product of W1 and W2

  LokrAdapter(const Linear& layer, const Scope& scope, int64_t rank, double scale, int64_t factor,
              bool both)
      : out(split_of(layer.out(), factor)), in(split_of(layer.in(), factor)), scale(scale) {
    auto zeros = [](Init) { return Init{Init::zeros}; };
    auto made = [](Init init) { return init; };
    const bool apart1 = both && 2 * rank < std::max(out.small, in.small);
    const bool apart2 = 2 * rank < std::max(out.large, in.large);
    w1 = factor_of(scope, "lokr_w1", out.small, in.small, rank, apart1, zeros);
    w2 = factor_of(scope, "lokr_w2", out.large, in.large, rank, apart2, made);
    // ΔW[p o + q, s i + t] = W1[p, s] W2[q, t]; the outer product has rows (p, s), columns (q, t).
    std::vector<int32_t> from;
    from.reserve(size_t(layer.out() * layer.in()));
    for (int64_t p = 0; p < out.small; ++p)
      for (int64_t q = 0; q < out.large; ++q)
        for (int64_t s = 0; s < in.small; ++s)
          from.push_back(int32_t(((p * in.small + s) * out.large + q)));
    places = Tensor::from(from, {int64_t(from.size())}, layer.weight.value.device());
  }
  // first: the start of the matrix, or of the left one of two.
  template <class First>
  static Factor factor_of(const Scope& scope, const std::string& name, int64_t rows,
                          int64_t columns, int64_t rank, bool apart, First first) {
    Factor factor;
    if (!apart) {
      factor.whole = &exact_matrix(scope, name, {rows, columns}, first(kaiming(columns)));
      return factor;
    }
    factor.a = &exact_matrix(scope, name + "_a", {rows, rank}, first(kaiming(rank)));
    factor.b = &exact_matrix(scope, name + "_b", {rank, columns}, kaiming(columns));
    return factor;
  }
  Tensor delta() const override {
    const int64_t count1 = out.small * in.small, count2 = out.large * in.large;
    Tensor outer = matmul(reshape(w1(), {count1, 1}), reshape(w2(), {1, count2})) * scale;
    // Runs of in.large elements stay together.
    return reshape(embedding(reshape(outer, {count1 * out.large, in.large}), places),
                   {out.small * out.large, in.small * in.large});
  }
};

struct Lokr : LycorisMethod {
  int64_t factor;
  bool both;
  explicit Lokr(MethodOptions& o)
      : LycorisMethod(o), factor(o.integer("factor", -1, -1, 65536)), both(o.flag("both", false)) {
    require(factor != 0, option_label("lokr", o.file(), "factor"),
            "=0 where -1 (near a square) or a divisor from 1 on is expected");
  }
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    auto adapter =
        std::make_unique<LokrAdapter>(layer, scope, rank_of(layer), scale_of(layer), factor, both);
    adapter->derive(*this, layer);
    return adapter;
  }
  Json peft_config() const override {
    Json config = lycoris_config("LOKR");
    config["decompose_both"] = both;
    config["decompose_factor"] = factor;
    config["rank_dropout_scale"] = false;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.get_or<bool>("rank_dropout_scale", false);  // without effect where nothing is dropped
  auto options = lycoris_from_peft(config);
  options["factor"] = std::to_string(config.get_or<int64_t>("decompose_factor", -1));
  options["both"] = config.flag_or("decompose_both", false);
  return options;
}

const MethodCard card{
    .name = "lokr",
    .label = "LoKr",
    .paper =
        "Navigating Text-To-Image Customization: From LyCORIS Fine-Tuning to Model Evaluation "
        "(Yeh et al., 2023); KronA (Edalati et al., 2022)",
    .formula = "y = (W + alpha/rank W1 (x) W2) x + b, (x): Kronecker product",
    .trains = "W1 and W2, or matrices of rank r whose products they are, of each target layer",
    .options =
        "rank=8,alpha=8,factor=-1,both=false,targets=all,exclude=,ranks=,alphas=: factor: the "
        "smaller part of each dimension where it divides it, -1 for the pair next to a square; "
        "both: W1 has rank r as well; targets and exclude as for lora",
    .rate = 1e-3,
    .rate_because = "W1 begins at zero and each of its numbers moves a whole block of the weight",
    .peft_type = "LOKR",
    .tries = {"lokr:rank=4", "lokr:rank=1,alpha=3,factor=4,both=true,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Lokr>, from_peft);

}  // namespace afina
