// MiSS (Kang and Yin, 2024): ΔW repeats the rows of one small matrix: ΔW[o, j] = M[j mod rank, o].
// x is folded to `rank` sums before the product, so that ΔW is never formed.
#include "model/methods/targeted.h"

namespace afina {

namespace {

struct MissAdapter : Adapter {
  Parameter& m;     // (rank, out)
  Derived& turned;  // its transpose, as a linear layer reads it
  int64_t rank;
  MissAdapter(Method& method, const Linear& layer, const Scope& scope, int64_t rank)
      : m(exact_matrix(scope, "miss_block", {rank, layer.out()}, {Init::zeros})),
        turned(method.derived(
            [this] { return transposed(m.value); },
            [dtype = layer.weight.value.dtype()](const Tensor& t) { return in_dtype(t, dtype); })),
        rank(rank) {}

  // x (..., in) -> (..., rank): the sum of its pieces of `rank` columns, the last one filled up
  // with zeros.
  Tensor folded(const Tensor& x) const {
    const int64_t in = x.columns();
    Tensor sum;
    for (int64_t from = 0; from < in; from += rank) {
      Tensor piece = columns(x, from, std::min(rank, in - from));
      if (piece.columns() < rank) {
        const Tensor zeros =
            Tensor::zeros(with_columns(x.shape(), rank - piece.columns()), x.dtype(), x.device());
        piece = concat_columns({piece, zeros});
      }
      sum = sum ? sum + piece : piece;
    }
    return sum;
  }
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    return layer.plain(x) + linear(folded(x), turned(), Tensor());
  }
  void merge(Tensor& weight, Tensor&) const override {
    const int64_t in = weight.columns();
    std::vector<Tensor> pieces;
    for (int64_t from = 0; from < in; from += rank)
      pieces.push_back(columns(transposed(m.value), 0, std::min(rank, in - from)));
    weight = weight + concat_columns(pieces);
  }
};

struct Miss : TargetedMethod {
  int64_t rank;
  explicit Miss(MethodOptions& o) : TargetedMethod(o), rank(o.integer("rank", 64, 1, 65536)) {}
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    return std::make_unique<MissAdapter>(*this, layer, scope, std::min(rank, layer.in()));
  }
  Json peft_config() const override {
    Json config = config_of("MISS");
    config["r"] = rank;
    config["mini_r"] = 1;
    config["miss_dropout"] = 0.;
    config["bias"] = "none";
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("miss_dropout", 0., "afina drops nothing in front of this method's matrix");
  config.get_or<int64_t>("mini_r", 1);  // of the variant "mini", which is refused below
  config.only("init_weights", true,
              "the variants 'bat' and 'mini' compute something else; merge the adapter with PEFT");
  auto options = targets_from_peft(config);
  options["rank"] = std::to_string(config.get<int64_t>("r"));
  return options;
}

const MethodCard card{
    .name = "miss",
    .paper =
        "MiSS: Revisiting the Trade-off in LoRA with an Efficient Shard-Sharing Structure "
        "(Kang and Yin, 2024)",
    .formula = "y = W x + b + M^T fold(x), fold: the sum of x's pieces of rank columns",
    .trains = "M (rank, out) of each target layer",
    .options = "rank=64,targets=all,exclude=: targets and exclude as for lora",
    .rate = 2e-4,
    .rate_because = "M alone is trained and begins at zero, as LoRA's B",
    .peft_type = "MISS",
    .tries = {"miss:rank=4", "miss:rank=5,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Miss>, from_peft);

}  // namespace afina
