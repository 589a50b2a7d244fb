// GGUF files: translates llama.cpp's names and metadata to Hugging Face's.
#include <algorithm>

#include "engine/nearest.h"
#include "model/files/file_weights.h"
#include "model/words.h"

namespace afina {

namespace {

class GgufWeights : public FileWeights {
 public:
  GgufWeights(const ModelConfig& config, std::shared_ptr<const Gguf> gguf)
      : FileWeights(config, gguf->path()),
        file_(std::move(gguf)),
        form_(architectures().at(config.architecture).gguf) {}

 protected:
  const StoredTensors& tensors() const override { return file_->tensors(); }
  std::shared_ptr<const void> holder() const override { return file_; }
  void drop(const StoredTensor& tensor) const override { file_->drop(tensor); }
  const StoredTensor* find(const std::string& name) const override {
    const GgufPlace place = gguf_place(form_.names, name);
    const StoredTensor* whole = file_->find(place.name);
    if (!whole || place.part < 0) return whole;
    if (whole->shape.size() < 2 || place.part >= whole->shape[0]) return nullptr;
    StoredTensor part = *whole;  // the first dimension counts the parts, which follow each other
    part.shape.erase(part.shape.begin());
    part.bytes /= size_t(whole->shape[0]);
    part.data += size_t(place.part) * part.bytes;
    return &(parts_[name] = std::move(part));
  }
  std::string stored_name(const std::string& name) const override {
    const GgufPlace place = gguf_place(form_.names, name);
    return place.part < 0 ? place.name : place.name + "[" + std::to_string(place.part) + "]";
  }
  bool joins(const std::string& name) const override {
    return form_.joins && name.find(std::string(".") + form_.joins + ".") != name.npos;
  }
  bool transposes() const override { return false; }
  int64_t permuted_heads(const std::string& name) const override {
    if (!form_.reorders) return 0;
    if (name.find(".q_proj.") != name.npos) return config_.heads;
    return name.find(".k_proj.") != name.npos ? config_.kv_heads : 0;
  }
  float added(const std::string& name) const override {
    return name.ends_with("norm.weight") ? form_.added_to_norms : 0.f;
  }
  // The config already contains the scaling factors; a head that equals the embedding is tied.
  bool benign(const StoredTensor& t) const override {
    return t.name == "rope_freqs.weight" || t.name.starts_with("rope_factors_") ||
           (t.name == "output.weight" && config_.tied);
  }

 private:
  std::shared_ptr<const Gguf> file_;
  GgufForm form_;
  mutable std::map<std::string, StoredTensor> parts_;
};

bool is_tied(const Gguf& gguf) {
  const StoredTensor* output = gguf.find("output.weight");
  return !output || same_numbers(*output, gguf.at("token_embd.weight"));
}

}  // namespace

std::unique_ptr<WeightSource> gguf_weights(const ModelConfig& config,
                                           std::shared_ptr<const Gguf> gguf) {
  return std::make_unique<GgufWeights>(config, std::move(gguf));
}

Json config_of_gguf(const Gguf& gguf) {
  const Json& meta = gguf.metadata();
  std::string architecture = get<std::string>(meta, "general.architecture", gguf.path());
  std::vector<std::string> known;
  const GgufForm* form = nullptr;
  Json out;
  for (auto& [name, entry] : architectures()) {
    if (entry.gguf.name.empty()) continue;
    if (std::find(known.begin(), known.end(), entry.gguf.name) == known.end())
      known.push_back(entry.gguf.name);
    if (entry.gguf.name != architecture || (entry.gguf.fits && !entry.gguf.fits(gguf))) continue;
    form = &entry.gguf;
    out = form->config(gguf);
    out["model_type"] = name;
  }
  require(form, gguf.path(), ": architecture '", architecture, "' is not supported",
          did_you_mean(architecture, known), "; supported: ", joined(known),
          "; use the model's Hugging Face folder");
  const StoredTensor& embedding = gguf.at("token_embd.weight");
  require(embedding.shape.size() == 2, embedding.where(), " has shape ",
          shape_text(embedding.shape), " where two dimensions are expected");
  out["vocab_size"] = embedding.shape[0];
  out["tie_word_embeddings"] = is_tied(gguf);
  for (const char* token : {"bos", "eos"})
    if (const Json* id =
            find_member(meta, std::string("tokenizer.ggml.") + token + "_token_id", gguf.path()))
      out[std::string(token) + "_token_id"] = *id;
  return out;
}

}  // namespace afina
