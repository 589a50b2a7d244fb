// Safetensors, the container of Hugging Face models and adapters: memory-mapped when read, written
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

// Constructors check everything in the files and throw an Error that names file and tensor.
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
  // The pairs of `__metadata__`; of a sharded model, those of all shards, where the first one wins.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // The files that were read, in order; a manifest hashes them.
  std::vector<std::string> files() const;

  // Lets the system reclaim the memory behind a tensor of this reader; its data can still be read.
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

// The layout of a file to be written: every tensor is declared, then offsets follow. Wider types
// come first, then names in order, so that the bytes equal the reference implementation's whatever
// the order of declaration.
class SafetensorsLayout {
 public:
  // where: the file's name for messages.
  explicit SafetensorsLayout(std::string where,
                             std::map<std::string, std::string> metadata = {{"format", "pt"}});
  void declare(const std::string& name, StoredType type, const std::vector<int64_t>& shape);
  // Bytes of the whole file. Nothing can be declared after this, header() or find() was called.
  uint64_t bytes();
  // The bytes before the first tensor's data.
  const std::string& header();

  struct Entry {
    std::string name;
    StoredType type;
    std::vector<int64_t> shape;
    uint64_t begin, bytes, written;  // begin: offset in the file
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

// Writes one file: first declare every tensor, then write their data in any order of tensors, each
// in any number of pieces.
class SafetensorsWriter {
 public:
  explicit SafetensorsWriter(const std::string& path,
                             std::map<std::string, std::string> metadata = {{"format", "pt"}});

  void declare(const std::string& name, StoredType type, const std::vector<int64_t>& shape) {
    layout_.declare(name, type, shape);
  }
  // Appends to a declared tensor. Nothing can be declared after the first call. Throws an Error for
  // an undeclared tensor or too many bytes.
  void write(std::string_view name, const void* data, size_t bytes);
  // Finishes the file and makes it durable. Throws an Error if a tensor is incomplete.
  void commit();

 private:
  void begin();
  AtomicFile out_;
  SafetensorsLayout layout_;
  bool begun_ = false;
};

}  // namespace afina
