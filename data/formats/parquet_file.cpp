// What a Parquet file says of itself.
#include "data/formats/parquet_file.h"

#include "data/formats/thrift.h"
#include "engine/error.h"

namespace afina {

namespace {

// An element of the schema, which the file lists parents first.
struct Element {
  std::string name;
  int64_t type = -1, repetition = 0, children = 0, converted = -1, logical = 0;
  bool is_signed = true;
};

// Numbers of parquet.thrift: ConvertedType and LogicalType.
enum Converted {
  utf8 = 0,
  map = 1,
  map_key_value = 2,
  list = 3,
  as_enum = 4,
  decimal = 5,
  date = 6,
  time_millis = 7,
  timestamp_micros = 10,
  uint_8 = 11,
  uint_64 = 14,
  json = 19,
  bson = 20,
  interval = 21
};
enum Logical {
  l_string = 1,
  l_map = 2,
  l_list = 3,
  l_enum = 4,
  l_decimal = 5,
  l_date = 6,
  l_time = 7,
  l_timestamp = 8,
  l_integer = 10,
  l_unknown = 11,
  l_json = 12,
  l_bson = 13,
  l_uuid = 14,
  l_float16 = 15
};

class Footer {
 public:
  Footer(std::string_view bytes, const std::string& name)
      : name_(name), thrift_(bytes, name_), file_(std::make_unique<ParquetFile>()) {}

  std::unique_ptr<ParquetFile> read() {
    using T = ThriftReader;
    thrift_.fields([&](int id, T::Kind kind) {
      if (id == 2 && kind == T::list) thrift_.elements(T::structure, [&] { element(); });
      else if (id == 4 && kind == T::list) thrift_.elements(T::structure, [&] { group(); });
      else if (id == 8) fail(name_, ": the Parquet file is encrypted, and is not read");
      else return false;
      return true;
    });
    size_t next = 0;
    require(!elements_.empty(), name_, ": damaged: the Parquet file has no columns");
    elements_[0].repetition = 0;
    build(file_->root, next, 0, 0, 0);
    require(next == elements_.size(), name_, ": damaged: columns that belong to no group");
    collect(file_->root);
    for (const ParquetGroup& group : file_->groups)
      require(group.chunks.size() == file_->leaves.size(), name_, ": damaged: a row group of ",
              group.chunks.size(), " columns in a file of ", file_->leaves.size());
    return std::move(file_);
  }

 private:
  void element() {
    using T = ThriftReader;
    Element& e = elements_.emplace_back();
    thrift_.fields([&](int id, T::Kind kind) {
      if (id == 1) e.type = thrift_.integer(kind);
      else if (id == 3) e.repetition = thrift_.integer(kind);
      else if (id == 4) e.name = thrift_.bytes(kind);
      else if (id == 5) e.children = thrift_.integer(kind);
      else if (id == 6) e.converted = thrift_.integer(kind);
      else if (id == 10 && kind == T::structure) logical(e);
      else return false;
      return true;
    });
  }
  void logical(Element& e) {
    using T = ThriftReader;
    thrift_.fields([&](int id, T::Kind kind) {
      e.logical = id;
      if (id != l_integer || kind != T::structure) return false;
      thrift_.fields([&](int inner, T::Kind truth) {
        if (inner == 2) e.is_signed = T::truth(truth);
        return inner == 2 && (truth == T::yes || truth == T::no);
      });
      return true;
    });
  }

  void group() {
    using T = ThriftReader;
    ParquetGroup& g = file_->groups.emplace_back();
    thrift_.fields([&](int id, T::Kind kind) {
      if (id == 3) g.rows = thrift_.integer(kind);
      else if (id == 1 && kind == T::list)
        thrift_.elements(T::structure, [&] { chunk(g.chunks.emplace_back()); });
      else return false;
      return true;
    });
  }
  void chunk(ParquetChunk& c) {
    using T = ThriftReader;
    thrift_.fields([&](int id, T::Kind kind) {
      if (id == 1) fail(name_, ": the Parquet file keeps its columns in other files; not read");
      if (id != 3 || kind != T::structure) return false;
      chunk_data(c);
      return true;
    });
  }
  void chunk_data(ParquetChunk& c) {
    using T = ThriftReader;
    int64_t data = 0, dictionary = 0;
    thrift_.fields([&](int id, T::Kind kind) {
      if (id == 4) codec(c, thrift_.integer(kind));
      else if (id == 5) c.values = thrift_.integer(kind);
      else if (id == 7) c.bytes = thrift_.integer(kind);
      else if (id == 9) data = thrift_.integer(kind);
      else if (id == 11) dictionary = thrift_.integer(kind);
      else return false;
      return true;
    });
    c.begin = dictionary > 0 && dictionary < data ? dictionary : data;
  }
  static void codec(ParquetChunk& c, int64_t number) {
    constexpr const char* names[] = {"", "", "", "LZO", "Brotli", "LZ4", "", "LZ4"};
    if (number == 1) c.compression = Compression::snappy;
    else if (number == 2) c.compression = Compression::gzip;
    else if (number == 6) c.compression = Compression::zstd;
    else if (number != 0)
      c.other_codec = number > 0 && number < 8 ? names[number] : "number " + std::to_string(number);
  }

