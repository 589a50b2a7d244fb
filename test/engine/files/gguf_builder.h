// Builds GGUF files in memory, right or deliberately wrong, for tests and as seeds of fuzzing.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace afina {

// `GgufBuilder().set("general.alignment", 32u).tensor("w", 0, {4, 2}, bytes).build()`. Setters
// return the builder.
class GgufBuilder {
 public:
  uint32_t version = 3;
  uint64_t alignment =
      32;  // used to lay out the data; say it in the metadata too where it is not 32
  int64_t claimed_tensors = -1;  // other than there are, if not negative
  int64_t claimed_pairs = -1;

  template <class T>
  static std::string raw(T value) {
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
  }
  static std::string raw_text(const std::string& text) { return raw(uint64_t(text.size())) + text; }

  // A pair whose value is given as the file's kind and bytes.
  GgufBuilder& pair(const std::string& key, uint32_t kind, const std::string& value) {
    pairs_ += raw_text(key) + raw(kind) + value;
    ++pair_count_;
    return *this;
  }
  template <class T>
  GgufBuilder& set(const std::string& key, T value) {
    return pair(key, kind_of_type<T>(), raw(value));
  }
  GgufBuilder& set(const std::string& key, const char* value) {
    return pair(key, 8, raw_text(value));
  }
  GgufBuilder& set(const std::string& key, const std::vector<std::string>& values) {
    std::string bytes = raw(uint32_t(8)) + raw(uint64_t(values.size()));
    for (const std::string& value : values) bytes += raw_text(value);
    return pair(key, 9, bytes);
  }
  template <class T>
  GgufBuilder& set(const std::string& key, const std::vector<T>& values) {
    std::string bytes = raw(kind_of_type<T>()) + raw(uint64_t(values.size()));
    for (T value : values) bytes += raw(value);
    return pair(key, 9, bytes);
  }

  // Dimensions in the file's order, innermost first; `offset` other than the right one if not
  // negative.
  GgufBuilder& tensor(const std::string& name, uint32_t type,
                      const std::vector<uint64_t>& dimensions, const std::string& data,
                      int64_t offset = -1) {
    entries_ += raw_text(name) + raw(uint32_t(dimensions.size()));
    for (uint64_t dimension : dimensions) entries_ += raw(dimension);
    entries_ += raw(type) + raw(uint64_t(offset < 0 ? int64_t(data_.size()) : offset));
    data_ += data;
    data_.resize((data_.size() + alignment - 1) / alignment * alignment);
    ++tensor_count_;
    return *this;
  }

  std::string build() const {
    std::string file = "GGUF" + raw(version) +
                       raw(claimed_tensors < 0 ? tensor_count_ : uint64_t(claimed_tensors)) +
                       raw(claimed_pairs < 0 ? pair_count_ : uint64_t(claimed_pairs)) + pairs_ +
                       entries_;
    file.resize((file.size() + alignment - 1) / alignment * alignment);
    return file + data_;
  }

 private:
  template <class T>
  static constexpr uint32_t kind_of_type() {
    if constexpr (std::is_same_v<T, bool>) return 7;
    else if constexpr (std::is_same_v<T, float>) return 6;
    else if constexpr (std::is_same_v<T, double>) return 12;
    else if constexpr (sizeof(T) == 8) return std::is_signed_v<T> ? 11 : 10;
    else if constexpr (sizeof(T) == 4) return std::is_signed_v<T> ? 5 : 4;
    else if constexpr (sizeof(T) == 2) return std::is_signed_v<T> ? 3 : 2;
    else return std::is_signed_v<T> ? 1 : 0;
  }

  std::string pairs_, entries_, data_;
  uint64_t pair_count_ = 0, tensor_count_ = 0;
};

}  // namespace afina
