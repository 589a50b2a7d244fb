// A tensor as it lies in a file: its name, form of storage, shape and bytes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace afina {

// Every form in which the known containers store numbers. Those of blocks (q...) hold
// `block_elements` numbers in `block_bytes` bytes.
// clang-format off
enum class StoredType : uint8_t {
  f64, f32, f16, bf16, f8_e4m3, f8_e5m2, i64, i32, i16, i8, u64, u32, u16, u8, boolean,
  q4_0, q4_1, q5_0, q5_1, q8_0, q8_1, q2_k, q3_k, q4_k, q5_k, q6_k, q8_k,
  iq2_xxs, iq2_xs, iq3_xxs, iq1_s, iq4_nl, iq3_s, iq2_s, iq4_xs, iq1_m, tq1_0, tq2_0, mxfp4
};
// clang-format on

struct StoredTypeInfo {
  StoredType type;
  const char* name;  // "Q4_1": the name its own container gives it
  int gguf;          // its number in GGUF, or -1
  bool safetensors;  // whether safetensors knows it (by the same name)
  int block_elements;
  int block_bytes;
};
const StoredTypeInfo& info(StoredType type);
const char* name(StoredType type);
// nullptr where the container does not know such a type.
const StoredTypeInfo* safetensors_type(std::string_view name);
const StoredTypeInfo* gguf_type(uint32_t number);

// How many numbers a shape has; Error (beginning with `where`) if a dimension is negative or the
// product does not fit.
int64_t element_count(const std::vector<int64_t>& shape, const std::string& where);
// Bytes that `count` numbers take; Error if that is no whole number of blocks or does not fit.
size_t stored_bytes(StoredType type, int64_t count, const std::string& where);
// "[576, 49152]"
std::string shape_text(const std::vector<int64_t>& shape);

struct StoredTensor {
  std::string name;
  StoredType type;
  std::vector<int64_t> shape;  // rows first: a weight is (out, in), in every container
  const std::byte* data;       // valid as long as the reader; at any alignment
  size_t bytes;
  std::string file;  // where it came from, for messages

  int64_t count() const;
  std::string where() const { return file + ": tensor '" + name + "'"; }
};

// The tensors of one or more files in the order of their data, found by name.
class StoredTensors {
 public:
  // Error if there is one of this name already.
  void add(StoredTensor tensor);

  size_t size() const { return all_.size(); }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }
  const StoredTensor& operator[](size_t i) const { return all_[i]; }
  // nullptr if there is none of this name.
  const StoredTensor* find(std::string_view name) const;
  // Error (with `where`: the file or folder asked) that suggests the nearest name if there is none.
  const StoredTensor& at(std::string_view name, const std::string& where) const;

 private:
  std::vector<StoredTensor> all_;
  std::map<std::string, size_t, std::less<>> index_;
};

}  // namespace afina
