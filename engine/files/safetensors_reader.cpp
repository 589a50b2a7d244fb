// Reading safetensors: every byte of a file is accounted for before a tensor is given out.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>

#include "engine/error.h"
#include "engine/files/folder_file.h"
#include "engine/files/json.h"
#include "engine/files/safetensors.h"

namespace afina {

namespace {

// The format's own limit: a header of more is a lie or an attack.
constexpr uint64_t longest_header = 100'000'000;

Json read_header(std::span<const std::byte> bytes, const std::string& name, size_t& data_start) {
  require(bytes.size() >= 8, name, ": has ", bytes.size(),
          " bytes; a safetensors file has at least 8 (is it truncated?)");
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | uint64_t(bytes[i]);
  require(length <= longest_header && length <= bytes.size() - 8, name,
          ": says that its header has ", length, " bytes; there are ", bytes.size() - 8,
          " behind it (is it truncated, or not a safetensors file?)");
  data_start = 8 + size_t(length);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 8, size_t(length));
  require(!text.empty() && text[0] == '{', name,
          ": the header does not begin with '{' (not a safetensors file?)");
  Json header = parse_json(text, name + " (header)", {.bytes = longest_header, .depth = 4});
  require(header.is_object(), name, ": the header is ", kind_of(header), "; expected an object");
  return header;
}

StoredTensor read_entry(const std::string& tensor, const Json& entry,
                        std::span<const std::byte> data, const std::string& file) {
  std::string where = file + ": tensor '" + tensor + "'";
  check_known_keys(entry, {"dtype", "shape", "data_offsets"}, where);
  std::string dtype = get<std::string>(entry, "dtype", where);
  const StoredTypeInfo* type = safetensors_type(dtype);
  require(type, where, ": unknown dtype '", dtype, "'");
  auto shape = get<std::vector<int64_t>>(entry, "shape", where);
  auto offsets = get<std::vector<int64_t>>(entry, "data_offsets", where);
  require(offsets.size() == 2, where, ": 'data_offsets' should be [begin, end], found ",
          offsets.size(), " numbers");
  int64_t begin = offsets[0], end = offsets[1];
  require(0 <= begin && begin <= end && uint64_t(end) <= data.size(), where, ": its data, bytes ",
          begin, " to ", end, ", are not within the ", data.size(),
          " bytes of data of the file (is it truncated?)");
  size_t bytes = stored_bytes(type->type, element_count(shape, where), where);
  require(bytes == size_t(end - begin), where, ": shape ", shape_text(shape), " of ", dtype,
          " takes ", bytes, " bytes; its place has ", end - begin);
  return {tensor, type->type, std::move(shape), data.data() + begin, bytes, file};
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// A shard is a plain file name: an index from a stranger must not make us read elsewhere.
void check_shard_name(const std::string& shard, const std::string& index) {
  bool plain = !shard.empty() &&
               shard.find_first_of(std::string("/\\\0", 3)) == std::string::npos && shard != "." &&
               shard != "..";
  require(plain, index, ": the shard '", shard,
          "' should be the name of a file in the same folder");
}

}  // namespace

Safetensors::Safetensors(const std::string& path) : path_(path) {
  std::error_code ignored;
  std::string one = path, index = path + "/model.safetensors.index.json";
  bool indexed = path.size() > 5 && path.compare(path.size() - 5, 5, ".json") == 0;
  if (std::filesystem::is_directory(path, ignored)) {
    one += "/model.safetensors";
    indexed = !exists(one);
    require(!indexed || exists(index), path,
            ": has neither model.safetensors nor model.safetensors.index.json");
    file_of_folder(path, indexed ? "model.safetensors.index.json" : "model.safetensors");
  } else if (indexed) {
    index = path;
  }
  if (indexed) add_shards(index);
  else add_file(one);
}

Safetensors::Safetensors(std::span<const std::byte> bytes, const std::string& name) : path_(name) {
  add(bytes, name);
}

void Safetensors::add_file(const std::string& path) {
  files_.emplace_back(path);
  add(files_.back().bytes(), path);
}

void Safetensors::add(std::span<const std::byte> bytes, const std::string& name) {
  size_t data_start = 0;
  Json header = read_header(bytes, name, data_start);
  std::span<const std::byte> data = bytes.subspan(data_start);
  std::vector<StoredTensor> found;
  for (auto& [key, entry] : header.items()) {
    if (key != "__metadata__") {
      found.push_back(read_entry(key, entry, data, name));
      continue;
    }
    require(entry.is_object(), name, ": '__metadata__' is ", kind_of(entry),
            "; expected an object");
    for (auto& [word, value] : entry.items())
      metadata_.try_emplace(word, get<std::string>(entry, word, name + ": '__metadata__'"));
  }
  std::stable_sort(found.begin(), found.end(), [](auto& a, auto& b) {
    return a.data != b.data ? a.data < b.data : a.bytes < b.bytes;
  });
  const std::byte* expected = data.data();
  for (StoredTensor& tensor : found) {
    require(tensor.data >= expected, tensor.where(), ": its data overlap those of another tensor");
    require(tensor.data == expected, tensor.where(), ": ", tensor.data - expected,
            " bytes before its data belong to no tensor");
    expected += tensor.bytes;
    tensors_.add(std::move(tensor));
  }
  size_t left = size_t(data.data() + data.size() - expected);
  require(left == 0, name, ": the last ", left, " bytes belong to no tensor");
}

void Safetensors::add_shards(const std::string& index) {
  Json text = parse_json_file(index);
  const Json& map = member(text, "weight_map", index);
  require(map.is_object() && !map.empty(), index,
          ": 'weight_map' should be an object of tensors, found ", describe(map));
  size_t slash = index.rfind('/');
  std::string folder = slash == std::string::npos ? "" : index.substr(0, slash + 1);
  std::set<std::string> shards;
  for (auto& [tensor, shard] : map.items())
    shards.insert(get<std::string>(map, tensor, index + ": 'weight_map'"));
  for (const std::string& shard : shards) {
    check_shard_name(shard, index);
    add_file(file_of_folder(folder, shard));
  }
  for (auto& [tensor, shard] : map.items()) {
    const StoredTensor& found = tensors_.at(tensor, index);
    require(found.file == folder + shard.get<std::string>(), index, ": tensor '", tensor,
            "' should be in ", shard.get<std::string>(), ", found in ", found.file);
  }
  for (const StoredTensor& tensor : tensors_)
    require(map.contains(tensor.name), tensor.where(), " is not named in ", index);
}

std::vector<std::string> Safetensors::files() const {
  std::vector<std::string> names;
  for (const MappedFile& file : files_) names.push_back(file.path());
  return names;
}

void Safetensors::drop(const StoredTensor& tensor) const {
  std::less_equal<const std::byte*> no_later;
  for (const MappedFile& file : files_) {
    bool inside = no_later(file.data(), tensor.data) &&
                  no_later(tensor.data + tensor.bytes, file.data() + file.size());
    if (inside) file.drop(size_t(tensor.data - file.data()), tensor.bytes);
  }
}

}  // namespace afina
