// Norm tuning (Zhao et al., 2024): the weights of the norms are trained, and nothing else.
#include <algorithm>

#include "model/model.h"
#include "model/peft.h"
#include "model/targets.h"

namespace afina {

namespace {

// "model.layers.0.input_layernorm.weight" -> "model.layers.0.input_layernorm"
std::string module_of(const std::string& name) { return name.substr(0, name.rfind('.')); }

bool is_norm(const std::string& name) {
  const std::string path = module_of(name), last = path.substr(path.rfind('.') + 1);
  return last.find("norm") != last.npos || last.starts_with("ln_");
}

struct Norms : Method {
  std::vector<ModulePattern> targets;
  std::string given, file;
  mutable std::set<std::string> trained;  // paths
  explicit Norms(MethodOptions& o) : given(o.text("targets", "all")), file(o.file()) {
    if (given != "all") targets = module_patterns("norms", "targets", given, file);
  }
  bool trains(const std::string& name) const override {
    if (!is_norm(name)) return false;
    const std::string path = module_of(name);
    const bool chosen =
        targets.empty() || std::any_of(targets.begin(), targets.end(),
                                       [&](const ModulePattern& p) { return p.matches(path); });
    if (chosen) trained.insert(path);
    return chosen;
  }
  void built(const Scope&) override {
    require(!trained.empty(), option_label("norms", file, "targets"), ": '", given,
            "' names no norm of this model; all trains every norm");
    for (const ModulePattern& pattern : targets)
      require(!file.empty() ||
                  std::any_of(trained.begin(), trained.end(),
                              [&](const std::string& path) { return pattern.matches(path); }),
              option_label("norms", file, "targets"), ": '", pattern.text(),
              "' names no norm of this model");
  }
  Stored stored() const override { return Stored::changed; }
  // As PEFT calls the copies that it trains.
  std::string name_in_adapter(const Parameter& p) const override {
    const size_t dot = p.name.rfind('.');
    return "base_model.model." + p.name.substr(0, dot) + ".ln_tuning_layers" + p.name.substr(dot);
  }
  Json peft_config() const override {
    Json config = peft_common("LN_TUNING");
    config["target_modules"] = std::vector<std::string>(trained.begin(), trained.end());
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.only("exclude_modules", nullptr, "write the norms into target_modules instead");
  return {{"targets", config.targets()}};
}

const MethodCard card{
    .name = "norms",
    .label = "norm tuning",
    .paper =
        "Tuning LayerNorm in Attention: Towards Efficient Multi-Modal LLM Finetuning "
        "(Zhao et al., 2024)",
    .formula = "y = (x - mean) / deviation * w [+ b], or y = x / rms * w",
    .trains = "w, and b where there is one, of every norm or of those named",
    .options = "targets=all: names or patterns joined by '+' (input_layernorm+norm)",
    .rate = 1e-3,
    .rate_because = "few numbers around 1 are trained, as with IA3",
    .peft_type = "LN_TUNING",
    .tries = {"norms"}};

}  // namespace

REGISTER_METHOD(card, make_new<Norms>, from_peft);

}  // namespace afina
