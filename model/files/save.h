// Models and adapters as folders that Hugging Face's libraries open, and adapters read back.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "engine/files/safetensors.h"
#include "model/model.h"

namespace afina {

// Writes config.json and model.safetensors (F32 or BF16). Adapters are merged into what is written
// when `merge` says so; the model itself stays as it is. A model with adapters and merge = false is
// an Error, as is one whose adapters cannot be merged. Tokenizer files are the caller's.
void save_model(const std::string& folder, Model& model, Dtype dtype, bool merge = false);

// Puts the values of a file that save_model wrote into the parameters that are trained. A missing
// or misshapen tensor is an Error by name.
void load_trained(const std::string& file, Model& model);

// The form of the base that an adapter was trained over, which its file says in its metadata under
// base_key and, where embedding and head were in it too, base_ends_key; nothing: it does not say.
using TrainedOver = std::optional<BaseStorage>;
constexpr const char *base_key = "afina_base", *base_ends_key = "afina_base_ends";
// Do a model's matrices have the same numbers in both? Those of plain and file are the file's.
bool same_numbers(const BaseStorage& a, const BaseStorage& b);

// Writes what the method says is stored of it (Stored::adapter or changed), in f32, into the
// folder: adapter_config.json and adapter_model.safetensors as PEFT does, or, where PEFT does not
// know the method, afina_adapter.json and adapter_model.safetensors. base: what the adapter was
// trained on (a folder or a hub's name). over: the form that the model has now, unless given. An
// Error for a method of which the whole model is stored.
void save_adapter(const std::string& folder, const Model& model, const std::string& base);
void save_adapter(const std::string& folder, const Model& model, const std::string& base,
                  const TrainedOver& over);

// Bytes of the file of weights that is stored of this model: by save_adapter, or by save_model in
// `dtype` where the method says so. Looks at names and shapes alone.
int64_t bytes_to_store(const Model& model, Dtype dtype);

// Does an adapter's file hold this parameter? What the method added, and the pretrained weights
// that are trained: by a method that says `changed`, or beside any (model/beside.h).
bool in_adapter(const Parameter& parameter, Stored stored);
// The parameter's shape in files: (in, out) where they hold it transposed.
std::vector<int64_t> stored_shape(const Parameter& parameter);
// Its shape in an adapter's file, with what the method stores behind it (StoredBehind).
std::vector<int64_t> shape_in_adapter(const Parameter& parameter, const Method& method);
// A matrix's values with rows and columns exchanged.
std::vector<float> transposed(const std::vector<float>& values, int64_t rows, int64_t columns);

// An adapter on disk: PEFT's own, or ours.
struct AdapterFiles {
  std::string path;
  MethodSpec method;  // builds the model that the adapter fits: make_method(adapter.method)
  std::string base;   // base_model_name_or_path, may be empty
  // base_digest of the model that it was trained on; empty: any model of these shapes will do.
  std::string digest;
  TrainedOver over;  // as the file says
  std::shared_ptr<const Safetensors> values;

  // Puts the values into a model built with `method`. A missing, extra, misshapen or non-finite
  // tensor is an Error by name, as is a base model other than the one it was trained on, where that
  // is known.
  void apply(Model& model) const;
  // Ends messages about what does not fit: "; the adapter may be one of another model (...)".
  std::string other_model() const;
  // digest_of (engine/train/parameter.h) the trained parameters of `model` with the values in the
  // file; only the names and shapes of the model are read, so it may be on Device::shapes. Empty
  // where files do not hold all that was trained (Parameter::aside).
  std::string trained_digest(const Model& model) const;
};
// Options of PEFT that afina lacks are Errors by name.
AdapterFiles load_adapter(const std::string& folder);
// The method that an adapter_config.json asks for; `where` is its name in messages.
MethodSpec adapter_method(const std::string& config, const std::string& where);

// Of an adapter whose file has nothing with a name or a shape of the layers that it is for: a
// SHA-256 of those, which stands in the file's metadata under layers_key. Empty for all others.
std::string layers_digest(const Model& model);
constexpr const char* layers_key = "afina_layers";

// What save_adapter writes beside the weights.
struct AdapterConfig {
  std::string file;  // adapter_config.json or afina_adapter.json
  Json json;
};
AdapterConfig adapter_config(const Model& model, const std::string& base);
// Tells base models apart: a SHA-256 of names, shapes and some values of the weights that are
// neither trained nor added, rounded to bf16, so that it is the same in every dtype.
std::string base_digest(const Model& model);

}  // namespace afina
