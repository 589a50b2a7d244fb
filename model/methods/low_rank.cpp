// LoRA's options, matrices and adapter_config.json, for all methods that are built on them.
#include "model/methods/low_rank.h"

#include <cmath>

#include "engine/ops/dropout.h"
#include "engine/ops/embedding.h"
#include "engine/random.h"
#include "engine/svd.h"

namespace afina {

namespace {

// (A Aᵀ + 1e-8 I)⁻¹ / scale², as a pseudo-inverse.
std::vector<double> corrected_by(const std::vector<double>& a, int64_t rank, int64_t in,
                                 double scale) {
  std::vector<double> square(size_t(rank * rank), 0.), out(square.size(), 0.);
  for (int64_t i = 0; i < rank; ++i)
    for (int64_t j = 0; j < rank; ++j) {
      double sum = i == j ? 1e-8 : 0.;
      for (int64_t k = 0; k < in; ++k) sum += a[size_t(i * in + k)] * a[size_t(j * in + k)];
      square[size_t(i * rank + j)] = sum;
    }
  const Svd x = svd(square, rank, rank, "A Aᵀ");
  for (int64_t k = 0; k < rank; ++k) {
    if (x.s[size_t(k)] <= x.s[0] * double(rank) * 1.2e-7) continue;  // rounding of f32
    for (int64_t i = 0; i < rank; ++i)
      for (int64_t j = 0; j < rank; ++j)
        out[size_t(i * rank + j)] += x.vt[size_t(k * rank + i)] * x.u[size_t(j * rank + k)] /
                                     (x.s[size_t(k)] * scale * scale);
  }
  return out;
}

}  // namespace

const char* const low_rank_options =
    "rank=8,alpha=16,targets=all,exclude=,dropout=0,rslora=false,plus=1,ranks=,alphas=,"
    "start=default,freeze=none,fa=false,lora_bias=false: targets and exclude are all, names or "
    "patterns joined by '+' (q_proj+v_proj, *.mlp.*) or re:EXPRESSION; "
    "ranks and alphas are exceptions (q_proj:16); rslora scales by alpha / sqrt(rank); "
    "plus is B's learning rate over A's (LoRA+: 16); start is default, gaussian, orthogonal, "
    "kaiming, pissa, olora, mica, eva, lora-ga or corda; freeze holds a or b as it begins; fa is "
    "LoRA-FA; lora_bias gives B a bias. start=pissa and olora have convert=false (store a plain "
    "LoRA of twice the rank); eva, lora-ga and corda look at the data of observe=8 steps; lora-ga "
    "has ga_direction=ArB2r, ga_scale=stable, ga_gamma=16; corda has corda=ipm";

LowRankMethod::LowRankMethod(MethodOptions& o)
    : rank_(o.integer("rank", 8, 1, 65536)),
      alpha_(o.number("alpha", 16., 1e-9, 1e9)),
      dropout_(o.number("dropout", 0., 0., 0.99)),
      rslora_(o.flag("rslora", false)),
      plus_(o.number("plus", 1., 1e-3, 1e6)),
      bias_(o.flag("lora_bias", false)),
      starts_(o),
      corrects_(o.flag("fa", false)),
      targets_(o, {{"ranks", 1, 65536, true}, {"alphas", 1e-9, 1e9}}) {
  name_ = o.method();
  file_ = o.file();
  const std::string usual = corrects_                ? "a"
                            : start() == Start::mica ? "b"
                                                     : "none",
                    freeze = o.text("freeze", usual);
  require(freeze == "none" || freeze == "a" || freeze == "b", option_label(name_, file_, "freeze"),
          "=", freeze, ": expected none, a or b, the matrix that is held as it begins");
  holds_a_ = freeze == "a";
  holds_b_ = freeze == "b";
  refuse(corrects_ && !holds_a_, "fa=true", "LoRA-FA trains B alone, with freeze=a");
  refuse(start() == Start::mica && !holds_b_, "start=mica", "MiCA trains A alone, with freeze=b");
  const bool zero_b =
      start() == Start::standard || start() == Start::gaussian || start() == Start::eva;
  refuse(file_.empty() && holds_b_ && zero_b, "freeze=b",
         std::string("B begins at zero with start=") + name(start()) +
             ", and A alone would change nothing; choose another start");
}

std::unique_ptr<Adapter> LowRankMethod::adapt(const Linear& layer, const Scope& scope) {
  if (!targets_.matches(layer)) return nullptr;
  int64_t rank = int64_t(targets_.number("ranks", layer, double(rank_)));
  const double scale = scale_of(rank, targets_.number("alphas", layer, alpha_));
  Parameter& a = (scope / "lora_A")
                     .added("weight", {rank, layer.in()}, starts_.init_a(rank, layer.in()),
                            {.trained = !holds_a_});
  Parameter& b = (scope / "lora_B")
                     .added("weight", {layer.out(), rank}, starts_.init_b(rank),
                            {.trained = !holds_b_, .rate = plus_});
  if (corrects_) corrected_.push_back({a, b, scale, {}});
  return starts_.begin(layer, a, b, scale, scope.parameters().seed, [&] {
    return make(layer, scope, {a, b, scale}, dropout_);
  });
}

Derived* LowRankMethod::bias_of(const Linear& layer, const Scope& scope, const LowRank& part) {
  if (!bias_) return nullptr;
  const Parameter& added =
      (scope / "lora_B").added("bias", {layer.out()}, {Init::zeros}, {.rate = plus_});
  if (!layer.bias) no_bias_ = layer.path;
  return &derived([own = layer.bias, &added, scale = part.scale] {
    const Tensor scaled = added.value * scale;
    return own ? own->value + scaled : scaled;
  });
}

void LowRankMethod::refuse(bool given, const std::string& option, const std::string& why) const {
  require(!given, file_.empty() ? "method '" + name_ + "'" : file_, ": ", option, ": ", why);
}

// With these the model begins as the pretrained one within rounding alone, or as another one.
bool LowRankMethod::starts_as_pretrained() const {
  return !changes_weight(start()) && start() != Start::kaiming && start() != Start::orthogonal;
}

// g (A Aᵀ + 1e-8)⁻¹ / scale²: the change of B whose effect on the weight is nearest to that of full
// fine-tuning (LoRA-Pro's correction, as PEFT's create_lorafa_optimizer has it).
void LowRankMethod::complete_gradients() {
  Method::complete_gradients();
  for (Corrected& c : corrected_) {
    const Gradient gradient = c.b.value.grad();
    if (!gradient.touched()) continue;
    const int64_t rank = c.a.shape[0], in = c.a.shape[1];
    const Tensor sum = gradient.value();
    if (!c.by) {
      PurposeScope purpose(Purpose::optimizer);
      c.by = Tensor::zeros({rank, rank}, sum.dtype(), sum.device());
      if (holds_bytes(sum.device()))
        c.by.copy_from(Tensor::from(corrected_by(c.a.exact().values64(), rank, in, c.scale),
                                    {rank, rank}, sum.dtype(), sum.device()));
    }
    sum.copy_from(matmul(sum.detached(), c.by));
  }
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
  const LowRank* factors() const override { return &part; }
  void merge(Tensor& weight) const override {
    weight = weight + matmul(part.a.exact(), part.b.exact(), false, true) * part.scale;
  }
  const LowRank* low_rank() const override { return &part; }
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
  const LowRank* factors() const override { return &part; }
  void merge(Tensor& weight) const override {
    weight = weight + matmul(part.b.exact(), part.a.exact()) * part.scale;
  }
  const LowRank* low_rank() const override { return &part; }
};

}  // namespace

