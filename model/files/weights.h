// Pretrained models on disk: a Hugging Face folder or a GGUF file, opened to the same form.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/files/gguf.h"
#include "model/model.h"

namespace afina {

// An opened model: its config and, unless only the config was opened, its weights.
struct ModelFiles {
  std::string path;                      // that was opened (model_file)
  ModelConfig config;                    // in the form of config.json, also for GGUF files
  std::unique_ptr<WeightSource> source;  // can build any number of models, one after another
  // GGUF files only: the metadata contain the tokenizer. Null for a folder.
  std::shared_ptr<const Gguf> gguf;
  std::vector<std::string> files;  // files that contain the weights

  // SHA-256 of each weight file by its name without folder, for the manifest. Reads every byte.
  std::map<std::string, std::string> hashes() const;
};

// Opens a folder with config.json and model.safetensors (or shards with
// model.safetensors.index.json), a .gguf file, or a folder with one of them and no config.json.
// Reads only metadata. Throws with file and key if they are wrong; missing, extra and misshapen
// tensors are reported when a model is built.
ModelFiles open_model(const std::string& path);

// The file that a path means as a model: a folder without config.json and with one .gguf file means
// that file; any other path is itself. An Error that lists them where there are several.
std::string model_file(const std::string& path);

// The same as open_model without weights, for code that needs only shapes: a folder with
// config.json, a config.json itself, or a .gguf file. source and files stay empty.
ModelFiles open_config(const std::string& path);

// Ids of the tokens that end a text according to the config (eos_token_id: one number or several);
// empty if it does not say.
std::vector<int32_t> stop_tokens(const ModelConfig& config);

}  // namespace afina
