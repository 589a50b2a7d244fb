// Reading weights from files: the part that Hugging Face folders and GGUF files share.
#pragma once
#include <memory>
#include <set>

#include "engine/files/gguf.h"
#include "engine/files/safetensors.h"
#include "model/model.h"

namespace afina {

// Reads the parameters of a model from stored tensors: converts dtypes, transposes and reorders.
// Errors name the file and the tensor.
class FileWeights : public WeightSource {
 public:
  explicit FileWeights(const ModelConfig& config, std::string path)
      : config_(config), path_(std::move(path)) {}
  void expect(const std::string& name, const Shape& shape, bool transposed) override;
  void read(Parameter& into) override;
  Tensor lies(const std::string& name, const Shape& shape, bool transposed, Dtype computed,
              Device device) override;
  bool has(const std::string& name) const override { return find(name) != nullptr; }
  void finish() override;
  // The stored tensor of this parameter; nullptr: there is none. Valid until the next call.
  const StoredTensor* stored(const std::string& name) const { return find(name); }

 protected:
  // The stored tensor for this parameter; nullptr if there is none.
  virtual const StoredTensor* find(const std::string& name) const = 0;
  virtual const StoredTensors& tensors() const = 0;
  // What holds the memory of all tensors.
  virtual std::shared_ptr<const void> holder() const = 0;
  // Releases the memory of a tensor that was read.
  virtual void drop(const StoredTensor& tensor) const = 0;
  // Whether the file stores a transposed weight as (in, out).
  virtual bool transposes() const { return true; }
  // Number of heads whose rotary rows must be reordered (GGUF); 0 for none.
  virtual int64_t permuted_heads(const std::string& name) const {
    (void)name;
    return 0;
  }
  // Whether the file holds all queries, then all keys, then all values of this parameter, which has
  // query, key and value of each head in turn.
  virtual bool joins(const std::string& name) const {
    (void)name;
    return false;
  }
  // What the file's values of this parameter have more than the parameter's own.
  virtual float added(const std::string& name) const {
    (void)name;
    return 0.f;
  }
  // Whether a tensor that no parameter reads may be ignored.
  virtual bool benign(const StoredTensor& tensor) const = 0;
  // The parameter's name in the file, for messages.
  virtual std::string stored_name(const std::string& name) const { return name; }

  // For finish(): this tensor of the file has its place.
  void was_read(const std::string& stored) { read_.insert(stored); }

  ModelConfig config_;
  std::string path_;

 private:
  const StoredTensor& at(const std::string& name) const;
  std::vector<int32_t> order_of(const std::string& name, int64_t rows) const;
  std::set<std::string> read_;
};

// Whether two tensors hold equal values. Reads them piece by piece.
bool same_numbers(const StoredTensor& a, const StoredTensor& b);

// Opens the weights of a Hugging Face folder (sets `files` to their paths) or of a GGUF file.
std::unique_ptr<WeightSource> folder_weights(const ModelConfig& config, const std::string& path,
                                             std::vector<std::string>& files);
std::unique_ptr<WeightSource> gguf_weights(const ModelConfig& config,
                                           std::shared_ptr<const Gguf> gguf);
// The config.json equivalent to a GGUF file's metadata. Throws for unsupported architectures.
Json config_of_gguf(const Gguf& gguf);

}  // namespace afina
