// Adapters in files: their configs, PEFT's and ours, written and read, and their values read.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "engine/blocks.h"
#include "engine/files/atomic_file.h"
#include "engine/files/dequantize.h"
#include "engine/files/folder_file.h"
#include "engine/files/sha256.h"
#include "engine/nearest.h"
#include "model/files/file_weights.h"
#include "model/files/peft_refused.h"
#include "model/files/save.h"
#include "model/peft.h"
#include "model/words.h"

namespace afina {

namespace {

const char* const peft_file = "adapter_config.json";
const char* const our_file = "afina_adapter.json";

// The method of this peft_type whose flag is set, or the one without a flag.
const MethodEntry& method_of(const PeftConfig& config) {
  std::string type = get<std::string>(config.json(), "peft_type", config.where());
  std::vector<std::string> known;
  const MethodEntry* found = nullptr;
  for (auto& [name, entry] : methods()) {
    const MethodCard& card = entry.card;
    if (card.peft_type.empty()) continue;
    known.push_back(card.peft_type);
    if (type != card.peft_type) continue;
    bool flagged = !card.peft_flag.empty();
    if (flagged && !get_or<bool>(config.json(), card.peft_flag, config.where(), false)) continue;
    if (flagged || !found) found = &entry;
  }
  if (!found)
    for (const RefusedKind& kind : refused_peft_types())
      require(kind.name != type, config.where(), ": peft_type is '", type,
              "', which afina does not read: ", kind.because, ". Instead, ", kind.way_out);
  require(found, config.where(), ": peft_type '", type, "' is not known", did_you_mean(type, known),
          "; known: ", joined(known));
  return *found;
}

// The values of this parameter in a file, in the model's order; an Error if the shape is another.
// method: in an adapter's file, where it may have stored more behind them.
std::vector<float> values_of(const Parameter& p, const StoredTensor& stored,
                             const Method* method = nullptr) {
  const StoredBehind behind = method ? method->stored_behind(p) : StoredBehind{};
  std::vector<int64_t> expected = method ? shape_in_adapter(p, *method) : stored_shape(p);
  require(stored.shape == expected, stored.where(), " has shape ", shape_text(stored.shape),
          " where this model and the adapter's config ask for ", shape_text(expected));
  std::vector<float> values(size_t(stored.count()));
  to_f32(stored, 0, stored.count(), values.data());
  if (behind.extent > 0) {
    const int64_t rows = behind.axis == 0 ? 1 : p.shape[0], mine = p.shape.size() / rows,
                  whole = int64_t(values.size()) / rows;
    std::vector<float> own;
    for (int64_t r = 0; r < rows; ++r)
      own.insert(own.end(), values.begin() + r * whole, values.begin() + r * whole + mine);
    values = own;
  }
  return p.stored_transposed ? transposed(values, p.shape[1], p.shape[0]) : values;
}

// Reads afina_adapter.json into method, base and digest.
void read_our_config(AdapterFiles& adapter, const Json& config, const std::string& where) {
  check_known_keys(config,
                   {"method", "options", "base_model_name_or_path", "base_digest", "afina_adapter"},
                   where);
  int64_t version = get<int64_t>(config, "afina_adapter", where);
  require(version == 1, where, ": afina_adapter is version ", version,
          " of the form; this afina reads version 1");
  std::map<std::string, std::string> options;
  const Json& given = member(config, "options", where);
  require(given.is_object(), where, ": options should be an object, not ", describe(given));
  for (auto& [key, value] : given.items())
    options[key] = get<std::string>(given, key, where + ": options");
  adapter.method = method_spec(get<std::string>(config, "method", where), options);
  adapter.method.file = where;
  adapter.base = get_or<std::string>(config, "base_model_name_or_path", where, "");
  adapter.digest = get_or<std::string>(config, "base_digest", where, "");
}

// An adapter of mlx-lm has the same config's name and other words in it.
void refuse_mlx(const std::string& folder) {
  bool mlx = in_folder(folder, "adapters.safetensors") || in_folder(folder, "adapters.npz");
  if (!mlx && in_folder(folder, peft_file)) {
    const Json config = parse_json_file(file_of_folder(folder, peft_file));
    mlx = config.is_object() && !config.contains("peft_type") &&
          (config.contains("lora_parameters") || config.contains("fine_tune_type"));
  }
  require(
      !mlx || in_folder(folder, "adapter_model.safetensors"), folder,
      ": this is an adapter of mlx-lm (adapters.safetensors, lora_parameters), whose form afina "
      "does not read; fuse it into its model with mlx-lm (mlx_lm.fuse) and use the fused "
      "folder, or convert it to PEFT's form (adapter_model.safetensors)");
}

// Integers in a file as i32; floating-point numbers that stand for integers too, as PEFT writes
// them on some systems.
std::vector<int32_t> integers_of(const StoredTensor& stored) {
  std::vector<int32_t> values(size_t(stored.count()));
  if (stored.type == StoredType::i32) {
    std::memcpy(values.data(), stored.data, values.size() * sizeof(int32_t));
    return values;
  }
  if (stored.type == StoredType::i64) {
    for (size_t i = 0; i < values.size(); ++i) {
      int64_t value = 0;
      std::memcpy(&value, stored.data + i * sizeof value, sizeof value);
      require(value == int32_t(value), stored.where(), " holds ", value,
              ", which no place of a model has");
      values[i] = int32_t(value);
    }
    return values;
  }
  require(can_dequantize(stored.type), stored.where(), " should hold integers");
  std::vector<float> numbers(values.size());
  to_f32(stored, 0, stored.count(), numbers.data());
  for (size_t i = 0; i < numbers.size(); ++i) {
    require(std::fabs(numbers[i]) < 1e9f && numbers[i] == std::floor(numbers[i]), stored.where(),
            " holds ", numbers[i], " where an integer is expected");
    values[i] = int32_t(numbers[i]);
  }
  return values;
}

// Hands the integers of a file to the method; adds their names to `wanted`.
void take_integers(const Safetensors& file, Method& method, std::set<std::string>& wanted,
                   const std::string& other_model) {
  std::vector<Method::Integers> all = method.integers();
  if (all.empty()) return;
  for (Method::Integers& i : all) {
    wanted.insert(i.name);
    const StoredTensor* stored = file.find(i.name);
    require(stored, file.path(), ": tensor '", i.name, "' is missing", other_model);
    require(stored->shape == i.shape, stored->where(), " has shape ", shape_text(stored->shape),
            " where this model and the adapter's config ask for ", shape_text(i.shape),
            other_model);
    i.values = integers_of(*stored);
  }
  method.take(all);
}

// Is this tensor one that the method lets a file repeat, with the bytes of the other?
bool repeats_another(const Safetensors& file, const Method& method, const StoredTensor& tensor) {
  const std::string name = method.repeated_by(tensor.name);
  const StoredTensor* other = name.empty() ? nullptr : file.find(name);
  if (!other) return false;
  require(tensor.bytes == other->bytes && std::memcmp(tensor.data, other->data, other->bytes) == 0,
          tensor.where(), " should repeat '", name, "' and has other values");
  return true;
}

// Does this tensor belong to the head or the embedding?
bool of_head(const std::string& name) {
  for (const char* part : {"lm_head.", "embed_tokens.", ".wte.", "lora_embedding_"})
    if (name.find(part) != name.npos) return true;
  return false;
}

// The pretrained table that PEFT writes into the file of an adapter on the embedding or the head;
// null: it is something else.
Parameter* table_of(Model& model, const std::string& name) {
  const std::string start = "base_model.model.", end = ".base_layer.weight";
  if (!name.starts_with(start) || !name.ends_with(end)) return nullptr;
  const std::string path = name.substr(start.size(), name.size() - start.size() - end.size());
  if (!is_embedding(path) && !is_head(path)) return nullptr;
  Parameter* own = model.parameters->find(path + ".weight");
  if (own || !is_head(path) || !model.ends().tied()) return own;
  return model.parameters->find(model.ends().table().name);
}

// What the metadata of an adapter's file say of the base that it was trained over.
TrainedOver trained_over(const Safetensors& file) {
  const std::map<std::string, std::string>& all = file.metadata();
  const auto base = all.find(base_key), ends = all.find(base_ends_key);
  if (base == all.end()) return {};
  for (int i = 0; i <= int(BaseForm::q6_k); ++i)
    if (base->second == name(BaseForm(i)))
      return BaseStorage{BaseForm(i), ends != all.end() && ends->second == "on", nullptr};
  fail(file.path(), ": was trained over --base ", base->second,
       ", which this afina does not have; use the one that wrote it");
}

// Ends messages about another base model where it is the form that differs.
std::string other_form(const TrainedOver& over, const BaseStorage& now) {
  if (!over || same_numbers(*over, now)) return "";
  auto words = [](const BaseStorage& s) {
    return std::string("--base ") + name(s.form) + (s.ends ? " --base-ends on" : "");
  };
  return "; it was trained over " + words(*over) + " and this is " + words(now);
}

}  // namespace

AdapterConfig adapter_config(const Model& model, const std::string& base) {
  const Method& method = *model.method;
  // What PEFT has no words for is written in ours.
  if (Json config = method.peft_config(); !config.is_null() && method.beside.write(config)) {
    config["base_model_name_or_path"] = base;
    return {peft_file, config};
  }
  Json config = {{"afina_adapter", 1},
                 {"method", method.in_force.name},
                 {"options", method.in_force.options},
                 {"base_model_name_or_path", base}};
  if (method.stored() == Stored::changed) config["base_digest"] = base_digest(model);
  return {our_file, config};
}

std::string base_digest(const Model& model) {
  Sha256 hash;
  for (const Parameter& p : model.parameters->all) {
    if (p.added || p.trained) continue;
    std::string head = p.name + " " + p.shape.text() + "\n";
    hash.update(head.data(), head.size());
    int64_t some = std::min<int64_t>(p.shape.size(), 64);
    Tensor all = p.value;
    if (all.blocks())  // as many rows as hold them
      all = rows_of(all, 0, std::min(all.rows(), (some + all.columns() - 1) / all.columns()));
    Tensor first = all.viewed({all.size()}).slice_rows(0, some);
    for (float value : first.values()) {
      bf16 rounded = to_bf16(value);
      hash.update(&rounded, sizeof rounded);
    }
  }
  return hash.hex();
}

std::string layers_digest(const Model& model) {
  if (!model.method->integers().empty()) return {};
  std::string layers;
  for (const Linear* linear : model.parameters->linears) {
    if (!linear->adapter) continue;
    layers += linear->path + " " + linear->weight.shape.text() + "\n";
    for (const Parameter& p : model.parameters->all)
      if (in_adapter(p, model.method->stored()) && p.name.starts_with(linear->path + "."))
        return {};
  }
  if (layers.empty()) return {};
  Sha256 hash;
  hash.update(layers);
  return hash.hex();
}

MethodSpec adapter_method(const std::string& text, const std::string& where) {
  PeftConfig config(text, where);
  const MethodEntry& entry = method_of(config);
  if (entry.card.peft_type == "LORA")
    for (const RefusedKind& kind : refused_lora_keys())
      if (const Json* value = find_member(config.json(), kind.name, where))
        require(*value == false || value->empty(), where, ": ", kind.name, " is ", describe(*value),
                ", which afina does not read: ", kind.because, ". Instead, ", kind.way_out);
  std::string task = get_or<std::string>(config.json(), "task_type", where, "CAUSAL_LM");
  require(task == "CAUSAL_LM", where, ": task_type '", task,
          "' is not for a language model; expected CAUSAL_LM");
  if (!entry.card.peft_flag.empty()) config.find(entry.card.peft_flag);
  std::map<std::string, std::string> options = entry.from_peft(config);
  options.merge(Beside::from_peft(config));
  config.finish();
  std::erase_if(options, [](auto& option) { return option.second.empty(); });
  MethodSpec spec = method_spec(entry.card.name, options);
  spec.file = where;
  return spec;
}

AdapterFiles load_adapter(const std::string& folder) {
  AdapterFiles adapter;
  adapter.path = folder;
  const bool ours = in_folder(folder, our_file);
  if (!ours) refuse_mlx(folder);
  require(ours || in_folder(folder, peft_file), folder, ": no ", peft_file, " and no ", our_file,
          "; an adapter is a folder as afina or PEFT write it");
  const std::string where = folder + "/" + (ours ? our_file : peft_file);
  if (ours) {
    read_our_config(adapter, parse_json_file(file_of_folder(folder, our_file)), where);
  } else {
    Json config = parse_json_file(file_of_folder(folder, peft_file));
    adapter.method = adapter_method(read_text_file(file_of_folder(folder, peft_file)), where);
    adapter.base = get_or<std::string>(config, "base_model_name_or_path", where, "");
  }
  require(in_folder(folder, "adapter_model.safetensors"), folder, ": no adapter_model.safetensors",
          in_folder(folder, "adapter_model.bin")
              ? "; adapter_model.bin must be saved again as safetensors"
              : "");
  adapter.values =
      std::make_shared<const Safetensors>(file_of_folder(folder, "adapter_model.safetensors"));
  adapter.over = trained_over(*adapter.values);
  return adapter;
}

void load_trained(const std::string& file, Model& model) {
  const Safetensors stored(file);
  for (Parameter& p : model.parameters->all)
    if (p.trained) p.assign(values_of(p, stored.at(p.stored_name)).data());
}

std::string AdapterFiles::other_model() const {
  return "; the adapter may be one of another model" +
         (base.empty() ? "" : " (its config says that it was trained on '" + base + "')");
}

void AdapterFiles::apply(Model& model) const {
  if (!digest.empty())
    require(digest == base_digest(model), path,
            ": the adapter holds weights of the model that it was trained on, and this is another "
            "one; open it with ",
            base.empty() ? "its own base model" : "'" + base + "'",
            other_form(over, model.parameters->base));
  if (auto layers = values->metadata().find(layers_key); layers != values->metadata().end())
    require(layers->second == layers_digest(model), path,
            ": the adapter was trained for layers of other names or shapes than this model's",
            other_model());
  std::set<std::string> wanted;
  std::vector<std::pair<Parameter*, const StoredTensor*>> pairs;
  for (Parameter& p : model.parameters->all) {
    if (!in_adapter(p, model.method->stored())) continue;
    const std::vector<std::string> names = Beside::names(*model.method, p);
    wanted.insert(names.begin(), names.end());
    const StoredTensor* stored = values->find(names[0]);
    require(stored, values->path(), ": tensor '", names[0], "' is missing", other_model());
    pairs.emplace_back(&p, stored);
    for (size_t i = 1; i < names.size(); ++i)
      if (const StoredTensor* again = values->find(names[i]))
        require(same_numbers(*again, *stored), again->where(), " differs from '", names[0],
                "', which is the same weight in this model; the adapter was made for one whose "
                "embedding and head are two");
  }
  take_integers(*values, *model.method, wanted, other_model());
  for (const StoredTensor& t : values->tensors()) {
    if (wanted.count(t.name) || repeats_another(*values, *model.method, t)) continue;
    // A table that was trained or lengthened before the adapter was begun.
    if (Parameter* table = table_of(model, t.name)) {
      pairs.emplace_back(table, &t);
      continue;
    }
    require(!of_head(t.name), t.where(),
            " has no place with the options of the adapter's config: of the methods lora alone "
            "adapts embedding and head. Merge the adapter with PEFT (merge_and_unload, "
            "save_pretrained) and use the merged folder");
    fail(t.where(), " has no place in this model with the options of the adapter's config",
         other_model());
  }
  for (auto& [parameter, stored] : pairs) {
    const std::vector<int64_t> expected = shape_in_adapter(*parameter, *model.method);
    require(stored->shape == expected, stored->where(), " has shape ", shape_text(stored->shape),
            " where this model and the adapter's config ask for ", shape_text(expected),
            other_model());
    parameter->assign(values_of(*parameter, *stored, model.method.get()).data());
  }
}

std::string AdapterFiles::trained_digest(const Model& model) const {
  std::map<std::string, const Parameter*> ordered;
  for (const Parameter* p : std::as_const(*model.parameters).trained()) ordered[p->name] = p;
  Sha256 hash;
  for (auto& [name, p] : ordered) {
    if (p->aside) return {};
    hash.update(name + " " + p->shape.text() + "\n");
    std::vector<float> all =
        values_of(*p, values->at(Beside::names(*model.method, *p)[0]), model.method.get());
    hash.update(all.data(), all.size() * sizeof(float));
    values->drop(values->at(Beside::names(*model.method, *p)[0]));
  }
  return hash.hex();
}

}  // namespace afina
