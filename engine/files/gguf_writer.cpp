// Writing GGUF: numbers are little-endian, every tensor begins at a multiple of 32.
#include "engine/files/gguf_writer.h"

#include <algorithm>
#include <cstring>

#include "engine/error.h"
#include "engine/files/quantize.h"

namespace afina {

namespace {

constexpr uint64_t alignment = 32;
constexpr size_t longest_name = 63;  // ggml's names are 64 bytes with the zero behind them

// Numbers of the format for the kinds of metadata that are written.
enum Kind : uint32_t { u32 = 4, i32 = 5, f32 = 6, truth = 7, text = 8, array = 9 };

uint64_t padded(uint64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

template <class T>
std::string raw(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}
std::string raw_text(const std::string& value, const std::string& where) {
  require(value.find('\0') == value.npos, where, ": the text has a zero byte, which other readers ",
          "take for its end");
  return raw(uint64_t(value.size())) + value;
}
std::string array_head(Kind kind, size_t count) {
  return raw(uint32_t(kind)) + raw(uint64_t(count));
}

}  // namespace

void GgufPairs::put(const std::string& key, uint32_t kind, std::string bytes) {
  require(!key.empty() && key.size() <= 65535 && key.find('\0') == key.npos,
          "a metadata key of GGUF should have 1 to 65535 bytes and no zero among them; found \"",
          key, "\"");
  for (Pair& pair : all_)
    if (pair.key == key) {
      pair = {key, kind, std::move(bytes)};
      return;
    }
  all_.push_back({key, kind, std::move(bytes)});
}
void GgufPairs::set(const std::string& key, bool value) {
  put(key, truth, std::string(1, value ? '\1' : '\0'));
}
void GgufPairs::set(const std::string& key, uint32_t value) { put(key, u32, raw(value)); }
void GgufPairs::set(const std::string& key, float value) { put(key, f32, raw(value)); }
void GgufPairs::set(const std::string& key, const std::string& value) {
  put(key, text, raw_text(value, key));
}
void GgufPairs::set(const std::string& key, const std::vector<std::string>& values) {
  std::string bytes = array_head(text, values.size());
  for (const std::string& value : values) bytes += raw_text(value, key);
  put(key, array, std::move(bytes));
}
void GgufPairs::set(const std::string& key, const std::vector<int32_t>& values) {
  std::string bytes = array_head(i32, values.size());
  for (int32_t value : values) bytes += raw(value);
  put(key, array, std::move(bytes));
}
void GgufPairs::set(const std::string& key, const std::vector<float>& values) {
  std::string bytes = array_head(f32, values.size());
  for (float value : values) bytes += raw(value);
  put(key, array, std::move(bytes));
}
void GgufPairs::set(const std::string& key, const std::vector<bool>& values) {
  std::string bytes = array_head(truth, values.size());
  for (bool value : values) bytes += value ? '\1' : '\0';
  put(key, array, std::move(bytes));
}
void GgufPairs::copy(const GgufPair& pair) {
  put(pair.key, pair.kind,
      std::string(reinterpret_cast<const char*>(pair.bytes.data()), pair.bytes.size()));
}
void GgufPairs::append(const GgufPairs& others) {
  for (const Pair& pair : others.all_) put(pair.key, pair.kind, pair.bytes);
}
void GgufPairs::erase(const std::string& key) {
  std::erase_if(all_, [&](const Pair& pair) { return pair.key == key; });
}
bool GgufPairs::has(const std::string& key) const {
  return std::any_of(all_.begin(), all_.end(), [&](const Pair& pair) { return pair.key == key; });
}
std::string GgufPairs::bytes() const {
  std::string all;
  for (const Pair& pair : all_) all += raw_text(pair.key, pair.key) + raw(pair.kind) + pair.bytes;
  return all;
}

GgufWriter::GgufWriter(const std::string& path, GgufPairs pairs)
    : out_(path), pairs_(std::move(pairs)) {}

void GgufWriter::declare(const std::string& name, StoredType type,
                         const std::vector<int64_t>& shape) {
  const std::string where = out_.path() + ": tensor '" + name + "'";
  require(!begun_, where, ": is declared after data were written");
  require(!name.empty() && name.size() <= longest_name && name.find('\0') == name.npos, where,
          ": has a name of ", name.size(), " bytes; llama.cpp reads 1 to ", longest_name);
  require(shape.size() <= 4, where, ": has ", shape.size(), " dimensions; GGUF has at most 4");
  const StoredTypeInfo& t = info(type);
  require(t.gguf >= 0, where, ": GGUF has no type ", t.name);
  const int64_t row = shape.empty() ? 1 : shape.back();
  require(row % t.block_elements == 0, where, ": rows of ", row, " are no whole blocks of ",
          t.block_elements, " of type ", t.name);
  require(index_.emplace(name, entries_.size()).second, where, ": is declared twice");
  const uint64_t bytes = stored_bytes(type, element_count(shape, where), where);
  entries_.push_back({name, type, shape, end_, bytes, 0});
  end_ += padded(bytes);
}

void GgufWriter::begin() {
  if (begun_) return;
  begun_ = true;
  std::string head = "GGUF" + raw(uint32_t(3)) + raw(uint64_t(entries_.size())) +
                     raw(uint64_t(pairs_.size())) + pairs_.bytes();
  for (const Entry& entry : entries_) {
    head += raw_text(entry.name, entry.name) + raw(uint32_t(entry.shape.size()));
    for (size_t i = entry.shape.size(); i-- > 0;) head += raw(uint64_t(entry.shape[i]));
    head += raw(uint32_t(info(entry.type).gguf)) + raw(entry.offset);
  }
  head.resize(padded(head.size()), '\0');
  data_ = head.size();
  out_.write(head);
}

GgufWriter::Entry& GgufWriter::at(const std::string& name) {
  begin();
  auto found = index_.find(name);
  require(found != index_.end(), out_.path(), ": tensor '", name, "' was not declared");
  return entries_[found->second];
}

void GgufWriter::write_stored(const std::string& name, const void* data, size_t bytes) {
  Entry& entry = at(name);
  require(bytes <= entry.bytes - entry.written, out_.path(), ": tensor '", name, "': ", bytes,
          " bytes more where ", entry.bytes - entry.written, " are missing");
  out_.write_at(data_ + entry.offset + entry.written, data, bytes);
  entry.written += bytes;
}

void GgufWriter::write(const std::string& name, const float* values, int64_t count) {
  const Entry& entry = at(name);
  const std::string where = out_.path() + ": tensor '" + name + "'";
  const StoredTypeInfo& t = info(entry.type);
  // Piece by piece, so that a large tensor is not held twice.
  constexpr int64_t piece = 1 << 18;
  std::string bytes;
  for (int64_t first = 0; first < count; first += piece) {
    const int64_t part = std::min(piece, count - first);
    bytes.resize(stored_bytes(entry.type, part, where));
    from_f32(entry.type, values + first, bytes.data(), part,
             first == 0 ? where : where + ", from number " + std::to_string(first) + " on");
    write_stored(name, bytes.data(), bytes.size());
  }
  require(count % t.block_elements == 0, where, ": ", count, " numbers are no whole blocks");
}

void GgufWriter::commit() {
  begin();
  for (const Entry& entry : entries_)
    require(entry.written == entry.bytes, out_.path(), ": tensor '", entry.name, "' has ",
            entry.written, " of its ", entry.bytes, " bytes");
  // The last tensor is padded too.
  if (!entries_.empty()) {
    const Entry& last = entries_.back();
    if (const std::string rest(size_t(padded(last.bytes) - last.bytes), '\0'); !rest.empty())
      out_.write_at(data_ + last.offset + last.bytes, rest.data(), rest.size());
  }
  out_.commit();
}

}  // namespace afina
