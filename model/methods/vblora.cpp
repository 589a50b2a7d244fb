// VB-LoRA (Li et al., 2024): LoRA's matrices are put together from pieces, each a mixture of the
// few vectors of one bank for the whole model whose logits are largest.
#include "model/methods/made_low_rank.h"

namespace afina {

namespace {

// What the layers share.
struct Bank {
  const Parameter* vectors = nullptr;  // (number, length)
  int64_t number, length, most;        // most: vectors that a piece mixes
  // 1 at i * number + j where vector j stands before vector i, else 0: (number²).
  Tensor earlier = {};
};

// 1 where x > 0, else 0: the slope of relu. Not recorded.
Tensor positive(const Tensor& x) {
  const Tensor one =
      Tensor::from(std::vector<float>(size_t(x.size()), 1.f), x.shape(), x.dtype(), x.device());
  Tensor y = like(x);
  kernel::map_backward(y, one, x, x, Scalar::relu);
  return y;
}

// 1 for the `most` largest numbers of each row of x (rows, n), else 0; of equal ones the first
// count as larger. Not recorded.
Tensor largest(const Tensor& logits, const Bank& bank) {
  Unrecorded plain;
  const Tensor x = logits.detached();
  const int64_t rows = x.rows(), n = x.columns();
  // Every number against all numbers of its row: how many are larger, or equal and earlier?
  std::vector<int32_t> row(size_t(rows * n));
  for (int64_t i = 0; i < rows * n; ++i) row[size_t(i)] = int32_t(i / n);
  const Tensor others = embedding(x, Tensor::from(row, {rows * n}, x.device())),
               own = reshape(x, {rows * n, 1}), difference = others - own,
               larger = positive(difference), smaller = positive(neg(difference));
  const Tensor equal_before =
      reshape(reshape((larger + smaller) * -1. + 1., {rows, n * n}) * bank.earlier, {rows * n, n});
  const Tensor rank = sum_columns(larger + equal_before);
  return reshape(positive(rank * -1. + (double(bank.most) - 0.5)), {rows, n});
}

// Mixtures of the bank's vectors for logits (..., number): (..., length), one row each.
Tensor mixtures(const Parameter& logits, const Bank& bank) {
  const Tensor x = reshape(logits.value, {logits.shape.size() / bank.number, bank.number});
  const Tensor mask = largest(x, bank);
  // Softmax over what is chosen, relative to its mean, which changes nothing.
  const Tensor mean = sum_columns(x.detached() * mask) * (1. / double(bank.most));
  const Tensor weights = exp(x - mean) * mask;
  return matmul(weights / sum_columns(weights), bank.vectors->value);
}

struct VbloraAdapter : MadeLowRank {
  const Bank& bank;
  Parameter &of_a, &of_b;  // (rank, in / length, number), (out / length, rank, number)
  int64_t rank, in, out;
  Tensor order;  // where each element of B (out, rank) lies in its mixtures

