// Thrift's compact protocol.
#include "data/formats/thrift.h"

#include "engine/error.h"

namespace afina {

namespace {
constexpr int deepest = 16;  // of structures and lists within one another; Parquet needs 6
}

void ThriftReader::damaged() const {
  fail(where_, ": damaged: the description of its contents makes no sense");
}

uint8_t ThriftReader::next() {
  if (at_ >= bytes_.size()) damaged();
  return uint8_t(bytes_[at_++]);
}

uint64_t ThriftReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = next();
    value |= uint64_t(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  damaged();
}

int64_t ThriftReader::zigzag() {
  const uint64_t value = varint();
  return int64_t(value >> 1) ^ -int64_t(value & 1);
}

void ThriftReader::fields(const std::function<bool(int id, Kind kind)>& take) {
  if (++depth_ > deepest) damaged();
  int64_t id = 0;
  for (uint8_t head = next(); head != 0; head = next()) {
    id = head >> 4 ? id + (head >> 4) : zigzag();
    if (id < 0 || id > INT16_MAX) damaged();
    const Kind kind = Kind(head & 15);
    if (!take(int(id), kind)) skip(kind, depth_);
  }
  --depth_;
}

void ThriftReader::elements(Kind expected, const std::function<void()>& take) {
  const uint8_t head = next();
  const uint64_t count = head >> 4 == 15 ? varint() : head >> 4;
  // Each element takes a byte at least.
  if (count > bytes_.size() - at_ || (count > 0 && (head & 15) != expected)) damaged();
  if (++depth_ > deepest) damaged();
  for (uint64_t i = 0; i < count; ++i) take();
  --depth_;
}

int64_t ThriftReader::integer(Kind kind) {
  if (kind == byte) return int8_t(next());
  if (kind != i16 && kind != i32 && kind != i64) damaged();
  const int64_t value = zigzag();
  if (kind != i64 && value != int32_t(value)) damaged();
  return value;
}

std::string_view ThriftReader::bytes(Kind kind) {
  if (kind != text) damaged();
  const uint64_t count = varint();
  if (count > bytes_.size() - at_) damaged();
  at_ += count;
  return bytes_.substr(at_ - count, count);
}

void ThriftReader::skip(Kind kind, int depth) {
  if (depth > deepest) damaged();
  if (kind == yes || kind == no) return;
  if (kind == byte) {
    next();
  } else if (kind == i16 || kind == i32 || kind == i64) {
    varint();
  } else if (kind == real) {
    for (int i = 0; i < 8; ++i) next();
  } else if (kind == text) {
    bytes(kind);
  } else if (kind == list || kind == set) {
    const uint8_t head = next();
    const uint64_t count = head >> 4 == 15 ? varint() : head >> 4;
    if (count > bytes_.size() - at_) damaged();
    const Kind inner = Kind(head & 15);
    // Truth values of a list are a byte each.
    for (uint64_t i = 0; i < count; ++i)
      skip(inner == yes || inner == no ? byte : inner, depth + 1);
  } else if (kind == map) {
    const uint64_t count = varint();
    if (count > bytes_.size() - at_) damaged();
    const uint8_t kinds = count > 0 ? next() : 0;
    for (uint64_t i = 0; i < count; ++i)
      for (int inner : {kinds >> 4, kinds & 15})
        skip(inner == yes || inner == no ? byte : Kind(inner), depth + 1);
  } else if (kind == structure) {
    for (uint8_t head = next(); head != 0; head = next()) {
      if (head >> 4 == 0) zigzag();
      skip(Kind(head & 15), depth + 1);
    }
  } else {
    damaged();
  }
}

}  // namespace afina
