// Pretrained models on disk: a Hugging Face folder or a GGUF file, opened to the same form.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/files/gguf.h"
#include "model/model.h"

namespace afina {

struct ModelFiles {
  std::string path;                      // as given
  ModelConfig config;                    // in the form of config.json, of a GGUF file as well
  std::unique_ptr<WeightSource> source;  // may serve any number of models, one after the other
  std::shared_ptr<const Gguf>
      gguf;  // of a GGUF file: its metadata hold the tokenizer; empty for a folder
  std::vector<std::string> files;  // that hold the weights

  // SHA-256 of each file of weights by its name without folder, for a manifest. Reads every byte.
  std::map<std::string, std::string> hashes() const;
};

// A folder with config.json and model.safetensors (or shards with model.safetensors.index.json), or
// a .gguf file. Only metadata are read here. Errors name file and key; missing, extra and misshapen
// tensors are found when a model is built.
ModelFiles open_model(const std::string& path);

// The same without weights, for what only asks for shapes: a folder with config.json (nothing else
// need be there), a config.json itself, or a .gguf file. source and files stay empty.
ModelFiles open_config(const std::string& path);

// The tokens that end a text according to the config (eos_token_id: a number or several); empty
// when it does not say.
std::vector<int32_t> stop_tokens(const ModelConfig& config);

}  // namespace afina
