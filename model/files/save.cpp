// Writing models: values streamed tensor by tensor, transposed where files hold them so.
#include "model/files/save.h"

#include <algorithm>

#include "engine/files/folder.h"
#include "model/merged.h"
#include "model/words.h"

namespace afina {

namespace {

// The type in which a file holds a model's weights; an Error for dtypes that no model is stored in.
StoredType stored_type(Dtype dtype) {
  require(dtype == Dtype::f32 || dtype == Dtype::bf16, "a model is stored in f32 or bf16, not in ",
          name(dtype));
  return dtype == Dtype::f32 ? StoredType::f32 : StoredType::bf16;
}

void write_values(SafetensorsWriter& writer, const std::string& name,
                  const std::vector<float>& values, Dtype dtype) {
  if (stored_type(dtype) == StoredType::f32)
    return writer.write(name, values.data(), values.size() * sizeof(float));
  std::vector<bf16> rounded(values.size());
  for (size_t i = 0; i < values.size(); ++i) rounded[i] = to_bf16(values[i]);
  writer.write(name, rounded.data(), rounded.size() * sizeof(bf16));
}

void write_stored(SafetensorsWriter& writer, const std::string& name, const Parameter& p,
                  const std::vector<float>& values, Dtype dtype) {
  write_values(writer, name,
               p.stored_transposed ? transposed(values, p.shape[0], p.shape[1]) : values, dtype);
}

Json config_to_write(const Model& model, Dtype dtype) {
  Json config = model.config.json;
  config.erase("dtype");  // transformers 5 writes this and reads both
  config["torch_dtype"] = stored_type(dtype) == StoredType::f32 ? "float32" : "bfloat16";
  config["model_type"] = model.config.architecture;
  if (model.config.tied && !model.ends().tied()) config["tie_word_embeddings"] = false;
  config["architectures"] = Json::array({architectures().at(model.config.architecture).hf_class});
  return config;
}

// What save_model and save_adapter put into their file of weights: to a SafetensorsWriter, or to a
// layout that is only measured.
template <class File>
void declare_model(File& file, const Model& model, Dtype dtype) {
  for (const Parameter& p : model.parameters->all)
    if (!p.added) file.declare(p.stored_name, stored_type(dtype), stored_shape(p));
}
// PEFT reads over it. The form of the base; and where nothing in an adapter's file has a shape or a
// name of the model's layers (one vector for all of them), of which layers it is.
std::map<std::string, std::string> adapter_metadata(const Model& model, const TrainedOver& over) {
  std::map<std::string, std::string> all = {{"format", "pt"}};
  if (over) {
    all[base_key] = name(over->form);
    if (over->ends) all[base_ends_key] = "on";
  }
  if (const std::string layers = layers_digest(model); !layers.empty()) all[layers_key] = layers;
  return all;
}
template <class File>
void declare_adapter(File& file, const Model& model) {
  for (const Parameter& p : model.parameters->all)
    if (in_adapter(p, model.method->stored()))
      for (const std::string& name : Beside::names(*model.method, p))
        file.declare(name, StoredType::f32, shape_in_adapter(p, *model.method));
  for (const Method::Integers& i : model.method->integers())
    file.declare(i.name, StoredType::i32, i.shape);
}
// The parameter's values with those that the method stores behind them.
std::vector<float> values_in_adapter(const Parameter& p, const Method& method) {
  std::vector<float> own = method.value_in_adapter(p).values();
  const StoredBehind behind = method.stored_behind(p);
  if (behind.extent == 0) return own;
  const int64_t rows = behind.axis == 0 ? 1 : p.shape[0], mine = int64_t(own.size()) / rows,
                more = int64_t(behind.values.size()) / rows;
  std::vector<float> all;
  for (int64_t r = 0; r < rows; ++r) {
    all.insert(all.end(), own.begin() + r * mine, own.begin() + (r + 1) * mine);
    all.insert(all.end(), behind.values.begin() + r * more, behind.values.begin() + (r + 1) * more);
  }
  return all;
}

}  // namespace

bool in_adapter(const Parameter& p, Stored stored) {
  return p.added ? !p.aside : stored != Stored::model && p.trained;
}
std::vector<int64_t> stored_shape(const Parameter& p) {
  std::vector<int64_t> all;
  for (int i = 0; i < p.shape.rank(); ++i) all.push_back(p.shape[i]);
  if (p.stored_transposed) std::swap(all[0], all[1]);
  return all;
}
std::vector<int64_t> shape_in_adapter(const Parameter& p, const Method& method) {
  std::vector<int64_t> all = stored_shape(p);
  const StoredBehind behind = method.stored_behind(p);
  if (behind.extent > 0) all[size_t(behind.axis)] += behind.extent;
  return all;
}
std::vector<float> transposed(const std::vector<float>& values, int64_t rows, int64_t columns) {
  std::vector<float> out(values.size());
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      out[size_t(c * rows + r)] = values[size_t(r * columns + c)];
  return out;
}

int64_t bytes_to_store(const Model& model, Dtype dtype) {
  const bool whole = model.method->stored() == Stored::model;
  SafetensorsLayout layout("weights", whole ? std::map<std::string, std::string>{{"format", "pt"}}
                                            : adapter_metadata(model, model.parameters->base));
  if (whole) declare_model(layout, model, dtype);
  else declare_adapter(layout, model);
  return int64_t(layout.bytes());
}

void save_model(const std::string& folder, Model& model, Dtype dtype, bool merge) {
  const auto& linears = model.parameters->linears;
  const bool adapted = std::any_of(linears.begin(), linears.end(),
                                   [](const Linear* linear) { return bool(linear->adapter); });
  std::string why = model.method->why_not_mergeable();
  require(!merge || why.empty(), folder, ": the adapters cannot be merged: ", why);
  require(merge || (!adapted && !model.ends().adapted()), folder,
          ": the model has adapters; merge them into it, or store the adapter alone");
  make_folder(folder, "remove what is in the way, or write into another folder");
  SafetensorsWriter writer(folder + "/model.safetensors");
  declare_model(writer, model, dtype);
  const MergedWeights merged(model);
  for (const Parameter& p : model.parameters->all)
    if (!p.added) write_stored(writer, p.stored_name, p, merged.of(p).values(), dtype);
  writer.commit();
  write_text_file(folder + "/config.json", to_text(config_to_write(model, dtype)) + "\n");
}

bool same_numbers(const BaseStorage& a, const BaseStorage& b) {
  auto as_filed = [](const BaseStorage& s) {
    return s.form == BaseForm::plain || s.form == BaseForm::file;
  };
  return as_filed(a) ? as_filed(b) : a.form == b.form && a.ends == b.ends;
}

void save_adapter(const std::string& folder, const Model& model, const std::string& base) {
  save_adapter(folder, model, base, model.parameters->base);
}

void save_adapter(const std::string& folder, const Model& model, const std::string& base,
                  const TrainedOver& over) {
  const Stored stored = model.method->stored();
  require(stored != Stored::model, folder, ": of method '", model.method->in_force.name,
          "' the whole model is stored");
  AdapterConfig config = adapter_config(model, base);
  make_folder(folder, "remove what is in the way, or write into another folder");
  SafetensorsWriter writer(folder + "/adapter_model.safetensors", adapter_metadata(model, over));
  declare_adapter(writer, model);
  for (const Parameter& p : model.parameters->all)
    if (in_adapter(p, stored))
      for (const std::string& name : Beside::names(*model.method, p))
        write_stored(writer, name, p, values_in_adapter(p, *model.method), Dtype::f32);
  for (const Method::Integers& i : model.method->integers())
    writer.write(i.name, i.values.data(), i.values.size() * sizeof(int32_t));
  writer.commit();
  write_text_file(folder + "/" + config.file, to_text(config.json) + "\n");
}

}  // namespace afina