  void build(ParquetNode& node, size_t& next, int definition, int repeated, int depth) {
    require(depth <= 24, name_, ": columns are nested deeper than 24 levels");
    require(next < elements_.size(), name_, ": damaged: a group lacks columns");
    const Element& e = elements_[next++];
    node.name = e.name;
    require(e.repetition >= 0 && e.repetition <= 2 && e.children >= 0, name_,
            ": damaged: the column \"", e.name, "\" makes no sense");
    node.repetition = int(e.repetition);
    node.definition = definition + (e.repetition > 0);
    node.repeated = repeated + (e.repetition == 2);
    node.first_leaf = leaves_;
    if (e.children == 0) {
      require(depth > 0 && e.type >= 0 && e.type <= 7, name_, ": damaged: the column \"", e.name,
              "\" has no type");
      node.type = ParquetType(e.type);
      describe_leaf(node, e);
      ++leaves_;
    } else {
      node.is_list = e.logical == l_list || e.converted == list;
      for (int64_t i = 0; i < e.children; ++i) {
        ParquetNode& child = node.children.emplace_back();
        build(child, next, node.definition, node.repeated, depth + 1);
        if (node.unreadable.empty()) node.unreadable = child.unreadable;
      }
      if (e.logical == l_map || e.converted == map || e.converted == map_key_value)
        node.unreadable = "a map";
    }
    node.leaves = leaves_ - node.first_leaf;
  }

  static void describe_leaf(ParquetNode& node, const Element& e) {
    using P = ParquetType;
    const bool text = e.logical == l_string || e.logical == l_enum || e.logical == l_json ||
                      e.converted == utf8 || e.converted == as_enum || e.converted == json;
    node.is_text = text && node.type == P::bytes;
    node.is_unsigned = !e.is_signed || (e.converted >= uint_8 && e.converted <= uint_64);
    if (e.logical == l_decimal || e.converted == decimal) node.unreadable = "a decimal number";
    else if (e.logical == l_date || e.converted == date) node.unreadable = "a date";
    else if (e.logical == l_time || e.logical == l_timestamp || node.type == P::int96 ||
             (e.converted >= time_millis && e.converted <= timestamp_micros))
      node.unreadable = "a time";
    else if (e.logical == l_uuid) node.unreadable = "a UUID in binary";
    else if (e.logical == l_float16) node.unreadable = "a number of 16 bits";
    else if (node.type == P::fixed || (node.type == P::bytes && !node.is_text))
      node.unreadable = "binary data";
  }

  void collect(const ParquetNode& node) {
    if (node.children.empty()) file_->leaves.push_back(&node);
    for (const ParquetNode& child : node.children) collect(child);
  }

  const std::string name_;
  ThriftReader thrift_;
  std::unique_ptr<ParquetFile> file_;
  std::vector<Element> elements_;
  size_t leaves_ = 0;
};

}  // namespace

std::unique_ptr<ParquetFile> read_parquet_footer(std::string_view bytes, const std::string& name) {
  require(
      bytes.size() >= 12 && bytes.ends_with("PAR1"), name,
      ": the Parquet file does not end as one does: it is incomplete, copy or download it again");
  uint32_t length = 0;
  for (int i = 0; i < 4; ++i)
    length |= uint32_t(uint8_t(bytes[bytes.size() - 8 + size_t(i)])) << (8 * i);
  require(length <= bytes.size() - 12, name, ": damaged: the Parquet file's description has ",
          length, " bytes, the file ", bytes.size());
  return Footer(bytes.substr(bytes.size() - 8 - length, length), name).read();
}

}  // namespace afina
