// Writing safetensors: declared, laid out, streamed, then there whole.
#include <algorithm>

#include "engine/error.h"
#include "engine/files/json.h"
#include "engine/files/safetensors.h"

namespace afina {

SafetensorsLayout::SafetensorsLayout(std::string where, std::map<std::string, std::string> metadata)
    : where_(std::move(where)), metadata_(std::move(metadata)) {}

void SafetensorsLayout::declare(const std::string& name, StoredType type,
                                const std::vector<int64_t>& shape) {
  std::string where = where_ + ": tensor '" + name + "'";
  require(header_.empty(), where, ": declared after the first data were written");
  require(info(type).safetensors, where, ": safetensors has no type ", afina::name(type));
  require(!name.empty() && name != "__metadata__", where, ": this name is not allowed");
  size_t bytes = stored_bytes(type, element_count(shape, where), where);
  require(index_.try_emplace(name, 0).second, where, ": declared twice");
  entries_.push_back({name, type, shape, 0, bytes, 0});
}

void SafetensorsLayout::lay_out() {
  if (!header_.empty()) return;
  // Wider types first keeps every tensor aligned to its own elements.
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    int wide_a = info(a.type).block_bytes, wide_b = info(b.type).block_bytes;
    return wide_a != wide_b ? wide_a > wide_b : a.name < b.name;
  });
  OrderedJson header = OrderedJson::object();
  if (!metadata_.empty()) header["__metadata__"] = metadata_;
  uint64_t end = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    index_[entry.name] = i;
    entry.begin = end;
    require(!__builtin_add_overflow(end, entry.bytes, &end), where_,
            ": more bytes than can be counted");
    OrderedJson one;
    one["dtype"] = info(entry.type).name;
    one["shape"] = entry.shape;
    one["data_offsets"] = {entry.begin, end};
    header[entry.name] = std::move(one);
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const JsonError& error) {
    fail(where_, ": a name or metadata cannot be written as JSON: ", error.what());
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  for (int i = 0; i < 8; ++i) header_ += char(uint64_t(text.size()) >> (8 * i));
  header_ += text;
  for (Entry& entry : entries_) entry.begin += header_.size();
}

uint64_t SafetensorsLayout::bytes() {
  lay_out();
  return entries_.empty() ? header_.size() : entries_.back().begin + entries_.back().bytes;
}

const std::string& SafetensorsLayout::header() {
  lay_out();
  return header_;
}

SafetensorsLayout::Entry* SafetensorsLayout::find(std::string_view name) {
  lay_out();
  auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

SafetensorsWriter::SafetensorsWriter(const std::string& path,
                                     std::map<std::string, std::string> metadata)
    : out_(path), layout_(out_.path(), std::move(metadata)) {}

void SafetensorsWriter::begin() {
  if (!begun_) out_.write(layout_.header());
  begun_ = true;
}

void SafetensorsWriter::write(std::string_view name, const void* data, size_t bytes) {
  begin();
  SafetensorsLayout::Entry* entry = layout_.find(name);
  require(entry, out_.path(), ": tensor '", name, "' was not declared");
  require(bytes <= entry->bytes - entry->written, out_.path(), ": tensor '", name, "' has ",
          entry->bytes, " bytes; ", entry->written, " are written, ", bytes, " more came");
  out_.write_at(entry->begin + entry->written, data, bytes);
  entry->written += bytes;
}

void SafetensorsWriter::commit() {
  begin();
  for (const SafetensorsLayout::Entry& entry : layout_.entries())
    require(entry.written == entry.bytes, out_.path(), ": tensor '", entry.name,
            "' is incomplete: ", entry.written, " of ", entry.bytes, " bytes were written");
  out_.commit();
}

}  // namespace afina
