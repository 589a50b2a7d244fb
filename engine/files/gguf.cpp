// Reading GGUF: every length is checked against what is left of the file before it is believed.
#include "engine/files/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <unordered_set>

#include "engine/error.h"

namespace afina {

namespace {

constexpr uint64_t most_array_elements =
    1 << 24;  // of all arrays together: they are held in memory, some 16 bytes each
constexpr int deepest_array = 4;
constexpr uint32_t most_dimensions = 4;
constexpr uint64_t longest_name = 1024;

// Walks through the file. `what` says what is being read, for messages.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  size_t position() const { return position_; }
  size_t left() const { return bytes_.size() - position_; }

  template <class T>
  T number(const std::string& what) {
    require(left() >= sizeof(T), file_, ": ends within ", what, ", at byte ", bytes_.size(),
            " (is it truncated?)");
    T value;
    static_assert(std::endian::native == std::endian::little,
                  "the file's numbers are little-endian");
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }

  std::string text(const std::string& what, uint64_t longest = UINT64_MAX) {
    auto length = number<uint64_t>(what);
    require(length <= left() && length <= longest, file_, ": ", what, " says that it has ", length,
            " bytes; ", std::min<uint64_t>(left(), longest), " are possible");
    std::string value(reinterpret_cast<const char*>(bytes_.data()) + position_, size_t(length));
    position_ += size_t(length);
    return value;
  }

  // A count of things of at least `least` bytes each.
  uint64_t count(uint64_t value, uint64_t least, const std::string& what) const {
    require(value <= left() / least, file_, ": says that there are ", value, " ", what, "; the ",
            left(), " bytes that are left cannot hold them (is it truncated?)");
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& file_;
  size_t position_ = 0;
};

// Numbers of the format for the kinds of metadata.
enum Kind : uint32_t { u8, i8, u16, i16, u32, i32, f32, truth, text, array, u64, i64, f64 };

// The least bytes that a value of a kind takes; 0 for an unknown kind.
uint64_t least_bytes(uint32_t kind) {
  constexpr uint8_t bytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};
  return kind < std::size(bytes) ? bytes[kind] : 0;
}

class MetadataReader {
 public:
  MetadataReader(Cursor& cursor, const std::string& file) : cursor_(cursor), file_(file) {}

  Json value(uint32_t kind, const std::string& key, int depth = 0) {
    switch (kind) {
      case u8: return cursor_.number<uint8_t>(key);
      case i8: return cursor_.number<int8_t>(key);
      case u16: return cursor_.number<uint16_t>(key);
      case i16: return cursor_.number<int16_t>(key);
      case u32: return cursor_.number<uint32_t>(key);
      case i32: return cursor_.number<int32_t>(key);
      case f32: return double(cursor_.number<float>(key));
      case u64: return cursor_.number<uint64_t>(key);
      case i64: return cursor_.number<int64_t>(key);
      case f64: return cursor_.number<double>(key);
      case text: return cursor_.text(key);
      case truth: {
        auto bit = cursor_.number<uint8_t>(key);
        require(bit <= 1, file_, ": ", key, " should be true (1) or false (0), found ", int(bit));
        return bit == 1;
      }
      case array: return elements(key, depth + 1);
      default: fail(file_, ": ", key, " has the unknown type ", kind);
    }
  }

 private:
  Json elements(const std::string& key, int depth) {
    require(depth <= deepest_array, file_, ": ", key, " has arrays nested deeper than ",
            deepest_array);
    auto kind = cursor_.number<uint32_t>(key);
    uint64_t least = least_bytes(kind);
    require(least > 0, file_, ": ", key, " is an array of the unknown type ", kind);
    uint64_t count = cursor_.count(cursor_.number<uint64_t>(key), least, "elements in " + key);
    elements_ += count;
    require(elements_ <= most_array_elements, file_, ": ", key, ": more than ", most_array_elements,
            " elements in the arrays of the metadata");
    Json::array_t all;
    all.reserve(size_t(count));
    for (uint64_t i = 0; i < count; ++i) all.push_back(value(kind, key, depth));
    return all;
  }

