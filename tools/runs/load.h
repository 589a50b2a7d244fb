// A model as the smaller commands open it: its files, its tokenizer, and an adapter where one is
// named.
#pragma once
#include <memory>
#include <optional>

#include "data/batches.h"
#include "model/files/weights.h"
#include "tools/options/options.h"

namespace afina {

// --model, --adapter, --dtype, --device
struct LoadOptions {
  std::string model, adapter, dtype = "f32", device = "auto";
  void add_to(Options& options);
  Dtype parsed_dtype() const;
  Device parsed_device() const { return parse_device(device); }
};

// The tokenizer of a Hugging Face folder or of a GGUF file.
Tokenizer tokenizer_of(const ModelFiles& files);
// The untouched model, with the adapter when a folder is named.
std::unique_ptr<Model> load_model(ModelFiles& files, const std::string& adapter, Dtype dtype,
                                  Device device = Device::cpu);

// --data and how its records become tokens: what eval and show share with training.
struct ReadOptions {
  std::string path;
  DataOptions data;
  int64_t length = 0;  // 0: as for training, or the model's context where that is shorter
  void add_to(Options& options);
  // The longest row; one beyond the model's context is an Error.
  int64_t row_length(const ModelConfig& config) const;
  // Records as rows of tokens; `whole`, when given, receives the examples they came from.
  Samples read(const Tokenizer& tokenizer, const ModelConfig& config,
               std::vector<Example>* whole = nullptr) const;
};

}  // namespace afina