std::unique_ptr<TableAdapter> LowRankMethod::adapt_table(const TokenWeights& table,
                                                         const Scope& scope) {
  if (!adapts_ends() || !targets_.matches_end(table.path)) return nullptr;
  const char* const alone = "the embedding and the head take LoRA as it is; name other targets";
  refuse(start() != Start::standard, "start", alone);
  refuse(bias_, "lora_bias", alone);
  refuse(corrects_ || holds_a_ || holds_b_, "freeze", alone);
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
  if (!no_bias_.empty())
    return "lora_bias=true gives B a bias, and " + no_bias_ + " has no bias to merge it into";
  return on_shared_table_ ? "embedding and head of this model are one table, and the adapter "
                            "changes the one without the other; keep the adapter beside the model"
                          : "";
}

Json LowRankMethod::peft_config() const {
  Json config = peft_common("LORA");
  // A converted adapter has twice the rank and the same scale.
  const bool twice = starts_.converts();
  const double of_rank = twice ? 2. : 1., of_alpha = twice && rslora_ ? std::sqrt(2.) : of_rank;
  auto times = [](Json numbers, double by) {
    Json out = Json::object();
    for (auto& [path, number] : numbers.items())
      out[path] = plain_number(number.get<double>() * by);
    return out;
  };
  config["r"] = plain_number(double(rank_) * of_rank);
  config["lora_alpha"] = plain_number(alpha_ * of_alpha);
  config["lora_dropout"] = dropout_;
  config["use_rslora"] = rslora_;
  config["use_dora"] = false;
  config["target_modules"] = targets_.peft_targets();
  config["rank_pattern"] = times(targets_.peft_numbers("ranks", double(rank_)), of_rank);
  config["alpha_pattern"] = times(targets_.peft_numbers("alphas", alpha_), of_alpha);
  config["bias"] = "none";
  config["fan_in_fan_out"] = targets_.any_transposed();
  // PEFT trains A alone where it says so.
  config["init_lora_weights"] =
      holds_b_ && start() == Start::standard ? Json("mica") : starts_.peft_word();
  config["lora_bias"] = bias_;
  return config;
}

