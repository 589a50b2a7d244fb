// Encodings of values in Parquet pages (Apache Parquet, Encodings.md).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace afina {

// Reads from the bytes of a page. Methods throw an Error that begins with `where` where the bytes
// end too soon or make no sense.
class ParquetBytes {
 public:
  ParquetBytes(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  size_t left() const { return bytes_.size() - at_; }
  std::string_view take(size_t count);
  uint64_t little_endian(int count);
  uint64_t varint();
  int64_t zigzag();
  [[noreturn]] void damaged() const;

  // `count` numbers of `width` bits (0 to 32) as runs of equal ones and of packed ones.
  std::vector<uint32_t> runs(size_t count, int width);
  // All numbers of a DELTA_BINARY_PACKED part; more than `most` are an Error.
  std::vector<int64_t> deltas(size_t most);
  // DELTA_LENGTH_BYTE_ARRAY: the lengths, then the texts.
  std::vector<std::string_view> delta_lengths(size_t most);

 private:
  std::string_view bytes_;
  const std::string& where_;
  size_t at_ = 0;
};

// Number `index` of a sequence of numbers of `width` bits (up to 64), lowest bits first.
uint64_t packed_number(std::string_view bytes, size_t index, int width);

}  // namespace afina
