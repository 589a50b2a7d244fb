// A tensor in a file: its name, storage type, shape and bytes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace afina {

// All storage types of the known containers. Block formats (q...) hold `block_elements` numbers in
// `block_bytes` bytes.
// clang-format off
enum class StoredType : uint8_t {
  f64, f32, f16, bf16, f8_e4m3, f8_e5m2, i64, i32, i16, i8, u64, u32, u16, u8, boolean,
  q4_0, q4_1, q5_0, q5_1, q8_0, q8_1, q2_k, q3_k, q4_k, q5_k, q6_k, q8_k,
  iq2_xxs, iq2_xs, iq3_xxs, iq1_s, iq4_nl, iq3_s, iq2_s, iq4_xs, iq1_m, tq1_0, tq2_0, mxfp4
};
// clang-format on

struct StoredTypeInfo {
  StoredType type;
  const char* name;  // its container's name for it: "Q4_1"
  int gguf;          // its number in GGUF, or -1
  bool safetensors;  // does safetensors have it (by the same name)?
  int block_elements;
  int block_bytes;
};
const StoredTypeInfo& info(StoredType type);
const char* name(StoredType type);
// nullptr if the container has no such type.
const StoredTypeInfo* safetensors_type(std::string_view name);
const StoredTypeInfo* gguf_type(uint32_t number);

// The number of elements of a shape. Throws an Error that starts with `where` if a dimension is
// negative or the product overflows.
int64_t element_count(const std::vector<int64_t>& shape, const std::string& where);
// The bytes of `count` numbers. Throws an Error that starts with `where` if they are no whole
// number of blocks or the result overflows.
size_t stored_bytes(StoredType type, int64_t count, const std::string& where);
// "[576, 49152]"
std::string shape_text(const std::vector<int64_t>& shape);

struct StoredTensor {
  std::string name;
  StoredType type;
  std::vector<int64_t> shape;  // rows first: a weight is (out, in), in every container
  const std::byte* data;       // valid as long as the reader; may be unaligned
  size_t bytes;
  std::string file;  // the file that holds it, for messages

  int64_t count() const;
  std::string where() const { return file + ": tensor '" + name + "'"; }
};

// The tensors of one or more files in the order of their data, found by name.
class StoredTensors {
 public:
  // Throws an Error if there already is a tensor of this name.
  void add(StoredTensor tensor);

  size_t size() const { return all_.size(); }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }
  const StoredTensor& operator[](size_t i) const { return all_[i]; }
  // nullptr if there is no tensor of this name.
  const StoredTensor* find(std::string_view name) const;
  // Throws an Error that names `where`, the file or folder, and the nearest name if there is none.
  const StoredTensor& at(std::string_view name, const std::string& where) const;

 private:
  std::vector<StoredTensor> all_;
  std::map<std::string, size_t, std::less<>> index_;
};

}  // namespace afina
