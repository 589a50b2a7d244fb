// LoRA (Hu et al., 2021): y = W x + scale B A x, where W rests and only A (rank, in) and B (out,
// rank) move; scale is alpha / rank, or alpha / sqrt(rank) with rslora (Kalajdzievski, 2023).
#include <algorithm>
#include <cmath>
#include <set>

#include "engine/nearest.h"
#include "engine/ops/dropout.h"
#include "engine/random.h"
#include "model/files/save.h"
#include "model/layers.h"
#include "model/pattern.h"
#include "model/words.h"

namespace afina {

namespace {

struct LoraAdapter : Adapter {
  Parameter &a, &b;
  double scale, dropout_rate;

  // A begins uniform in ±1/sqrt(in), as PEFT has it (Kaiming with a = sqrt 5), and B at zero: the
  // layer begins as the pretrained one.
  LoraAdapter(const Linear& layer, const Scope& scope, int64_t rank, double scale,
              double dropout_rate)
      : a((scope / "lora_A")
              .added("weight", {rank, layer.weight.shape[1]},
                     {Init::uniform, 1.f / std::sqrt(float(layer.weight.shape[1]))})),
        b((scope / "lora_B").added("weight", {layer.weight.shape[0], rank}, {Init::zeros})),
        scale(scale),
        dropout_rate(dropout_rate) {}

  Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const override {
    Tensor xa = x;
    if (inputs.training && dropout_rate > 0.) {
      require(bool(inputs.keys),
              "dropout while training needs to know the samples; make_inputs was given none");
      xa = dropout(
          x, inputs.keys, dropout_rate,
          {inputs.seed, hash_of(layer.path), step_number(uint64_t(inputs.step), x.device())});
    }
    return linear_lora(x, xa, layer.weight.value, layer.bias_value(), a.value, b.value, scale);
  }
  std::vector<Tensor> forward_together(const Tensor& x, const std::vector<const Linear*>& layers,
                                       const Inputs& inputs) const override;
  Tensor merged(const Tensor& weight) const override {
    return weight + matmul(b.exact(), a.exact()) * scale;
  }
};

// Without dropout, which gives every adapter an input of its own, the As of layers that share x are
// one product. Outside training the stacking of the As would cost more than it saves.
std::vector<Tensor> LoraAdapter::forward_together(const Tensor& x,
                                                  const std::vector<const Linear*>& layers,
                                                  const Inputs& inputs) const {
  std::vector<const LoraAdapter*> adapters;
  std::vector<Tensor> as, ys;
  for (const Linear* layer : layers) {
    adapters.push_back(dynamic_cast<const LoraAdapter*>(layer->adapter.get()));
    if (adapters.back()) as.push_back(adapters.back()->a.value);
  }
  if (as.size() < 2 || !Tape::recording() || (inputs.training && dropout_rate > 0.)) return {};
  Tensor low = lora_low(x, as);
  int64_t from = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    const Linear& layer = *layers[i];
    const LoraAdapter* l = adapters[i];
    ys.push_back(l ? linear_lora_of(x, low, from, layer.weight.value, layer.bias_value(),
                                    l->a.value, l->b.value, l->scale)
                   : layer(x, inputs));
    if (l) from += l->a.value.rows();
  }
  return ys;
}

// Numbers that some layers have instead of the common one: "q_proj:16+*.mlp.*:4"; the first that
// matches counts.
using Exceptions = std::vector<std::pair<ModulePattern, double>>;
double chosen(const Exceptions& exceptions, const std::string& path, double otherwise) {
  for (auto& [pattern, value] : exceptions)
    if (pattern.matches(path)) return value;
  return otherwise;
}
Exceptions read_exceptions(MethodOptions& options, const std::string& key, bool integers) {
  Exceptions all;
  for (const std::string& item : options.list(key, "")) {
    size_t colon = item.rfind(':');
    require(colon != item.npos, "method 'lora': ", key, ": '", item,
            "' where layer:number is expected, as in q_proj:16");
    MethodOptions one("lora", {{key, item.substr(colon + 1)}});
    all.emplace_back(
        ModulePattern(item.substr(0, colon)),
        integers ? double(one.integer(key, 0, 1, 65536)) : one.number(key, 0., 1e-9, 1e9));
  }
  return all;
}

class Lora : public Method {
 public:
  explicit Lora(MethodOptions& o)
      : rank_(o.integer("rank", 8, 1, 65536)),
        alpha_(o.number("alpha", 16., 1e-9, 1e9)),
        dropout_(o.number("dropout", 0., 0., 0.99)),
        rslora_(o.flag("rslora", false)),
        ranks_(read_exceptions(o, "ranks", true)),
        alphas_(read_exceptions(o, "alphas", false)) {
    std::string targets = o.text("targets", "all");
    if (targets.starts_with("re:"))
      targets_.emplace_back(targets);  // '+' means something else in an expression
    else if (targets != "all")
      for (const std::string& target : o.list("targets", "all")) targets_.emplace_back(target);
    options_ = o.in_force();
  }

