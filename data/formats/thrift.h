// Thrift's compact protocol, in which Parquet files describe themselves (Apache Thrift,
// thrift-compact-protocol.md): reading alone.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace afina {

// Reads values one after the other. Every method throws an Error that begins with `where` if the
// bytes end or make no sense.
class ThriftReader {
 public:
  ThriftReader(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  // Kinds of values, as the protocol numbers them.
  enum Kind : uint8_t {
    yes = 1,
    no = 2,
    byte = 3,
    i16 = 4,
    i32 = 5,
    i64 = 6,
    real = 7,
    text = 8,
    list = 9,
    set = 10,
    map = 11,
    structure = 12
  };
  // Calls `take(id, kind)` for each field of a structure. It reads the field's value and returns
  // true, or leaves it and returns false.
  void fields(const std::function<bool(int id, Kind kind)>& take);
  // Calls `take` for each element of a list.
  void elements(Kind expected, const std::function<void()>& take);
  // An integer that fits 32 bits, or any.
  int64_t integer(Kind kind);
  std::string_view bytes(Kind kind);
  static bool truth(Kind kind) { return kind == yes; }
  size_t at() const { return at_; }

 private:
  uint8_t next();
  uint64_t varint();
  int64_t zigzag();
  void skip(Kind kind, int depth);
  [[noreturn]] void damaged() const;

  std::string_view bytes_;
  const std::string& where_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace afina