  Cursor& cursor_;
  const std::string& file_;
  uint64_t elements_ = 0;
};

struct Entry {
  StoredTensor tensor;
  uint64_t offset;
};

Entry read_entry(Cursor& cursor, const std::string& file, uint64_t index) {
  std::string name = cursor.text("the name of tensor " + std::to_string(index), longest_name);
  Entry entry = {{name, StoredType::f32, {}, nullptr, 0, file}, 0};
  std::string where = entry.tensor.where();
  auto dimensions = cursor.number<uint32_t>(where);
  require(dimensions <= most_dimensions, where, ": has ", dimensions, " dimensions; at most ",
          most_dimensions, " are known");
  auto& shape = entry.tensor.shape;
  for (uint32_t i = 0; i < dimensions; ++i) {
    auto dimension = cursor.number<uint64_t>(where);
    require(dimension <= uint64_t(INT64_MAX), where, ": a dimension of ", dimension,
            " is too large");
    shape.insert(shape.begin(), int64_t(dimension));  // the file's order is innermost first
  }
  auto number = cursor.number<uint32_t>(where);
  const StoredTypeInfo* type = gguf_type(number);
  require(type, where, ": unknown tensor type ", number);
  entry.tensor.type = type->type;
  int64_t row = shape.empty() ? 1 : shape.back();
  require(row % type->block_elements == 0, where, ": shape ", shape_text(shape), ": rows of ", row,
          " are no whole blocks of ", type->block_elements, " of type ", type->name);
  entry.tensor.bytes = stored_bytes(type->type, element_count(shape, where), where);
  entry.offset = cursor.number<uint64_t>(where);
  return entry;
}

uint64_t alignment_of(const Json& metadata, const std::string& file) {
  auto alignment = get_or<uint32_t>(metadata, "general.alignment", file, 32);
  bool good = alignment >= 8 && std::has_single_bit(alignment) && alignment <= (1u << 24);
  require(good, file, ": 'general.alignment' should be a power of two from 8, found ", alignment);
  return alignment;
}

// Tensors lie one behind the other, each begun at the next multiple of the alignment: what every
// writer does and llama.cpp demands.
void place_tensors(std::vector<Entry>& entries, std::span<const std::byte> data,
                   uint64_t alignment) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](auto& a, auto& b) { return a.offset < b.offset; });
  uint64_t expected = 0;
  for (Entry& entry : entries) {
    StoredTensor& tensor = entry.tensor;
    require(entry.offset <= data.size() && tensor.bytes <= data.size() - entry.offset,
            tensor.where(), ": its ", tensor.bytes, " bytes at ", entry.offset,
            " are not within the ", data.size(), " bytes of data of the file (is it truncated?)");
    require(entry.offset == expected, tensor.where(), ": its data begin at ", entry.offset,
            "; expected ", expected, ", behind those of the tensor before it");
    tensor.data = data.data() + entry.offset;
    expected = (entry.offset + tensor.bytes + alignment - 1) / alignment * alignment;
  }
}

void check_version(uint32_t version, const std::string& file) {
  bool swapped = (version & 0xffff) == 0 && version != 0;
  require(!swapped, file, ": is a big-endian GGUF file; only little-endian ones can be read");
  require(version == 2 || version == 3, file, ": is GGUF version ", version,
          "; versions 2 and 3 can be read");
}

}  // namespace

// A part as it was read.
struct Gguf::Part {
  std::string file;
  Json metadata;
  std::vector<GgufPair> pairs;
  std::vector<Entry> entries;
  Part(std::span<const std::byte> bytes, const std::string& name);
};

Gguf::Part::Part(std::span<const std::byte> bytes, const std::string& name) : file(name) {
  Cursor cursor(bytes, file);
  auto magic = cursor.number<uint32_t>("the magic number");
  require(magic == 0x46554747u, file, ": does not begin with \"GGUF\" (not a GGUF file?)");
  check_version(cursor.number<uint32_t>("the version"), file);
  auto tensors = cursor.number<uint64_t>("the number of tensors"),
       count = cursor.number<uint64_t>("the number of metadata");
  // A tensor's entry is at least name length, dimensions, type and offset; a metadata pair at least
  // key length, type and one byte.
  cursor.count(tensors, 8 + 4 + 4 + 8, "tensors");
  cursor.count(count, 8 + 4 + 1, "metadata pairs");

  Json::object_t members;
  std::unordered_set<std::string> keys;
  MetadataReader reader(cursor, file);
  for (uint64_t i = 0; i < count; ++i) {
    std::string key = cursor.text("metadata key " + std::to_string(i), 65535);
    auto kind = cursor.number<uint32_t>("'" + key + "'");
    require(keys.insert(key).second, file, ": '", key, "' is given twice");
    const size_t begin = cursor.position();
    Json value = reader.value(kind, "'" + key + "'");
    pairs.push_back({key, kind, bytes.subspan(begin, cursor.position() - begin)});
    members.push_back({std::move(key), std::move(value)});
  }
  metadata = Json(std::move(members));
  for (uint64_t i = 0; i < tensors; ++i) entries.push_back(read_entry(cursor, file, i));

  uint64_t alignment = alignment_of(metadata, file);
  uint64_t start = (cursor.position() + alignment - 1) / alignment * alignment;
  // A file without tensors may end before its padding.
  place_tensors(entries, bytes.subspan(std::min<uint64_t>(start, bytes.size())), alignment);
}

