// What LoHa and LoKr have in common: a change of the weight scaled by alpha / rank, exceptions of
// both for some layers, and their words in adapter_config.json (LyCORIS: Yeh et al., 2023).
#pragma once
#include "model/methods/targeted.h"

namespace afina {

class LycorisMethod : public TargetedMethod {
 public:
  explicit LycorisMethod(MethodOptions& o)
      : TargetedMethod(o, {{"ranks", 1, 65536, true}, {"alphas", 1e-9, 1e9}}),
        rank_(o.integer("rank", 8, 1, 65536)),
        alpha_(o.number("alpha", 8., 1e-9, 1e9)) {}

 protected:
  int64_t rank_of(const Linear& layer) const {
    return int64_t(targets_.number("ranks", layer, double(rank_)));
  }
  double scale_of(const Linear& layer) const {
    return targets_.number("alphas", layer, alpha_) / double(rank_of(layer));
  }
  Json lycoris_config(const std::string& peft_type) const {
    Json config = config_of(peft_type);
    config["r"] = rank_;
    config["alpha"] = plain_number(alpha_);
    config["rank_pattern"] = targets_.peft_numbers("ranks", double(rank_));
    config["alpha_pattern"] = targets_.peft_numbers("alphas", alpha_);
    config["rank_dropout"] = 0.;
    config["module_dropout"] = 0.;
    config["use_effective_conv2d"] = false;
    config["init_weights"] = true;
    return config;
  }

 private:
  int64_t rank_;
  double alpha_;
};

inline std::map<std::string, std::string> lycoris_from_peft(PeftConfig& config) {
  config.only("rank_dropout", 0., "afina drops no rows of this method's weights");
  config.only("module_dropout", 0., "afina drops no layers of this method");
  config.get_or<bool>("use_effective_conv2d", false);  // of convolutions, which are no targets here
  config.find("init_weights");                         // where a training began
  auto options = targets_from_peft(config);
  options["rank"] = std::to_string(config.get<int64_t>("r"));
  options["alpha"] = config.number("alpha");
  options["ranks"] = config.patterns("rank_pattern");
  options["alphas"] = config.patterns("alpha_pattern");
  return options;
}

}  // namespace afina
