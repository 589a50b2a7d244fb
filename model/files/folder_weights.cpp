// Hugging Face folders: config.json with model.safetensors or its shards.
#include <algorithm>
#include <filesystem>

#include "engine/files/folder_file.h"
#include "engine/files/sha256.h"
#include "model/files/bitsandbytes.h"
#include "model/files/file_weights.h"
#include "model/files/weights.h"
#include "model/words.h"

namespace afina {

namespace {

bool ends_with(const std::string& text, const char* end) { return text.ends_with(end); }

class FolderWeights : public FileWeights {
 public:
  FolderWeights(const ModelConfig& config, const std::string& path)
      : FileWeights(config, path), file_(std::make_shared<const Safetensors>(path)) {}
  void expect(const std::string& name, const Shape& shape, bool transposed) override {
    if (!saved(name, shape, transposed).blocks) FileWeights::expect(name, shape, transposed);
  }
  void read(Parameter& into) override {
    const Tensor blocks =
        lying(into.name, into.shape, into.stored_transposed, Dtype::f32, Device::cpu);
    if (!blocks) return FileWeights::read(into);
    const int64_t rows = rows_at_a_time(blocks);
    PurposeScope purpose(Purpose::workspace);
    for (int64_t row = 0; row < into.shape[0]; row += rows) {
      const Tensor part = rows_of(blocks, row, std::min(rows, into.shape[0] - row));
      into.assign_part(row * into.shape[1], part.viewed({part.size()}));
    }
    into.settle();
    drop(*find(into.name));
  }
  Tensor lies(const std::string& name, const Shape& shape, bool transposed, Dtype computed,
              Device device) override {
    const Tensor blocks = lying(name, shape, transposed, computed, device);
    return blocks ? blocks : FileWeights::lies(name, shape, transposed, computed, device);
  }
  std::vector<std::string> files() const { return file_->files(); }

 protected:
  const StoredTensors& tensors() const override { return file_->tensors(); }
  std::shared_ptr<const void> holder() const override { return file_; }
  void drop(const StoredTensor& tensor) const override { file_->drop(tensor); }

  // Models saved without their head lack the first part of each name ("h.0.ln_1.weight"), and some
  // tied models store the shared matrix as lm_head.
  const StoredTensor* find(const std::string& name) const override {
    if (auto* found = file_->find(name)) return found;
    if (auto* found = file_->find(name.substr(name.find('.') + 1))) return found;
    bool embedding = ends_with(name, "embed_tokens.weight") || ends_with(name, "wte.weight");
    return embedding && config_.tied ? file_->find("lm_head.weight") : nullptr;
  }
  // Buffers that older versions stored with the weights, and the second copy of a tied head.
  bool benign(const StoredTensor& t) const override {
    if (ends_with(t.name, "rotary_emb.inv_freq") || ends_with(t.name, ".attn.masked_bias"))
      return true;
    if (config_.architecture == "gpt2" && ends_with(t.name, ".attn.bias")) return true;
    if (t.name != "lm_head.weight" || !config_.tied) return false;
    const StoredTensor* embedding = find(
        config_.architecture == "gpt2" ? "transformer.wte.weight" : "model.embed_tokens.weight");
    require(embedding && same_numbers(t, *embedding), t.where(),
            " differs from the embedding, but the config says tie_word_embeddings: set it to false "
            "in config.json");
    return true;
  }