// A part's place among the others, as it says itself: split.no from 0, split.count.
void Gguf::add(const Part& part, int64_t index, int64_t count) {
  const auto number = get_or<int64_t>(part.metadata, "split.no", part.file, 0),
             of = get_or<int64_t>(part.metadata, "split.count", part.file, 1);
  require(number == index && of == count, part.file, ": says that it is part ", number + 1, " of ",
          of, " where part ", index + 1, " of ", count, " is expected");
  for (const Entry& entry : part.entries) tensors_.add(entry.tensor);
}

void Gguf::check_count(int64_t count) const {
  if (count < 2) return;
  const auto expected = get<int64_t>(metadata_, "split.tensors.count", path_);
  require(int64_t(tensors_.size()) == expected, path_, ": its ", count, " parts have ",
          tensors_.size(), " tensors; 'split.tensors.count' says ", expected);
}

namespace {

constexpr int64_t most_parts = 99999;  // five digits

int64_t parts_of(const Json& metadata, const std::string& file) {
  const auto count = get_or<int64_t>(metadata, "split.count", file, 1);
  require(count >= 0 && count <= most_parts, file, ": 'split.count' is ", count, "; from 1 to ",
          most_parts, " parts are possible");
  return std::max<int64_t>(count, 1);  // 0: it was never split
}

std::string five_digits(int64_t number) {
  const std::string text = std::to_string(number);
  return std::string(text.size() < 5 ? 5 - text.size() : 0, '0') + text;
}

}  // namespace

GgufPartName gguf_part_name(const std::string& path) {
  // "-00002-of-00003.gguf" has 20 characters.
  if (path.size() < 20 || !path.ends_with(".gguf")) return {};
  const std::string end = path.substr(path.size() - 20),
                    numbers = end.substr(1, 5) + end.substr(10, 5);
  const bool form = end[0] == '-' && end.compare(6, 4, "-of-") == 0 &&
                    numbers.find_first_not_of("0123456789") == numbers.npos;
  if (!form) return {};
  GgufPartName name = {path.substr(0, path.size() - 20), std::stoll(numbers.substr(0, 5)),
                       std::stoll(numbers.substr(5))};
  return name.part >= 1 && name.part <= name.count ? name : GgufPartName();
}

std::string gguf_part_path(const GgufPartName& name, int64_t part) {
  return name.stem + "-" + five_digits(part) + "-of-" + five_digits(name.count) + ".gguf";
}

Gguf::Gguf(const std::string& path) : path_(path) {
  files_.emplace_back(path);
  Part first(files_[0].bytes(), path);
  const int64_t count = parts_of(first.metadata, path);
  const GgufPartName name = gguf_part_name(path);
  const auto number = get_or<int64_t>(first.metadata, "split.no", path, 0);
  require(count == 1 || number == 0, path, ": is part ", number + 1, " of ", count,
          " of a model; name the first one",
          name.count == count ? ", " + gguf_part_path(name, 1) : std::string());
  require(count == 1 || (name.count == count && name.part == 1), path, ": is part 1 of ", count,
          " of a model; the parts are found by their names, and this one should end in -00001-of-",
          five_digits(count), ".gguf");
  metadata_ = first.metadata;
  pairs_ = first.pairs;
  add(first, 0, count);
  for (int64_t i = 1; i < count; ++i) {
    const std::string part = gguf_part_path(name, i + 1);
    std::error_code ignored;
    require(std::filesystem::exists(part, ignored), part, ": is missing; ", path, " is part 1 of ",
            count, ", which must lie in one folder");
    files_.emplace_back(part);
    add(Part(files_.back().bytes(), part), i, count);
  }
  check_count(count);
}

Gguf::Gguf(std::span<const std::byte> bytes, const std::string& name)
    : Gguf(std::vector<std::span<const std::byte>>{bytes}, name) {}

Gguf::Gguf(const std::vector<std::span<const std::byte>>& parts, const std::string& name)
    : path_(name) {
  for (size_t i = 0; i < parts.size(); ++i) {
    Part part(parts[i], parts.size() == 1 ? name : name + ", part " + std::to_string(i + 1));
    if (i == 0) {
      metadata_ = part.metadata;
      pairs_ = part.pairs;
      const int64_t count = parts_of(metadata_, name);
      require(count == int64_t(parts.size()), name, ": is one of ", count, " parts; there are ",
              parts.size());
    }
    add(part, int64_t(i), int64_t(parts.size()));
  }
  check_count(int64_t(parts.size()));
}

std::vector<std::string> Gguf::files() const {
  std::vector<std::string> all;
  for (const MappedFile& file : files_) all.push_back(file.path());
  return all;
}

void Gguf::drop(const StoredTensor& tensor) const {
  for (const MappedFile& file : files_) {
    const std::byte* begin = file.data();
    if (tensor.data >= begin && tensor.data < begin + file.bytes().size())
      return file.drop(size_t(tensor.data - begin), tensor.bytes);
  }
}

}  // namespace afina
