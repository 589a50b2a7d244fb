// LoRA's options, matrices and adapter_config.json, for all methods that are built on them.
#include "model/methods/low_rank.h"

#include <cmath>

#include "engine/ops/dropout.h"
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
  double alpha = targets_.number("alphas", layer, alpha_),
         scale = alpha / (rslora_ ? std::sqrt(double(rank)) : double(rank));
  // A begins uniform in ±1/sqrt(in), as PEFT has it (Kaiming with a = sqrt 5), and B at zero: the
  // layer begins as the pretrained one.
  const Parameter& a =
      (scope / "lora_A")
          .added("weight", {rank, layer.in()}, {Init::uniform, 1.f / std::sqrt(float(layer.in()))});
  const Parameter& b =
      (scope / "lora_B").added("weight", {layer.out(), rank}, {Init::zeros}, {.rate = plus_});
  return make(layer, scope, {a, b, scale}, dropout_);
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

Tensor dropped(const Tensor& x, double rate, const Linear& layer, const Inputs& inputs) {
  if (!inputs.training || rate == 0.) return x;
  require(bool(inputs.keys),
          "dropout while training needs to know the samples; make_inputs was given none");
  return dropout(
      x, inputs.keys, rate,
      {inputs.seed, hash_of(layer.path), step_number(uint64_t(inputs.step), x.device())});
}

std::map<std::string, std::string> low_rank_from_peft(PeftConfig& config) {
  if (const Json* init = config.find("init_lora_weights"))
    require(init->is_boolean() || *init == "gaussian" || *init == "orthogonal" || *init == "eva",
            config.where(), ": init_lora_weights ", describe(*init),
            " changes the base model's weights, so that the adapter alone does not tell the model; "
            "convert it to a plain LoRA with PEFT (save_pretrained with "
            "path_initial_model_for_weight_conversion)");
  config.only("bias", "none", "afina reads adapters that leave biases alone (bias 'none')");
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
