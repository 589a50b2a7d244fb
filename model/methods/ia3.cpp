// IA3 (Liu et al., 2022): y = l ⊙ (W x + b) for keys and values, y = W (l ⊙ x) + b for the layer
// that closes the MLP. Only the vectors l are trained.
#include "model/model.h"
#include "model/peft.h"
#include "model/targets.h"
#include "model/words.h"

namespace afina {

namespace {

struct Ia3Adapter : Adapter {
  Parameter& l;
  bool input;  // l scales x, not the result
  Ia3Adapter(const Linear& layer, const Scope& scope, bool input)
      : l(scope.added("ia3_l", input ? Shape{1, layer.in()} : Shape{layer.out(), 1}, {Init::ones},
                      {.vector = true})),
        input(input) {}

  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    return input ? layer.plain(scale_columns(x, l.value)) : scale_columns(layer.plain(x), l.value);
  }
  void merge(Tensor& weight, Tensor& bias) const override {
    weight = weight * reshape(l.exact(), input ? Shape{l.shape.size()} : Shape{l.shape.size(), 1});
    if (bias && !input) bias = bias * reshape(l.exact(), {l.shape.size()});
  }
};

// The layers that PEFT chooses for a model_type where the user names none.
struct Choice {
  const char *architecture, *targets, *feedforward;
};
const Choice choices[] = {{"llama", "k_proj+v_proj+down_proj", "down_proj"},
                          {"mistral", "k_proj+v_proj+down_proj", "down_proj"},
                          {"qwen2", "q_proj+v_proj+down_proj", "down_proj"},
                          {"qwen3", "q_proj+v_proj+down_proj", "down_proj"},
                          {"gemma", "q_proj+v_proj+down_proj", "down_proj"},
                          {"gemma2", "q_proj+v_proj+down_proj", "down_proj"},
                          {"gemma3_text", "q_proj+v_proj+down_proj", "down_proj"},
                          {"mixtral", "k_proj+v_proj+w2", "w2"},
                          {"gpt_neox", "query_key_value+dense_4h_to_h", "dense_4h_to_h"},
                          {"gpt2", "c_attn+mlp.c_proj", "mlp.c_proj"},
                          // PEFT has no choice for these; the same parts as in those above.
                          {"qwen3_moe", "q_proj+v_proj+down_proj", "down_proj"},
                          {"internlm3", "k_proj+v_proj+down_proj", "down_proj"},
                          {"iquestcoder", "k_proj+v_proj+down_proj", "down_proj"},
                          {"seed_oss", "k_proj+v_proj+down_proj", "down_proj"},
                          {"ministral3", "k_proj+v_proj+down_proj", "down_proj"},
                          {"ministral", "k_proj+v_proj+down_proj", "down_proj"},
                          {"smollm3", "k_proj+v_proj+down_proj", "down_proj"},
                          {"olmo2", "k_proj+v_proj+down_proj", "down_proj"},
                          {"olmo3", "k_proj+v_proj+down_proj", "down_proj"},
                          {"granite", "k_proj+v_proj+down_proj", "down_proj"},
                          {"stablelm", "k_proj+v_proj+down_proj", "down_proj"},
                          {"phi3", "qkv_proj+down_proj", "down_proj"},
                          {"starcoder2", "k_proj+v_proj+mlp.c_proj", "mlp.c_proj"}};

struct Ia3 : Method {
  Targets targets;
  std::string given, feedforward_given;
  std::vector<ModulePattern> feedforward;
  std::set<std::string> inputs;  // the paths of the adapted layers whose x is scaled
  std::set<std::string> used;    // patterns of feedforward that named one of them
  bool typed;

  explicit Ia3(MethodOptions& o)
      : targets(o, {}, "auto"),
        given(o.text("targets", "auto")),
        feedforward_given(o.text("feedforward", "auto")),
        typed(o.file().empty() && feedforward_given != "auto" && feedforward_given != "none") {}

  void begin(const ModelConfig& config) override {
    const Choice* choice = nullptr;
    for (const Choice& c : choices)
      if (config.architecture == c.architecture) choice = &c;
    require(choice || (given != "auto" && feedforward_given != "auto"),
            "method 'ia3': its layers are not known for the architecture '", config.architecture,
            "'; name them: ia3:targets=k_proj+v_proj+down_proj,feedforward=down_proj");
    if (given == "auto") targets.choose(choice->targets);
    feedforward =
        module_patterns("ia3", "feedforward",
                        feedforward_given == "auto" ? choice->feedforward : feedforward_given);
  }
  void passes_over(const Linear& layer) override { targets.pass_over(layer); }
  std::unique_ptr<Adapter> adapt(const Linear& layer, const Scope& scope) override {
    if (!targets.matches(layer)) return nullptr;
    bool input = false;
    for (const ModulePattern& pattern : feedforward)
      if (pattern.matches(layer.path)) {
        input = true;
        used.insert(pattern.text());
      }
    if (input) inputs.insert(layer.path);
    return std::make_unique<Ia3Adapter>(layer, scope, input);
  }
  void built(const Scope&) override {
    targets.check();
    for (const ModulePattern& pattern : feedforward)
      require(!typed || used.count(pattern.text()), "method 'ia3': feedforward: '", pattern.text(),
              "' names none of the targets; it chooses those of them whose input is scaled");
  }
  Stored stored() const override { return Stored::adapter; }
  Json peft_config() const override {
    Json config = peft_common("IA3");
    std::vector<std::string> names = targets.peft_targets(inputs);
    std::set<std::string>
        inputs_named;  // in the same words: PEFT wants them to be among the targets
    for (const std::string& name : names)
      for (const std::string& path : inputs)
        if (ModulePattern(name).matches(path)) inputs_named.insert(name);
    config["target_modules"] = names;
    config["feedforward_modules"] =
        std::vector<std::string>(inputs_named.begin(), inputs_named.end());
    config["fan_in_fan_out"] = targets.any_transposed();
    config["init_ia3_weights"] = true;
    return config;
  }
};

// PEFT compares feedforward_modules with the end of a path, without a dot between.
std::string feedforward_from_peft(PeftConfig& config) {
  const Json* found = config.find("feedforward_modules");
  if (found && found->is_string()) return config.modules("feedforward_modules");
  std::string names = config.modules("feedforward_modules"), ours;
  if (!names.empty())
    for (const std::string& name : split(names, '+')) ours += (ours.empty() ? "*" : "+*") + name;
  return ours;
}

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.get_or<bool>("fan_in_fan_out", false);
  config.get_or<bool>("init_ia3_weights", true);
  std::string feedforward = feedforward_from_peft(config);
  return {{"targets", config.targets()},
          {"exclude", config.exclude()},
          {"feedforward", feedforward.empty() ? "none" : feedforward}};
}

const MethodCard card{
    .name = "ia3",
    .label = "IA3",
    .paper =
        "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context "
        "Learning (Liu et al., 2022)",
    .formula = "y = l * (W x + b), or y = W (l * x) + b for feedforward layers",
    .trains = "l (out) of each target layer, l (in) of each feedforward one",
    .options =
        "targets=auto,exclude=,feedforward=auto: names or patterns joined by '+'; auto: "
        "keys (or queries), values and the layer that closes the MLP, as PEFT chooses for "
        "the model; feedforward: the targets whose input is scaled, or none",
    .rate = 3e-3,
    .rate_because = "a few numbers around 1 are trained; the paper's own rate",
    .peft_type = "IA3",
    .tries = {"ia3", "ia3:targets=all,feedforward=none"}};

}  // namespace

REGISTER_METHOD(card, make_new<Ia3>, from_peft);

}  // namespace afina
