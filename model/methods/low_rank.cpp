// LoRA's options, matrices and adapter_config.json, for all methods that are built on them.
#include "model/methods/low_rank.h"

#include <cmath>

#include "engine/ops/dropout.h"
#include "engine/ops/embedding.h"
#include "engine/random.h"

namespace afina {

const char* const low_rank_options =
    "rank=8,alpha=16,targets=all,exclude=,dropout=0,rslora=false,plus=1,ranks=,alphas=: targets "
    "and "
    "exclude are all, names or patterns joined by '+' (q_proj+v_proj, *.mlp.*) or re:EXPRESSION; "
    "ranks and alphas are exceptions (q_proj:16); rslora scales by alpha / sqrt(rank); "
    "plus is B's learning rate over A's (LoRA+: 16)";

LowRankMethod::LowRankMethod(MethodOptions& o)
    : rank_(o.integer("rank", 8, 1, 65536)),
      alpha_(o.number("alpha", 16., 1e-9, 1e9)),
      dropout_(o.number("dropout", 0., 0., 0.99)),
      rslora_(o.flag("rslora", false)),
      plus_(o.number("plus", 1., 1e-3, 1e6)),
      targets_(o, {{"ranks", 1, 65536, true}, {"alphas", 1e-9, 1e9}}) {}

std::unique_ptr<Adapter> LowRankMethod::adapt(const Linear& layer, const Scope& scope) {
  if (!targets_.matches(layer)) return nullptr;
  int64_t rank = int64_t(targets_.number("ranks", layer, double(rank_)));
  const double scale = scale_of(rank, targets_.number("alphas", layer, alpha_));
  // A begins uniform in ±1/sqrt(in), as PEFT has it (Kaiming with a = sqrt 5), and B at zero: the
  // layer begins as the pretrained one.
  const Parameter& a =
      (scope / "lora_A")
          .added("weight", {rank, layer.in()}, {Init::uniform, 1.f / std::sqrt(float(layer.in()))});
  const Parameter& b =
      (scope / "lora_B").added("weight", {layer.out(), rank}, {Init::zeros}, {.rate = plus_});
  return make(layer, scope, {a, b, scale}, dropout_);
}

double LowRankMethod::scale_of(int64_t rank, double alpha) const {
  return alpha / (rslora_ ? std::sqrt(double(rank)) : double(rank));
}

namespace {

// On the embedding: E[token] + scale B A[token]. A (rank, vocabulary) is held the other way round,
// so that a token's column of it is a row that is looked up.
struct EmbeddingAdapter : TableAdapter {
  LowRank part;
  explicit EmbeddingAdapter(const LowRank& part) : part(part) {}
  Tensor looked_up(const Tensor& tokens) const override {
    return linear(embedding(part.a.value, tokens), part.b.value, {}) * part.scale;
  }
  void merge(Tensor& weight) const override {
    weight = weight + matmul(part.a.exact(), part.b.exact(), false, true) * part.scale;
  }
};

// On the head: logits x Wᵀ + scale (x Aᵀ) Bᵀ, with dropout of x before A.
struct HeadAdapter : TableAdapter {
  LowRank part;
  double dropout;
  std::string place;
  HeadAdapter(const LowRank& part, double dropout, std::string place)
      : part(part), dropout(dropout), place(std::move(place)) {}
  HeadPath path(const Tensor& x, const Inputs& inputs) const override {
    return {linear(dropped(x, dropout, place, inputs), part.a.value, {}) * part.scale,
            part.b.value};
  }
  void merge(Tensor& weight) const override {
    weight = weight + matmul(part.b.exact(), part.a.exact()) * part.scale;
  }
};

}  // namespace

std::unique_ptr<TableAdapter> LowRankMethod::adapt_table(const TokenTable& table,
                                                         const Scope& scope) {
  if (!adapts_ends() || !targets_.matches_end(table.path)) return nullptr;
  on_shared_table_ = on_shared_table_ || table.shared;
  const int64_t rank = int64_t(targets_.number("ranks", table.path, double(rank_)));
  const double scale = scale_of(rank, targets_.number("alphas", table.path, alpha_));
  if (table.head) {
    const Parameter& a = (scope / "lora_A")
                             .added("weight", {rank, table.width()},
                                    {Init::uniform, 1.f / std::sqrt(float(table.width()))});
    const Parameter& b =
        (scope / "lora_B")
            .added("weight", {table.vocabulary(), rank}, {Init::zeros}, {.rate = plus_});
    return std::make_unique<HeadAdapter>(LowRank{a, b, scale}, dropout_, table.path);
  }
  // As in PEFT it is A that begins at zero here, and B as normal numbers of deviation 1. LoRA+ says
  // nothing of embeddings: both have A's rate.
  Parameter& a = scope.added("lora_embedding_A", {table.vocabulary(), rank}, {Init::zeros});
  a.stored_transposed = true;
  const Parameter& b = scope.added("lora_embedding_B", {table.width(), rank}, {Init::normal, 1.f});
  return std::make_unique<EmbeddingAdapter>(LowRank{a, b, scale});
}

std::string LowRankMethod::why_not_mergeable() const {
  return on_shared_table_ ? "embedding and head of this model are one table, and the adapter "
                            "changes the one without the other; keep the adapter beside the model"
                          : "";
}

Json LowRankMethod::peft_config() const {
  Json config = peft_common("LORA");
  config["r"] = rank_;
  config["lora_alpha"] = plain_number(alpha_);
  config["lora_dropout"] = dropout_;
  config["use_rslora"] = rslora_;
  config["use_dora"] = false;
  config["target_modules"] = targets_.peft_targets();
  config["rank_pattern"] = targets_.peft_numbers("ranks", double(rank_));
  config["alpha_pattern"] = targets_.peft_numbers("alphas", alpha_);
  config["bias"] = "none";
  config["fan_in_fan_out"] = targets_.any_transposed();
  config["init_lora_weights"] = true;
  return config;
}

Tensor dropped(const Tensor& x, double rate, const std::string& path, const Inputs& inputs) {
  if (!inputs.training || rate == 0.) return x;
  require(bool(inputs.keys),
          "dropout while training needs to know the samples; make_inputs was given none");
  return dropout(x, inputs.keys, rate,
                 {inputs.seed, hash_of(path), step_number(uint64_t(inputs.step), x.device())});
}

std::map<std::string, std::string> low_rank_from_peft(PeftConfig& config) {
  if (const Json* init = config.find("init_lora_weights"))
    require(init->is_boolean() || *init == "gaussian" || *init == "orthogonal" || *init == "eva",
            config.where(), ": init_lora_weights ", describe(*init),
            " changes the base model's weights, so that the adapter alone does not tell the model; "
            "convert it to a plain LoRA with PEFT (save_pretrained with "
            "path_initial_model_for_weight_conversion)");
  config.get_or<bool>("fan_in_fan_out", false);
  return {{"rank", std::to_string(config.get<int64_t>("r"))},
          {"alpha", config.number("lora_alpha")},
          {"dropout", config.number_or("lora_dropout", 0.)},
          {"rslora", config.flag_or("use_rslora", false)},
          {"targets", config.targets()},
          {"exclude", config.exclude()},
          {"ranks", config.patterns("rank_pattern")},
          {"alphas", config.patterns("alpha_pattern")}};
}

}  // namespace afina