  VbloraAdapter(const Linear& layer, const Scope& scope, const Bank& bank, int64_t rank,
                double deviation)
      : bank(bank),
        of_a(exact_matrix(scope, "vblora_logits_A", {rank, layer.in() / bank.length, bank.number},
                          {Init::normal, float(deviation)})),
        of_b(exact_matrix(scope, "vblora_logits_B", {layer.out() / bank.length, rank, bank.number},
                          {Init::normal, float(deviation)})),
        rank(rank),
        in(layer.in()),
        out(layer.out()) {
    std::vector<int32_t> places;
    for (int64_t o = 0; o < out; ++o)
      for (int64_t r = 0; r < rank; ++r)
        places.push_back(int32_t((o / bank.length * rank + r) * bank.length + o % bank.length));
    order = Tensor::from(places, {out * rank}, layer.weight.value.device());
  }
  Tensor a() const override { return reshape(mixtures(of_a, bank), {rank, in}); }
  Tensor b() const override { return gather(mixtures(of_b, bank), order, {out, rank}); }
};

struct Vblora : TargetedMethod {
  int64_t rank;
  double bound, deviation, dropout;
  Bank bank;
  explicit Vblora(MethodOptions& o)
      : TargetedMethod(o),
        rank(o.integer("rank", 4, 1, 65536)),
        bound(o.number("bound", 0.02, 0., 1e3)),
        deviation(o.number("deviation", 0.1, 0., 1e3)),
        dropout(o.number("dropout", 0., 0., 0.99)) {
    bank.number = o.integer("vectors", 256, 1, 65536);
    bank.length = o.integer("length", 256, 1, 1 << 30);
    bank.most = o.integer("most", 2, 1, 65536);
    require(bank.most <= bank.number, option_label("vblora", o.file(), "most"), "=", bank.most,
            " of a bank of ", bank.number, " vectors");
  }
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    require(layer.in() % bank.length == 0 && layer.out() % bank.length == 0,
            "method 'vblora': length=", bank.length, " does not divide '", layer.path, "' (",
            layer.out(), " x ", layer.in(), "); choose another length or other targets");
    auto adapter = std::make_unique<VbloraAdapter>(layer, scope, bank, rank, deviation);
    adapter->dropout = dropout;
    adapter->derive(*this, layer.weight.value.computed());
    return adapter;
  }
  void built(const Scope& model) override {
    TargetedMethod::built(model);
    bank.vectors = &model.added("vblora_vector_bank", {bank.number, bank.length},
                                {Init::uniform, float(bound)},
                                {.shared = true, .vector = true, .decays = true});
    std::vector<float> earlier(size_t(bank.number * bank.number), 0.f);
    for (int64_t i = 0; i < bank.number; ++i)
      std::fill_n(earlier.begin() + i * bank.number, i, 1.f);
    PurposeScope purpose(Purpose::weights);
    const Tensor& like = bank.vectors->value;
    bank.earlier = Tensor::from(earlier, {int64_t(earlier.size())}, like.dtype(), like.device());
  }
  bool starts_as_pretrained() const override { return false; }
  Json peft_config() const override {
    Json config = config_of("VBLORA");
    config["r"] = rank;
    config["num_vectors"] = bank.number;
    config["vector_length"] = bank.length;
    config["topk"] = bank.most;
    config["save_only_topk_weights"] = false;
    config["init_vector_bank_bound"] = bound;
    config["init_logits_std"] = deviation;
    config["vblora_dropout"] = dropout;
    config["fan_in_fan_out"] = targets_.any_transposed();
    config["bias"] = "none";
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("bias", "none", "afina reads adapters that leave biases alone (bias 'none')");
  config.only("save_only_topk_weights", false,
              "such a file holds rounded shares instead of logits; save the adapter without it, or "
              "merge it with PEFT (merge_and_unload, save_pretrained)");
  config.get_or<bool>("fan_in_fan_out", false);
  config.find("init_weights");
  auto options = targets_from_peft(config);
  options["rank"] = std::to_string(config.get<int64_t>("r"));
  options["vectors"] = std::to_string(config.get_or<int64_t>("num_vectors", 256));
  options["length"] = std::to_string(config.get_or<int64_t>("vector_length", 256));
  options["most"] = std::to_string(config.get_or<int64_t>("topk", 2));
  options["bound"] = config.number_or("init_vector_bank_bound", 0.02);
  options["deviation"] = config.number_or("init_logits_std", 0.1);
  options["dropout"] = config.number_or("vblora_dropout", 0.);
  return options;
}

const MethodCard card{
    .name = "vblora",
    .label = "VB-LoRA",
    .paper = "VB-LoRA: Extreme Parameter Efficient Fine-Tuning with Vector Banks (Li et al., 2024)",
    .formula =
        "y = W x + b + B A x, pieces of A and B: softmax of their largest logits, times bank",
    .trains =
        "the bank (vectors, length), one for the model, and logits (rank (in + out) / length, "
        "vectors) of each target layer",
    .options =
        "rank=4,vectors=256,length=256,most=2,bound=0.02,deviation=0.1,dropout=0,targets=all,"
        "exclude=: length: of a piece, must divide inputs and outputs; most: vectors that a piece "
        "mixes; the bank begins uniform within the bound, logits with this deviation; targets and "
        "exclude as for lora",
    .rate = 1e-3,
    .rate_because = "the bank's; the paper gives logits ten times as much",
    .peft_type = "VBLORA",
    .tries = {"vblora:vectors=6,length=8",
              "vblora:rank=2,vectors=5,length=8,most=3,targets=*.mlp.*"},
    .not_promised = {{Promise::starts_as_pretrained,
                      "both matrices begin at random, with products near 1e-3 of the weight"}}};

}  // namespace

REGISTER_METHOD(card, make_new<Vblora>, from_peft);

}  // namespace afina
