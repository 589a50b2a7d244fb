// GGUF (versions 2 and 3), the container of llama.cpp: metadata and memory-mapped tensors.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/files/json.h"
#include "engine/files/mapped_file.h"
#include "engine/files/stored_tensor.h"

namespace afina {

// A pair of the metadata as it lies in the file: the number of its kind, and its value's bytes.
struct GgufPair {
  std::string key;
  uint32_t kind;
  std::span<const std::byte> bytes;  // valid as long as the reader
};

// Constructors check everything in the file and throw an Error that names file and key or tensor.
class Gguf {
 public:
  // A file; or the first part of a model in several, NAME-00001-of-00003.gguf, whose other parts
  // lie beside it: the metadata are the first part's, the tensors those of all. An Error for a part
  // that is missing, that is of another split, or that is not the first, for a tensor that two
  // parts have, and for another number of tensors than the parts say.
  explicit Gguf(const std::string& path);
  // A file's bytes in memory, which must outlive the object; `name` is for messages. Of several,
  // the first part and the others in order.
  Gguf(std::span<const std::byte> bytes, const std::string& name);
  Gguf(const std::vector<std::span<const std::byte>>& parts, const std::string& name);

  const std::string& path() const { return path_; }
  // One flat object: "general.architecture", "llama.block_count", "tokenizer.ggml.tokens" (an
  // array), ... Read it with get<T>(). Strings are the file's bytes, which need not be UTF-8.
  const Json& metadata() const { return metadata_; }
  // The same, in the order of the file.
  const std::vector<GgufPair>& pairs() const { return pairs_; }
  // The paths of all parts, in order.
  std::vector<std::string> files() const;
  const StoredTensors& tensors() const { return tensors_; }
  const StoredTensor* find(std::string_view name) const { return tensors_.find(name); }
  const StoredTensor& at(std::string_view name) const { return tensors_.at(name, path_); }

  // Lets the system reclaim the memory behind a tensor of this reader; its data can still be read.
  void drop(const StoredTensor& tensor) const;

 private:
  struct Part;
  void add(const Part& part, int64_t index, int64_t count);
  void check_count(int64_t count) const;

  std::string path_;
  std::vector<MappedFile> files_;
  Json metadata_;
  std::vector<GgufPair> pairs_;
  StoredTensors tensors_;
};

// Is this the name of a part of a split model, "NAME-00002-of-00003.gguf", and of which? NAME with
// its folder, the part's number from 1, and how many there are.
struct GgufPartName {
  std::string stem;
  int64_t part = 0, count = 0;  // 0: it is not
};
GgufPartName gguf_part_name(const std::string& path);
// The path of a part of a split model.
std::string gguf_part_path(const GgufPartName& name, int64_t part);

}  // namespace afina
