// Reading PEFT adapters: what their options mean to us, and their values.
#include <algorithm>
#include <filesystem>
#include <set>

#include "engine/files/dequantize.h"
#include "engine/files/folder_file.h"
#include "engine/nearest.h"
#include "model/files/save.h"
#include "model/words.h"

namespace afina {

namespace {

bool says_nothing(const Json& value) {
  return value.is_null() || value == false ||
         ((value.is_array() || value.is_object() || value.is_string()) &&
          (value.empty() || value == ""));
}

const std::pair<const std::string, MethodEntry>& method_of(const std::string& peft_type,
                                                           const std::string& where) {
  std::vector<std::string> known;
  for (auto& method : methods()) {
    if (!method.second.peft_type) continue;
    if (peft_type == method.second.peft_type) return method;
    known.push_back(method.second.peft_type);
  }
  fail(where, ": peft_type '", peft_type, "' is not known", did_you_mean(peft_type, known),
       "; known: ", joined(known));
}

void put(Parameter& p, const StoredTensor& stored) {
  std::vector<int64_t> expected;
  for (int i = 0; i < p.shape.rank(); ++i) expected.push_back(p.shape[i]);
  require(stored.shape == expected, stored.where(), " has shape ", shape_text(stored.shape),
          " where this model and adapter_config.json ask for ", shape_text(expected));
  std::vector<float> values(size_t(stored.count()));
  to_f32(stored, 0, stored.count(), values.data());
  p.assign(values.data());
}

}  // namespace

void refuse_unknown_options(const Json& config, const std::vector<std::string>& known,
                            const std::string& where) {
  // What every method has and what changes nothing by itself.
  static const std::set<std::string> common = {
      "peft_type",      "task_type",    "peft_version",  "base_model_name_or_path", "revision",
      "inference_mode", "auto_mapping", "megatron_core", "qalora_group_size"};
  for (auto& [key, value] : config.items()) {
    bool fine = common.count(key) || std::find(known.begin(), known.end(), key) != known.end() ||
                says_nothing(value);
    require(fine, where, ": '", key, "' is ", describe(value),
            ", which afina does not support; without it the adapter would mean something else");
  }
}

MethodSpec adapter_method(const Json& config, const std::string& where) {
  auto& [name, entry] = method_of(get<std::string>(config, "peft_type", where), where);
  std::string task = get_or<std::string>(config, "task_type", where, "CAUSAL_LM");
  require(task == "CAUSAL_LM", where, ": task_type '", task,
          "' is not for a language model; expected CAUSAL_LM");
  MethodSpec spec = entry.from_peft(config, where);
  spec.name = spec.text = name;
  for (auto& [key, value] : spec.options)
    spec.text += (spec.text == name ? ":" : ",") + key + "=" + value;
  return spec;
}

AdapterFiles load_adapter(const std::string& folder) {
  namespace fs = std::filesystem;
  AdapterFiles adapter;
  adapter.path = folder;
  std::string where = folder + "/adapter_config.json",
              values = folder + "/adapter_model.safetensors";
  require(in_folder(folder, "adapter_config.json"), folder,
          ": no adapter_config.json; an adapter is a folder as PEFT writes it");
  Json config = parse_json_file(file_of_folder(folder, "adapter_config.json"));
  adapter.method = adapter_method(config, where);
  adapter.base = get_or<std::string>(config, "base_model_name_or_path", where, "");
  require(in_folder(folder, "adapter_model.safetensors"), folder, ": no adapter_model.safetensors",
          in_folder(folder, "adapter_model.bin")
              ? "; adapter_model.bin must be saved again as safetensors"
              : "");
  adapter.values =
      std::make_shared<const Safetensors>(file_of_folder(folder, "adapter_model.safetensors"));
  return adapter;
}

void AdapterFiles::apply(Model& model) const {
  std::set<std::string> wanted;
  std::vector<std::pair<Parameter*, const StoredTensor*>> pairs;
  for (Parameter& p : model.parameters->all) {
    if (!p.added) continue;
    wanted.insert(peft_prefix + p.name);
    pairs.emplace_back(&p, &values->at(peft_prefix + p.name));
  }
  for (const StoredTensor& t : values->tensors())
    require(wanted.count(t.name) > 0, t.where(),
            " has no place in this model with the options of adapter_config.json");
  for (auto& [parameter, stored] : pairs) put(*parameter, *stored);
}

}  // namespace afina