Tensor dropped(const Tensor& x, double rate, const std::string& path, const Inputs& inputs) {
  if (!inputs.training || rate == 0.) return x;
  require(bool(inputs.keys),
          "dropout while training needs to know the samples; make_inputs was given none");
  return dropout(x, inputs.keys, rate,
                 {inputs.seed, hash_of(path), step_number(uint64_t(inputs.step), x.device())});
}

namespace {

// The options start and freeze that init_lora_weights means; empty: as they are.
std::pair<std::string, std::string> start_from_peft(PeftConfig& config) {
  const Json* init = config.find("init_lora_weights");
  if (!init || *init == true || *init == "gaussian" || *init == "orthogonal" || *init == "eva")
    return {};
  if (*init == false) return {"kaiming", ""};
  if (*init == "mica") return {"", "b"};  // B is in the file
  const bool turned = config.get_or<bool>("fan_in_fan_out", false);
  require(*init != "olora" || !turned, config.where(),
          ": init_lora_weights 'olora' on weights that are stored (in, out): PEFT takes Q and R of "
          "the transposed weight there, which afina does not; convert it to a plain LoRA with PEFT "
          "(save_pretrained with path_initial_model_for_weight_conversion)");
  if (*init == "pissa" || *init == "olora") return {init->get<std::string>(), ""};
  const std::string plain =
      "; convert it to a plain LoRA with PEFT (save_pretrained with "
      "path_initial_model_for_weight_conversion, from the adapter as it began)";
  require(*init != "lora_ga" && *init != "corda", config.where(), ": init_lora_weights ",
          describe(*init),
          " took a part out of the base model's weights that followed from data and is not in the "
          "file, so that the adapter alone does not tell the model",
          plain);
  fail(config.where(), ": init_lora_weights ", describe(*init),
       " changes the base model's weights in a way that afina cannot repeat, so that the adapter "
       "alone does not tell the model",
       plain);
}

}  // namespace

std::map<std::string, std::string> low_rank_from_peft(PeftConfig& config) {
  const auto [start, freeze] = start_from_peft(config);
  config.get_or<bool>("fan_in_fan_out", false);
  return {{"rank", std::to_string(config.get<int64_t>("r"))},
          {"alpha", config.number("lora_alpha")},
          {"dropout", config.number_or("lora_dropout", 0.)},
          {"rslora", config.flag_or("use_rslora", false)},
          {"lora_bias", config.get_or<bool>("lora_bias", false) ? "true" : ""},
          {"start", start},
          {"freeze", freeze},
          {"targets", config.targets()},
          {"exclude", config.exclude()},
          {"ranks", config.patterns("rank_pattern")},
          {"alphas", config.patterns("alpha_pattern")}};
}

}  // namespace afina
