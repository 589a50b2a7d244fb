// adapter_config.json of PEFT, read and written.
#include "model/peft.h"

#include <algorithm>

#include "model/words.h"

namespace afina {

namespace {

bool says_nothing(const Json& value) {
  return value.is_null() || value == false ||
         ((value.is_array() || value.is_object() || value.is_string()) &&
          (value.empty() || value == ""));
}

// PEFT's patterns are expressions that may begin at any part of a path; a plain name means the same
// to us.
std::string our_pattern(const std::string& pattern, const std::string& key,
                        const std::string& where, bool anywhere) {
  require(pattern.find_first_of("+,") == pattern.npos, where, ": ", key, ": '", pattern,
          "' holds '+' or ',', which afina cannot take in; name the layers instead");
  if (anywhere) return "re:.*(" + pattern + ").*";
  bool plain = pattern.find_first_of("*?()[]{}|^$\\") == pattern.npos;
  return plain ? pattern : "re:(.*\\.)?(" + pattern + ")";
}

// A list of names, or an expression over the whole path.
std::string our_modules(const Json& config, const std::string& key, const std::string& where) {
  const Json& modules = member(config, key, where);
  if (modules.is_string()) return "re:" + modules.get<std::string>();
  std::vector<std::string> names = get<std::vector<std::string>>(config, key, where);
  for (const std::string& name : names)
    require(!name.empty() && name.find_first_of("*+,:") == name.npos, where, ": ", key, ": '", name,
            "' is no name of a layer");
  return joined(names, "+");
}

}  // namespace

PeftConfig::PeftConfig(const std::string& text, std::string where)
    : where_(std::move(where)), json_(parse_json(text, where_)) {
  require(json_.is_object(), where_, ": should be an object, not ", describe(json_));
  ordered_ = OrderedJson::parse(text);
}

const Json* PeftConfig::find(const std::string& key) {
  understood_.insert(key);
  return find_member(json_, key, where_);
}
std::string PeftConfig::number(const std::string& key) { return number_text(get<double>(key)); }
std::string PeftConfig::number_or(const std::string& key, double fallback) {
  return number_text(get_or<double>(key, fallback));
}
std::string PeftConfig::flag_or(const std::string& key, bool fallback) {
  return get_or<bool>(key, fallback) ? "true" : "false";
}

std::string PeftConfig::targets() {
  understood_.insert("target_modules");
  if (member(json_, "target_modules", where_) == "all-linear") return "all";
  std::string ours = our_modules(json_, "target_modules", where_);
  require(!ours.empty(), where_, ": target_modules is empty: the adapter changes nothing");
  return ours;
}
std::string PeftConfig::modules(const std::string& key) {
  const Json* found = find(key);
  if (!found || found->empty() || *found == "") return "";
  return our_modules(json_, key, where_);
}

std::string PeftConfig::patterns(const std::string& key, bool anywhere) {
  const Json* patterns = find(key);
  if (!patterns) return "";
  require(patterns->is_object(), where_, ": ", key, " should be an object, not ",
          describe(*patterns));
  std::vector<std::string> items;
  for (auto& [pattern, value] : ordered_.at(key).items())
    items.push_back(our_pattern(pattern, key, where_, anywhere) + ":" +
                    number_text(afina::get<double>(*patterns, pattern, where_ + ": " + key)));
  return joined(items, "+");
}

void PeftConfig::only(const std::string& key, const Json& expected, const std::string& why) {
  const Json* found = find(key);
  require(!found || *found == expected, where_, ": ", key, " is ",
          found ? describe(*found) : std::string(), "; ", why);
}

void PeftConfig::finish() const {
  // What every method has, and what changes nothing by itself.
  static const std::set<std::string> common = {
      "peft_type",      "task_type",    "peft_version",  "base_model_name_or_path", "revision",
      "inference_mode", "auto_mapping", "megatron_core", "qalora_group_size"};
  for (auto& [key, value] : json_.items())
    require(
        common.count(key) || understood_.count(key) || says_nothing(value), where_, ": '", key,
        "' is ", describe(value),
        ", which afina does not support; without it the adapter would mean something else. PEFT "
        "can merge it (merge_and_unload, save_pretrained): use the merged folder");
}

Json peft_common(const std::string& peft_type) {
  return {{"peft_type", peft_type},
          {"task_type", "CAUSAL_LM"},
          {"inference_mode", true},
          {"modules_to_save", nullptr}};
}

Json plain_number(double value) {
  return value == double(int64_t(value)) ? Json(int64_t(value)) : Json(value);
}

}  // namespace afina
