// Weights read from files: what a Hugging Face folder and a GGUF file share.
#pragma once
#include <memory>
#include <set>

#include "engine/files/gguf.h"
#include "engine/files/safetensors.h"
#include "model/model.h"

namespace afina {

class FileWeights : public WeightSource {
 public:
  explicit FileWeights(const ModelConfig& config, std::string path)
      : config_(config), path_(std::move(path)) {}
  void expect(const std::string& name, const Shape& shape, bool transposed) override;
  void read(Parameter& into) override;
  bool has(const std::string& name) const override { return find(name) != nullptr; }
  void finish() override;

 protected:
  // The tensor in the file that holds this parameter, nullptr for none.
  virtual const StoredTensor* find(const std::string& name) const = 0;
  virtual const StoredTensors& tensors() const = 0;
  virtual void drop(const StoredTensor& tensor) const = 0;
  // Does the file hold a transposed weight as (in, out)?
  virtual bool transposes() const { return true; }
  // How many heads' rotary rows must be put back in order (GGUF); 0 for none.
  virtual int64_t permuted_heads(const std::string& name) const {
    (void)name;
    return 0;
  }
  // May a tensor that nobody read stay unread?
  virtual bool benign(const StoredTensor& tensor) const = 0;
  // For messages: how the file calls the parameter.
  virtual std::string stored_name(const std::string& name) const { return name; }

  ModelConfig config_;
  std::string path_;

 private:
  const StoredTensor& at(const std::string& name) const;
  std::set<std::string> read_;
};

// Are the numbers of two tensors the same? Read piece by piece.
bool same_numbers(const StoredTensor& a, const StoredTensor& b);

std::unique_ptr<WeightSource> folder_weights(const ModelConfig& config, const std::string& path,
                                             std::vector<std::string>& files);
std::unique_ptr<WeightSource> gguf_weights(const ModelConfig& config,
                                           std::shared_ptr<const Gguf> gguf);
// The config.json that says what a GGUF file's metadata say.
Json config_of_gguf(const Gguf& gguf);

}  // namespace afina
