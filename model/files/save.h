// Models and adapters as folders that Hugging Face's libraries open, and adapters read back.
#pragma once
#include <memory>
#include <string>

#include "engine/files/safetensors.h"
#include "model/model.h"

namespace afina {

// What PEFT puts before the names of an adapter's tensors.
inline const std::string peft_prefix = "base_model.model.";

// Writes config.json and model.safetensors (F32 or BF16). Adapters are merged into what is written
// when `merge` says so; the model itself stays as it is. A model with adapters and merge = false is
// an Error. Tokenizer files are the caller's.
void save_model(const std::string& folder, Model& model, Dtype dtype, bool merge = false);

// Writes adapter_config.json and adapter_model.safetensors (F32), as PEFT does; base: what PEFT
// should load the adapter onto (a folder or a hub's name). An Error for a method that PEFT has no
// form for.
void save_adapter(const std::string& folder, Model& model, const std::string& base);

// Bytes of the file of weights that save_adapter writes for this model, or save_model in `dtype`
// where PEFT has no form for what is added. Looks at names and shapes alone.
int64_t bytes_to_store(const Model& model, Dtype dtype);

// A PEFT adapter on disk, ours or PEFT's own.
struct AdapterFiles {
  std::string path;
  MethodSpec method;  // builds the model that the adapter fits: make_method(adapter.method)
  std::string base;   // base_model_name_or_path, may be empty
  std::shared_ptr<const Safetensors> values;

  // Puts the values into a model built with `method`. A missing, extra, misshapen or non-finite
  // tensor is an Error by name.
  void apply(Model& model) const;
};
// Options of PEFT that afina lacks are Errors by name.
AdapterFiles load_adapter(const std::string& folder);
// The method that an adapter_config.json asks for; `where` is its name in messages.
MethodSpec adapter_method(const Json& config, const std::string& where);

// For methods that read adapter_config.json: a key outside `known` (and those that every method
// has) must be null, false or empty, else it asks for something that would silently be missing,
// which is an Error.
void refuse_unknown_options(const Json& config, const std::vector<std::string>& known,
                            const std::string& where);

}  // namespace afina
