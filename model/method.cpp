// Methods by name: the registry, and options as people write them.
#include "model/method.h"

#include <algorithm>
#include <charconv>

#include "engine/nearest.h"
#include "engine/train/parameter.h"
#include "model/points.h"
#include "model/token_ends.h"
#include "model/words.h"

namespace afina {

namespace {

template <class V>
std::vector<std::string> keys_of(const std::map<std::string, V>& map) {
  std::vector<std::string> keys;
  for (auto& [key, value] : map) keys.push_back(key);
  return keys;
}
// The whole text as a number; locale plays no part.
template <class T>
bool read_number(const std::string& text, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

std::unique_ptr<PointAdapter> Method::adapt_point(const Point&, const Scope&) { return nullptr; }

std::unique_ptr<TableAdapter> Method::adapt_table(const TokenWeights&, const Scope&) {
  return nullptr;
}

std::string Method::name_in_adapter(const Parameter& parameter) const {
  return parameter.stored_name;
}
StoredBehind Method::stored_behind(const Parameter&) const { return {}; }

Tensor Method::value_in_adapter(const Parameter& parameter) const { return parameter.exact(); }

std::string option_label(const std::string& method, const std::string& file,
                         const std::string& key) {
  if (file.empty()) return "method '" + method + "': " + key;
  static const std::map<std::string, std::string> of_peft = {{"rank", "r"},
                                                             {"alpha", "lora_alpha"},
                                                             {"dropout", "lora_dropout"},
                                                             {"rslora", "use_rslora"},
                                                             {"targets", "target_modules"},
                                                             {"exclude", "exclude_modules"},
                                                             {"ranks", "rank_pattern"},
                                                             {"alphas", "alpha_pattern"},
                                                             {"save", "modules_to_save"},
                                                             {"tie", "ensure_weight_tying"},
                                                             {"bias", "bias"},
                                                             {"tokens", "trainable_token_indices"},
                                                             {"start", "init_lora_weights"}};
  auto word = of_peft.find(key);
  const bool peft = file.ends_with("adapter_config.json") && word != of_peft.end();
  return file + ": " + (peft ? word->second : "options: " + key);
}

const std::string& MethodOptions::find(const std::string& key, const std::string& otherwise) {
  auto given = given_.find(key);
  return in_force_[key] = given == given_.end() ? otherwise : given->second;
}

int64_t MethodOptions::integer(const std::string& key, int64_t otherwise, int64_t least,
                               int64_t most) {
  const std::string& text = find(key, std::to_string(otherwise));
  int64_t value = 0;
  require(read_number(text, value) && value >= least && value <= most, label(key), "=", text,
          " where an integer from ", least, " to ", most, " is expected");
  return value;
}

double MethodOptions::number(const std::string& key, double otherwise, double least, double most) {
  const std::string& text = find(key, number_text(otherwise));
  double value = 0.;
  require(read_number(text, value) && value >= least && value <= most, label(key), "=", text,
          " where a number from ", number_text(least), " to ", number_text(most), " is expected");
  return value;
}

bool MethodOptions::flag(const std::string& key, bool otherwise) {
  const std::string& text = find(key, otherwise ? "true" : "false");
  require(text == "true" || text == "false", label(key), "=", text,
          " where true or false is expected");
  return text == "true";
}

std::string MethodOptions::text(const std::string& key, const std::string& otherwise) {
  return find(key, otherwise);
}

std::vector<std::string> MethodOptions::list(const std::string& key, const std::string& otherwise) {
  const std::string& text = find(key, otherwise);
  if (text.empty()) return {};
  std::vector<std::string> items = split(text, '+');
  for (const std::string& item : items)
    require(!item.empty(), label(key), "=", text,
            " has an empty item; items are joined by one '+'");
  return items;
}

void MethodOptions::finish() const {
  for (auto& [key, value] : given_) {
    if (in_force_.count(key)) continue;
    auto known = keys_of(in_force_);
    fail(file_.empty() ? "" : file_ + ": ", "method '", method_, "' has no option '", key, "'",
         did_you_mean(key, known),
         known.empty() ? "; it takes none" : "; it takes: " + joined(known));
  }
}

std::map<std::string, MethodEntry>& methods() {
  static std::map<std::string, MethodEntry> all;
  return all;
}

namespace {

// The names that PEFT and TRL give to options, for those who know them.
std::string our_option(const std::string& key) {
  static const std::map<std::string, std::string> of_others = {
      {"r", "rank"},
      {"lora_alpha", "alpha"},
      {"lora_dropout", "dropout"},
      {"target_modules", "targets"},
      {"exclude_modules", "exclude"},
      {"use_rslora", "rslora"},
      {"rank_pattern", "ranks"},
      {"alpha_pattern", "alphas"},
      {"modules_to_save", "save"},
      {"ensure_weight_tying", "tie"},
      {"num_virtual_tokens", "tokens"},
      {"loraplus_lr_ratio", "plus"},
      {"learning_rate", "lr"},
      {"init_lora_weights", "start"},
      {"corda_method", "corda"},
      // of single methods
      {"config_A_B", "weight"},
      {"config_C", "through"},
      {"config_D_E", "bias"},
      {"effective_rank", "keep"},
      {"encoder_hidden_size", "hidden"},
      {"encoder_num_layers", "layers"},
      {"group_size", "group"},
      {"num_vectors", "vectors"},
      {"prefix_projection", "projection"},
      {"proj_seed", "seed"},
      {"projection_prng_key", "projection_key"},
      {"projection_seed", "seed"},
      {"random_seed", "seed"},
      {"randlora_alpha", "alpha"},
      {"save_indices", "indices"},
      {"save_projection", "stored"},
      {"theta_d_length", "numbers"},
      {"topk", "most"},
      {"vector_length", "length"},
      {"weight_tying", "tying"}};
  auto found = of_others.find(key);
  return found == of_others.end() ? key : found->second;
}

}  // namespace

MethodSpec parse_method(const std::string& text) {
  MethodSpec spec;
  spec.text = text;
  size_t colon = text.find(':');
  spec.name = text.substr(0, colon);
  require(!spec.name.empty(), "method '", text,
          "': a name is expected, as in lora:rank=8,alpha=16");
  if (colon == text.npos) return spec;
  for (const std::string& part : split(text.substr(colon + 1), ',')) {
    size_t equals = part.find('=');
    require(equals != part.npos && equals > 0, "method '", text, "': '", part,
            "' where key=value is expected, as in ", spec.name, ":key=value,key=value");
    const std::string typed = part.substr(0, equals), key = our_option(typed);
    std::string value = part.substr(equals + 1);
    if (key == "targets" && value == "all-linear") value = "all";
    bool fresh = key == "name" ? spec.label.empty() : spec.options.emplace(key, value).second;
    if (key == "name") {
      const bool readable = value.find_first_not_of(' ') != value.npos &&
                            std::none_of(value.begin(), value.end(), [](char letter) {
                              return static_cast<unsigned char>(letter) < 32 || letter == 127;
                            });
      require(readable, "method '", spec.name, "': name=: expected a label to call it by, as in ",
              spec.name, ":name=small,...");
      spec.label = value;
    }
    require(fresh, "method '", text, "': '", key, "' is given twice",
            key == typed ? "" : ", as " + typed + " is another name for it");
  }
  return spec;
}

MethodSpec method_spec(const std::string& name, const std::map<std::string, std::string>& options) {
  MethodSpec spec{name, name, options};
  for (auto& [key, value] : options)
    spec.text += (spec.text == name ? ":" : ",") + key + "=" + value;
  return spec;
}

std::unique_ptr<Method> make_method(const MethodSpec& spec) {
  auto entry = methods().find(spec.name);
  auto known = keys_of(methods());
  require(entry != methods().end(), "unknown method '", spec.name, "'",
          did_you_mean(spec.name, known), "; known: ", joined(known));
  MethodOptions options(spec.name, spec.options, spec.file);
  std::unique_ptr<Method> method = entry->second.make(options);
  method->beside = Beside(options);  // after the method, whose own options come first
  require(!method->beside.any() || method->stored() != Stored::model, "method '", spec.name,
          "' trains the whole model already; save, bias and tokens are for methods that do not");
  options.finish();
  method->in_force = method_spec(spec.name, options.in_force());
  method->in_force.file = spec.file;
  return method;
}

std::string MethodCard::why_not(Promise promise) const {
  for (const NotPromised& n : not_promised)
    if (n.promise == promise) return n.because;
  return {};
}

bool register_method(MethodCard card, std::unique_ptr<Method> (*make)(MethodOptions&),
                     std::map<std::string, std::string> (*from_peft)(PeftConfig&)) {
  const std::string name = card.name;
  return methods().emplace(name, MethodEntry{std::move(card), make, from_peft}).second;
}

}  // namespace afina
