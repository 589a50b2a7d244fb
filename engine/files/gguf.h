// GGUF (versions 2 and 3), the container of llama.cpp: metadata and memory-mapped tensors.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/files/json.h"
#include "engine/files/mapped_file.h"
#include "engine/files/stored_tensor.h"

namespace afina {

// Constructors check everything in the file and throw an Error that names file and key or tensor.
class Gguf {
 public:
  explicit Gguf(const std::string& path);
  // A file's bytes in memory, which must outlive the object; `name` is for messages.
  Gguf(std::span<const std::byte> bytes, const std::string& name);

  const std::string& path() const { return path_; }
  // One flat object: "general.architecture", "llama.block_count", "tokenizer.ggml.tokens" (an
  // array), ... Read it with get<T>(). Strings are the file's bytes, which need not be UTF-8.
  const Json& metadata() const { return metadata_; }
  const StoredTensors& tensors() const { return tensors_; }
  const StoredTensor* find(std::string_view name) const { return tensors_.find(name); }
  const StoredTensor& at(std::string_view name) const { return tensors_.at(name, path_); }

  // Lets the system reclaim the memory behind a tensor of this reader; its data can still be read.
  void drop(const StoredTensor& tensor) const;

 private:
  void read(std::span<const std::byte> bytes);

  std::string path_;
  std::optional<MappedFile> file_;
  Json metadata_;
  StoredTensors tensors_;
};

}  // namespace afina
