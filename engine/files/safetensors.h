// Safetensors, the container of Hugging Face models and adapters: read where it lies, written
// atomically.
#pragma once
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/files/atomic_file.h"
#include "engine/files/mapped_file.h"
#include "engine/files/stored_tensor.h"

namespace afina {

// Everything in a file is checked before a tensor is given out; what is wrong is an Error with file
// and tensor.
class Safetensors {
 public:
  // A `.safetensors` file; a sharded model's `.index.json`; or a folder with `model.safetensors` or
  // `model.safetensors.index.json`.
  explicit Safetensors(const std::string& path);
  // A file's bytes in memory, which must outlive the object; `name` is for messages.
  Safetensors(std::span<const std::byte> bytes, const std::string& name);

  const std::string& path() const { return path_; }
  const StoredTensors& tensors() const { return tensors_; }
  const StoredTensor* find(std::string_view name) const { return tensors_.find(name); }
  const StoredTensor& at(std::string_view name) const { return tensors_.at(name, path_); }
  // The pairs of `__metadata__` (of a sharded model: all shards together, the first one wins).
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // The files that were read, in order: what a manifest hashes.
  std::vector<std::string> files() const;

  // Gives the memory behind a tensor of this reader back to the system; its data can still be read.
  void drop(const StoredTensor& tensor) const;

 private:
  void add_file(const std::string& path);
  void add_shards(const std::string& index);
  void add(std::span<const std::byte> bytes, const std::string& name);

  std::string path_;
  std::vector<MappedFile> files_;
  StoredTensors tensors_;
  std::map<std::string, std::string> metadata_;
};

// What a file will look like: every tensor is declared, then places follow. The layout (wider types
// first, then by name) and so the bytes are the reference implementation's, whatever the order.
class SafetensorsLayout {
 public:
  // where: the file, for messages.
  explicit SafetensorsLayout(std::string where,
                             std::map<std::string, std::string> metadata = {{"format", "pt"}});
  void declare(const std::string& name, StoredType type, const std::vector<int64_t>& shape);
  // Bytes of the whole file. Ends the declarations, as do the next two.
  uint64_t bytes();
  // All that stands before the first tensor's data.
  const std::string& header();

  struct Entry {
    std::string name;
    StoredType type;
    std::vector<int64_t> shape;
    uint64_t begin, bytes, written;  // begin: in the file
  };
  // nullptr for a tensor that was not declared.
  Entry* find(std::string_view name);
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  void lay_out();
  std::string where_, header_;
  std::map<std::string, std::string> metadata_;
  std::vector<Entry> entries_;
  std::map<std::string, size_t, std::less<>> index_;
};

// Writes one file: first every tensor is declared, then the data come, tensor by tensor in any
// order, each in any number of pieces.
class SafetensorsWriter {
 public:
  explicit SafetensorsWriter(const std::string& path,
                             std::map<std::string, std::string> metadata = {{"format", "pt"}});

  void declare(const std::string& name, StoredType type, const std::vector<int64_t>& shape) {
    layout_.declare(name, type, shape);
  }
  // Appends to a declared tensor. The first call ends the declarations. Too many bytes are an
  // Error.
  void write(std::string_view name, const void* data, size_t bytes);
  // Error if a tensor is incomplete; else the file is there, whole and durable.
  void commit();

 private:
  void begin();
  AtomicFile out_;
  SafetensorsLayout layout_;
  bool begun_ = false;
};

}  // namespace afina
