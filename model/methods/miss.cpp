// MiSS (Kang and Yin, 2024): ΔW repeats the rows of one small matrix: ΔW[o, j] = M[j mod rank, o].
// x is folded to `rank` sums before the product, so that ΔW is never formed.
#include "model/methods/targeted.h"

namespace afina {

namespace {

struct MissAdapter : Adapter {
  Parameter& m;     // (rank, out), or (rank, repeated) for the variant "mini"
  Tensor places;    // of the elements of its transpose (out, rank)
  Derived& turned;  // this, as a linear layer reads it
  int64_t rank;
  MissAdapter(Method& method, const Linear& layer, const Scope& scope, int64_t rank,
              int64_t repeated)
      : m(exact_matrix(scope, "miss_block", {rank, repeated ? repeated : layer.out()},
                       {Init::zeros})),
        turned(method.derived([this] { return transposed_block(); },
                              [dtype = layer.weight.value.computed()](const Tensor& t) {
                                return in_dtype(t, dtype);
                              })),
        rank(rank) {
    std::vector<int32_t> from;
    for (int64_t o = 0; o < layer.out(); ++o)
      for (int64_t i = 0; i < rank; ++i) from.push_back(int32_t(i * m.shape[1] + o % m.shape[1]));
    places = Tensor::from(from, {int64_t(from.size())}, layer.weight.value.device());
  }
  Tensor transposed_block() const { return gather(m.value, places, {places.size() / rank, rank}); }

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
      pieces.push_back(columns(transposed_block(), 0, std::min(rank, in - from)));
    weight = weight + concat_columns(pieces);
  }
};

// The variant "bat": block (p, q) of the weight, rank x rank, becomes W + W M_p + M_p.
struct BatAdapter : WeightAdapter {
  Parameter& m;  // (out / rank, rank, rank)
  const Linear& layer;
  int64_t rank;
  BatAdapter(const Linear& layer, const Scope& scope, int64_t rank)
      : m(exact_matrix(scope, "miss_block", {layer.out() / rank, rank, rank}, {Init::zeros})),
        layer(layer),
        rank(rank) {}
  Tensor delta() const override {
    const Tensor weight = layer.weight.exact(), all = reshape(m.value, {1, m.shape.size()});
    const int64_t in = layer.in(), size = rank * rank;
    std::vector<Tensor> rows;
    for (int64_t p = 0; p < m.shape[0]; ++p) {
      const Tensor own = reshape(columns(all, p * size, size), {rank, rank});
      const Tensor part = weight.slice_rows(p * rank, rank);
      const Tensor product = reshape(matmul(reshape(part, {in, rank}), own), {rank, in});
      rows.push_back(reshape(product + concat_columns(std::vector<Tensor>(size_t(in / rank), own)),
                             {1, rank * in}));
    }
    return reshape(concat_columns(rows), {layer.out(), in});
  }
};

struct Miss : TargetedMethod {
  int64_t rank, repeated;
  bool bat;
  explicit Miss(MethodOptions& o)
      : TargetedMethod(o),
        rank(o.integer("rank", 64, 1, 65536)),
        repeated(o.integer("repeated", 0, 0, 65536)),
        bat(o.flag("bat", false)) {
    require(!bat || repeated == 0, option_label("miss", o.file(), "repeated"),
            ": a variant of its own, which bat=true is too; choose one");
  }
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    if (!bat) {
      require(repeated == 0 || layer.out() % repeated == 0, "method 'miss': repeated=", repeated,
              " does not divide the ", layer.out(), " outputs of '", layer.path,
              "'; choose another number or other targets");
      return std::make_unique<MissAdapter>(*this, layer, scope, std::min(rank, layer.in()),
                                           repeated);
    }
    require(layer.in() % rank == 0 && layer.out() % rank == 0, "method 'miss': rank=", rank,
            " does not divide '", layer.path, "' (", layer.out(), " x ", layer.in(),
            "), as bat=true needs; choose another rank or other targets");
    auto adapter = std::make_unique<BatAdapter>(layer, scope, rank);
    adapter->derive(*this, layer);
    return adapter;
  }
  Json peft_config() const override {
    Json config = config_of("MISS");
    config["r"] = rank;
    config["mini_r"] = std::max<int64_t>(1, repeated);
    config["miss_dropout"] = 0.;
    config["bias"] = "none";
    config["init_weights"] = bat ? Json("bat") : repeated ? Json("mini") : Json(true);
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("miss_dropout", 0., "afina drops nothing in front of this method's matrix");
  const int64_t mini = config.get_or<int64_t>("mini_r", 1);
  const Json* kind = config.find("init_weights");
  require(!kind || kind->is_boolean() || *kind == "bat" || *kind == "mini", config.where(),
          ": init_weights is ", kind ? describe(*kind) : std::string(),
          " where true, 'bat' or 'mini' is expected");
  auto options = targets_from_peft(config);
  options["rank"] = std::to_string(config.get<int64_t>("r"));
  options["bat"] = kind && *kind == "bat" ? "true" : "false";
  options["repeated"] = std::to_string(kind && *kind == "mini" ? mini : 0);
  return options;
}

const MethodCard card{
    .name = "miss",
    .label = "MiSS",
    .paper =
        "MiSS: Revisiting the Trade-off in LoRA with an Efficient Shard-Sharing Structure "
        "(Kang and Yin, 2024)",
    .formula = "y = W x + b + M^T fold(x), fold: the sum of x's pieces of rank columns",
    .trains = "M (rank, out) of each target layer",
    .options =
        "rank=64,repeated=0,bat=false,targets=all,exclude=: repeated: outputs after which M's "
        "columns begin anew, 0 for none (PEFT's mini); bat: each block of the weight is multiplied "
        "by a matrix of its row of blocks as well; targets and exclude as for lora",
    .rate = 2e-4,
    .rate_because = "M alone is trained and begins at zero, as LoRA's B",
    .peft_type = "MISS",
    .tries = {"miss:rank=4", "miss:rank=5,repeated=4,targets=*.mlp.*",
              "miss:rank=8,bat=true,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<Miss>, from_peft);

}  // namespace afina