  std::unique_ptr<Adapter> adapt(const Linear& layer, const Scope& scope) override {
    seen_.push_back(layer.path);
    bool wanted = targets_.empty();
    for (const ModulePattern& target : targets_) {
      if (!target.matches(layer.path)) continue;
      wanted = true;
      used_.insert(target.text());
    }
    if (!wanted) return nullptr;
    int64_t rank = int64_t(chosen(ranks_, layer.path, double(rank_)));
    double alpha = chosen(alphas_, layer.path, alpha_);
    adapted_.push_back({layer.path, rank, alpha, layer.stored_transposed});
    return std::make_unique<LoraAdapter>(
        layer, scope, rank, alpha / (rslora_ ? std::sqrt(double(rank)) : double(rank)), dropout_);
  }

  void built() const override {
    for (const ModulePattern& target : targets_)
      if (!used_.count(target.text())) unmatched("targets", target.text());
    for (auto* exceptions : {&ranks_, &alphas_})
      for (auto& exception : *exceptions) {
        const ModulePattern& pattern = exception.first;
        if (std::none_of(adapted_.begin(), adapted_.end(),
                         [&](const Adapted& a) { return pattern.matches(a.path); }))
          unmatched(exceptions == &ranks_ ? "ranks" : "alphas", pattern.text());
      }
  }
  std::map<std::string, std::string> options() const override { return options_; }
  Json peft_config() const override;

 private:
  struct Adapted {
    std::string path;
    int64_t rank;
    double alpha;
    bool transposed;
  };
  [[noreturn]] void unmatched(const char* key, const std::string& pattern) const;
  std::vector<std::string> target_modules() const;

