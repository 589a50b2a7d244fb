// Writing GGUF (version 3): metadata and tensors, as llama.cpp's own converter lays them out.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/files/atomic_file.h"
#include "engine/files/gguf.h"

namespace afina {

// Metadata to be written, in the order in which they were set; one that is set again keeps its
// place. Throws an Error for an empty key or one of more than 65535 bytes, and for texts with a
// zero byte, which other readers take for their end.
class GgufPairs {
 public:
  void set(const std::string& key, bool value);
  void set(const std::string& key, uint32_t value);
  void set(const std::string& key, float value);
  void set(const std::string& key, const std::string& value);
  void set(const std::string& key, const char* value) { set(key, std::string(value)); }
  void set(const std::string& key, const std::vector<std::string>& values);
  void set(const std::string& key, const std::vector<int32_t>& values);
  void set(const std::string& key, const std::vector<float>& values);
  void set(const std::string& key, const std::vector<bool>& values);
  // A pair of another file, byte for byte.
  void copy(const GgufPair& pair);
  // All of another's, behind those that are here.
  void append(const GgufPairs& others);
  void erase(const std::string& key);
  bool has(const std::string& key) const;
  size_t size() const { return all_.size(); }
  // Keys, kinds and values as they lie in a file.
  std::string bytes() const;

 private:
  struct Pair {
    std::string key;
    uint32_t kind;
    std::string bytes;
  };
  void put(const std::string& key, uint32_t kind, std::string bytes);
  std::vector<Pair> all_;
};

// Writes one file: first every tensor is declared, then data follow in any order of tensors, each
// in any number of pieces. The file gets its name when it is complete (AtomicFile).
class GgufWriter {
 public:
  GgufWriter(const std::string& path, GgufPairs pairs);
  // shape: rows first, as everywhere in afina. Tensors keep the order of their declaration. Throws
  // an Error for a name that is there already or has 64 bytes or more, for a type that GGUF lacks,
  // for more than four dimensions, and for rows that are no whole blocks.
  void declare(const std::string& name, StoredType type, const std::vector<int64_t>& shape);
  // Appends numbers to a declared tensor, in its type; `count` must be whole blocks. Throws what
  // from_f32 (quantize.h) throws, by the tensor's name. Nothing can be declared afterwards.
  void write(const std::string& name, const float* values, int64_t count);
  // Appends bytes that are of the tensor's type already.
  void write_stored(const std::string& name, const void* data, size_t bytes);
  // Finishes the file and makes it durable. Throws an Error if a tensor is incomplete.
  void commit();

 private:
  struct Entry {
    std::string name;
    StoredType type;
    std::vector<int64_t> shape;
    uint64_t offset, bytes, written;
  };
  void begin();
  Entry& at(const std::string& name);

  AtomicFile out_;
  GgufPairs pairs_;
  std::vector<Entry> entries_;
  std::map<std::string, size_t, std::less<>> index_;
  uint64_t data_ = 0, end_ = 0;  // where the data begin; the offset behind the last tensor
  bool begun_ = false;
};

}  // namespace afina
