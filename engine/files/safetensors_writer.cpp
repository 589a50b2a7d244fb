// Writing safetensors: declared, laid out, streamed, then there whole.
#include <algorithm>

#include "engine/error.h"
#include "engine/files/json.h"
#include "engine/files/safetensors.h"

namespace afina {

SafetensorsWriter::SafetensorsWriter(const std::string& path, std::map<std::string, std::string> metadata)
    : out_(path), metadata_(std::move(metadata)) {}

void SafetensorsWriter::declare(const std::string& name, StoredType type, const std::vector<int64_t>& shape) {
  std::string where = out_.path() + ": tensor '" + name + "'";
  require(!laid_out_, where, ": declared after the first data were written");
  require(info(type).safetensors, where, ": safetensors has no type ", afina::name(type));
  require(!name.empty() && name != "__metadata__", where, ": this name is not allowed");
  size_t bytes = stored_bytes(type, element_count(shape, where), where);
  require(index_.try_emplace(name, 0).second, where, ": declared twice");
  entries_.push_back({name, type, shape, 0, bytes, 0});
}

void SafetensorsWriter::lay_out() {
  laid_out_ = true;
  // Wider types first keeps every tensor aligned to its own elements.
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    int wide_a = info(a.type).block_bytes, wide_b = info(b.type).block_bytes;
    return wide_a != wide_b ? wide_a > wide_b : a.name < b.name;
  });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata_.empty()) header["__metadata__"] = metadata_;
  uint64_t end = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    index_[entry.name] = i;
    entry.begin = end;
    require(!__builtin_add_overflow(end, entry.bytes, &end), out_.path(), ": more bytes than can be counted");
    nlohmann::ordered_json one;
    one["dtype"] = info(entry.type).name;
    one["shape"] = entry.shape;
    one["data_offsets"] = {entry.begin, end};
    header[entry.name] = std::move(one);
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception& error) { fail(out_.path(), ": a name or metadata cannot be written as JSON: ", error.what()); }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  char length[8];
  for (int i = 0; i < 8; ++i) length[i] = char(uint64_t(text.size()) >> (8 * i));
  out_.write(length, 8);
  out_.write(text);
  for (Entry& entry : entries_) entry.begin += 8 + text.size();
}

void SafetensorsWriter::write(std::string_view name, const void* data, size_t bytes) {
  if (!laid_out_) lay_out();
  auto at = index_.find(name);
  require(at != index_.end(), out_.path(), ": tensor '", name, "' was not declared");
  Entry& entry = entries_[at->second];
  require(bytes <= entry.bytes - entry.written, out_.path(), ": tensor '", name, "' has ", entry.bytes, " bytes; ", entry.written,
          " are written, ", bytes, " more came");
  out_.write_at(entry.begin + entry.written, data, bytes);
  entry.written += bytes;
}

void SafetensorsWriter::commit() {
  if (!laid_out_) lay_out();
  for (const Entry& entry : entries_)
    require(entry.written == entry.bytes, out_.path(), ": tensor '", entry.name, "' is incomplete: ", entry.written, " of ", entry.bytes,
            " bytes were written");
  out_.commit();
}

}  // namespace afina