  int64_t rank_;
  double alpha_, dropout_;
  bool rslora_;
  Exceptions ranks_, alphas_;
  std::vector<ModulePattern> targets_;  // empty: all
  std::map<std::string, std::string> options_;
  std::vector<std::string> seen_;  // what follows is of the model being built
  std::set<std::string> used_;
  std::vector<Adapted> adapted_;
};

std::string last_word(const std::string& path) { return path.substr(path.rfind('.') + 1); }

void Lora::unmatched(const char* key, const std::string& pattern) const {
  std::set<std::string> words;
  for (const std::string& path : seen_) words.insert(last_word(path));
  std::vector<std::string> known(words.begin(), words.end());
  fail("method 'lora': ", key, ": '", pattern, "' matches no ",
       key == std::string("targets") ? "linear" : "adapted", " layer of the model",
       did_you_mean(pattern, known), "; it has ", joined(known), ", with paths like ",
       seen_.empty() ? "(none)" : seen_[0]);
}

// The last words of the paths when they mean exactly the adapted layers (as people write it), else
// whole paths.
std::vector<std::string> Lora::target_modules() const {
  std::set<std::string> words, paths;
  for (const Adapted& a : adapted_) {
    words.insert(last_word(a.path));
    paths.insert(a.path);
  }
  bool exact = std::all_of(seen_.begin(), seen_.end(), [&](const std::string& path) {
    return !words.count(last_word(path)) || paths.count(path);
  });
  const std::set<std::string>& chosen = exact ? words : paths;
  return {chosen.begin(), chosen.end()};
}

// A whole number without a decimal point, as PEFT has it.
Json plain_number(double value) {
  return value == double(int64_t(value)) ? Json(int64_t(value)) : Json(value);
}

Json Lora::peft_config() const {
  Json ranks = Json::object(), alphas = Json::object();
  bool transposed = false;
  for (const Adapted& a : adapted_) {
    if (a.rank != rank_) ranks[a.path] = a.rank;
    if (a.alpha != alpha_) alphas[a.path] = plain_number(a.alpha);
    transposed = transposed || a.transposed;
  }
  return {{"peft_type", "LORA"},
          {"task_type", "CAUSAL_LM"},
          {"r", rank_},
          {"lora_alpha", plain_number(alpha_)},
          {"lora_dropout", dropout_},
          {"use_rslora", rslora_},
          {"use_dora", false},
          {"target_modules", target_modules()},
          {"rank_pattern", ranks},
          {"alpha_pattern", alphas},
          {"bias", "none"},
          {"fan_in_fan_out", transposed},
          {"init_lora_weights", true},
          {"inference_mode", true},
          {"modules_to_save", nullptr}};
}

std::unique_ptr<Method> make(MethodOptions& options) { return std::make_unique<Lora>(options); }

// PEFT's patterns are expressions that may begin at any part of a path: a plain name means the same
// to us.
std::string from_pattern(const std::string& pattern, const std::string& key,
                         const std::string& where) {
  require(pattern.find_first_of("+,") == pattern.npos, where, ": ", key, ": '", pattern,
          "' holds '+' or ',', which afina cannot take in; name the layers instead");
  bool plain = pattern.find_first_of("*?()[]{}|^$\\") == pattern.npos;
  return plain ? pattern : "re:(.*\\.)?(" + pattern + ")";
}
std::string from_patterns(const Json& config, const std::string& key, const std::string& where) {
  std::vector<std::string> items;
  if (const Json* patterns = find_member(config, key, where)) {
    require(patterns->is_object(), where, ": ", key, " should be an object, not ",
            describe(*patterns));
    for (auto& [pattern, value] : patterns->items())
      items.push_back(from_pattern(pattern, key, where) + ":" +
                      number_text(get<double>(*patterns, pattern, where + ": " + key)));
  }
  return joined(items, "+");
}
std::string from_targets(const Json& config, const std::string& where) {
  const Json& targets = member(config, "target_modules", where);
  if (targets.is_string()) {
    std::string text = targets.get<std::string>();
    return text == "all-linear" ? "all" : "re:" + text;
  }
  std::vector<std::string> names = get<std::vector<std::string>>(config, "target_modules", where);
  require(!names.empty(), where, ": target_modules is empty: the adapter changes nothing");
  for (const std::string& name : names)
    require(!name.empty() && name.find_first_of("*+,:") == name.npos, where, ": target_modules: '",
            name, "' is no name of a layer");
  return joined(names, "+");
}

MethodSpec from_peft(const Json& config, const std::string& where) {
  refuse_unknown_options(
      config,
      {"r", "lora_alpha", "lora_dropout", "use_rslora", "target_modules", "rank_pattern",
       "alpha_pattern", "bias", "fan_in_fan_out", "init_lora_weights"},
      where);
  if (const Json* init = find_member(config, "init_lora_weights", where))
    require(init->is_boolean() || *init == "gaussian" || *init == "orthogonal" || *init == "eva",
            where, ": init_lora_weights ", describe(*init),
            " changes the base model's weights, so that the adapter alone does not tell the model; "
            "convert it to a plain LoRA with PEFT "
            "(save_pretrained with "
            "path_initial_model_for_weight_conversion)");
  std::string bias = get_or<std::string>(config, "bias", where, "none");
  require(bias == "none", where, ": bias is '", bias,
          "'; afina reads adapters that leave biases alone (bias 'none')");
  MethodSpec spec;
  spec.options = {{"rank", std::to_string(get<int64_t>(config, "r", where))},
                  {"alpha", number_text(get<double>(config, "lora_alpha", where))},
                  {"dropout", number_text(get_or<double>(config, "lora_dropout", where, 0.))},
                  {"rslora", get_or<bool>(config, "use_rslora", where, false) ? "true" : "false"},
                  {"targets", from_targets(config, where)}};
  for (auto [ours, theirs] :
       {std::pair("ranks", "rank_pattern"), std::pair("alphas", "alpha_pattern")})
    if (std::string text = from_patterns(config, theirs, where); !text.empty())
      spec.options[ours] = text;
  return spec;
}

}  // namespace

REGISTER_METHOD(
    "lora", make,
    "lora:rank=8,alpha=16,targets=all,dropout=0,rslora=false,ranks=,alphas=: low-rank matrices "
    "beside linear layers; targets: "
    "all, names or patterns joined by "
    "'+' (q_proj+v_proj, *.mlp.*) or re:EXPRESSION; ranks and alphas: exceptions (q_proj:16)",
    "LORA", from_peft);

}  // namespace afina