 private:
  // The weight where bitsandbytes quantised it; else no blocks.
  SavedBlocks saved(const std::string& name, const Shape& shape, bool transposed) const {
    const StoredTensor* weight = find(name);
    SavedBlocks all = weight ? saved_blocks(tensors(), *weight, shape) : SavedBlocks();
    require(!all.blocks || !transposed, path_, ": '", name,
            "' is quantised and lies transposed (GPT-2), which is not supported; use the original "
            "model");
    return all;
  }
  Tensor lying(const std::string& name, const Shape& shape, bool transposed, Dtype computed,
               Device device) {
    SavedBlocks all = saved(name, shape, transposed);
    if (!all.blocks) return {};
    all.blocks->computed = computed;
    all.blocks->holder = holder();
    if (holds_bytes(device))
      for (const std::string& part : all.names) was_read(part);
    const Tensor blocks = over_blocks(all.blocks, all.bytes, device, find(name)->where());
    if (!blocks.blocks()->holder)  // a copy: the file's pages are not needed any more
      for (const std::string& part : all.names) drop(*file_->find(part));
    return blocks;
  }
  std::shared_ptr<const Safetensors> file_;
};

void require_exists(const std::string& path) {
  std::error_code ignored;
  require(std::filesystem::exists(path, ignored), path,
          ": no such model; give a folder with config.json and model.safetensors, or a .gguf file");
}

// What stands in a folder in place of model.safetensors, and what can be done.
void require_weights(const std::string& folder) {
  if (in_folder(folder, "model.safetensors") || in_folder(folder, "model.safetensors.index.json"))
    return;
  std::vector<std::string> pickled, others, gguf;
  std::error_code ignored;
  for (auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool bin = ends_with(name, ".bin") && name != "training_args.bin";
    if (bin || ends_with(name, ".bin.index.json") || ends_with(name, ".pth") ||
        ends_with(name, ".pt") || ends_with(name, ".h5") || ends_with(name, ".msgpack"))
      pickled.push_back(name);
    else if (ends_with(name, ".safetensors")) others.push_back(name);
    else if (ends_with(name, ".gguf")) gguf.push_back(name);
  }
  for (auto* names : {&pickled, &others, &gguf}) std::sort(names->begin(), names->end());
  const std::string none =
      folder + ": has neither model.safetensors nor model.safetensors.index.json";
  require(!in_folder(folder, "adapter_config.json"), none,
          ": it holds an adapter; give its base as --model and this folder as --adapter");
  if (!pickled.empty())
    fail(none, ", but ", pickled[0],
         ", which must be saved again as safetensors (in transformers: "
         "AutoModelForCausalLM.from_pretrained, then save_pretrained)");
  if (!gguf.empty())
    fail(none, ", but ", joined(gguf), "; give a file, as in --model ",
         (std::filesystem::path(folder) / gguf[0]).string());
  if (!others.empty())
    fail(none, ", but ", others[0],
         "; a model's only file of weights is called model.safetensors, and several need their "
         "index");
  fail(none, "; a model is a folder as Hugging Face writes it, or a .gguf file");
}

}  // namespace

std::unique_ptr<WeightSource> folder_weights(const ModelConfig& config, const std::string& path,
                                             std::vector<std::string>& files) {
  require_weights(path);
  auto source = std::make_unique<FolderWeights>(config, path);
  files = source->files();
  return source;
}

std::string model_file(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored) || in_folder(path, "config.json")) return path;
  std::vector<std::string> names;
  // Of a model in several parts the first one counts.
  for (auto& entry : std::filesystem::directory_iterator(path, ignored))
    if (const std::string name = entry.path().filename().string();
        ends_with(name, ".gguf") && gguf_part_name(name).part <= 1)
      names.push_back(name);
  if (names.empty()) return path;
  std::sort(names.begin(), names.end());
  const std::string first = (std::filesystem::path(path) / names[0]).string();
  require(names.size() == 1, path, ": has no config.json and ", names.size(),
          " .gguf files: ", joined(names), "; name the one that is meant, as in --model ", first);
  return first;
}

ModelFiles open_config(const std::string& given) {
  require_exists(given);
  const std::string path = model_file(given);
  std::error_code ignored;
  ModelFiles files;
  files.path = path;
  bool folder = std::filesystem::is_directory(path, ignored);
  if (folder || ends_with(path, ".json")) {
    std::string where = folder ? (std::filesystem::path(path) / "config.json").string() : path;
    require(!folder || in_folder(path, "config.json"), path,
            ": no config.json; a model is a folder as Hugging Face writes it, or a .gguf file");
    files.config =
        parse_config(parse_json_file(folder ? file_of_folder(path, "config.json") : where), where);
  } else {
    files.gguf = std::make_shared<const Gguf>(path);
    files.config = parse_config(config_of_gguf(*files.gguf), path);
  }
  return files;
}

ModelFiles open_model(const std::string& given) {
  require_exists(given);
  const std::string path = model_file(given);
  std::error_code ignored;
  require(std::filesystem::is_directory(path, ignored) || !ends_with(path, ".json"), path,
          ": a config alone has no weights; give the folder that contains it");
  ModelFiles files = open_config(path);
  if (files.gguf) {
    files.files = files.gguf->files();
    files.source = gguf_weights(files.config, files.gguf);
  } else files.source = folder_weights(files.config, path, files.files);
  return files;
}

std::map<std::string, std::string> ModelFiles::hashes() const {
  std::map<std::string, std::string> all;
  for (const std::string& file : files)
    all[std::filesystem::path(file).filename().string()] = sha256_file(file);
  return all;
}

std::vector<int32_t> stop_tokens(const ModelConfig& config) {
  const Json* eos = find_member(config.json, "eos_token_id", "config");
  if (!eos) return {};
  if (eos->is_array()) return get<std::vector<int32_t>>(config.json, "eos_token_id", "config");
  return {get<int32_t>(config.json, "eos_token_id", "config")};
}

}  // namespace afina
