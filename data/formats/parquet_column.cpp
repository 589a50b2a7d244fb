// The values of one column in one row group of a Parquet file: its pages, one after the other.
#include "data/formats/parquet_column.h"

#include <zlib.h>

#include <algorithm>
#include <bit>

#include "data/formats/parquet_values.h"
#include "data/formats/thrift.h"
#include "engine/error.h"

namespace afina {

namespace {

enum PageType { data_page = 0, index_page = 1, dictionary_page = 2, data_page_2 = 3 };
enum Coding {
  plain = 0,
  plain_dictionary = 2,
  rle = 3,
  delta_packed = 5,
  delta_length = 6,
  delta_text = 7,
  rle_dictionary = 8,
  byte_split = 9
};

struct PageHead {
  int64_t type = -1, uncompressed = 0, compressed = 0, values = 0, coding = -1;
  int64_t definition_coding = rle, repetition_coding = rle;
  int64_t definition_bytes = 0, repetition_bytes = 0;
  bool is_compressed = true, has_crc = false;
  uint32_t crc = 0;
};

PageHead head_of(ThriftReader& thrift) {
  using T = ThriftReader;
  PageHead head;
  thrift.fields([&](int id, T::Kind kind) {
    if (id == 1) head.type = thrift.integer(kind);
    else if (id == 2) head.uncompressed = thrift.integer(kind);
    else if (id == 3) head.compressed = thrift.integer(kind);
    else if (id == 4) {
      head.crc = uint32_t(thrift.integer(kind));
      head.has_crc = true;
    } else if ((id == 5 || id == 7) && kind == T::structure) {
      thrift.fields([&](int inner, T::Kind k) {
        if (inner == 1) head.values = thrift.integer(k);
        else if (inner == 2) head.coding = thrift.integer(k);
        else if (id == 5 && inner == 3) head.definition_coding = thrift.integer(k);
        else if (id == 5 && inner == 4) head.repetition_coding = thrift.integer(k);
        else return false;
        return true;
      });
    } else if (id == 8 && kind == T::structure) {
      thrift.fields([&](int inner, T::Kind k) {
        if (inner == 1) head.values = thrift.integer(k);
        else if (inner == 4) head.coding = thrift.integer(k);
        else if (inner == 5) head.definition_bytes = thrift.integer(k);
        else if (inner == 6) head.repetition_bytes = thrift.integer(k);
        else if (inner == 7) head.is_compressed = T::truth(k);
        else return false;
        return true;
      });
    } else return false;
    return true;
  });
  return head;
}

class ColumnReader {
 public:
  ColumnReader(const ParquetChunk& chunk, const ParquetNode& leaf, const std::string& where,
               size_t most)
      : chunk_(chunk), leaf_(leaf), where_(where), most_(most) {}

  ParquetColumn read(std::string_view bytes) {
    require(chunk_.values >= 0 && uint64_t(chunk_.values) <= most_, where_, ": ", chunk_.values,
            " values are more than expected");
    while (out_.entries < chunk_.values) {
      ThriftReader thrift(bytes, where_);
      const PageHead head = head_of(thrift);
      bytes.remove_prefix(thrift.at());
      require(head.compressed >= 0 && uint64_t(head.compressed) <= bytes.size(), where_,
              ": damaged: a page ends beyond its column");
      require(head.uncompressed >= 0 && uint64_t(head.uncompressed) <= most_, where_,
              ": a page of ", head.uncompressed, " bytes");
      const std::string_view page = bytes.substr(0, size_t(head.compressed));
      bytes.remove_prefix(page.size());
      require(!head.has_crc || uint32_t(crc32(0, reinterpret_cast<const Bytef*>(page.data()),
                                              uInt(page.size()))) == head.crc,
              where_,
              ": damaged: the checksum of a page is wrong; copy or download the file again");
      if (head.type == dictionary_page) dictionary(head, page);
      else if (head.type == data_page) data(head, unpacked(head, page));
      else if (head.type == data_page_2) data_2(head, page);
      else require(head.type == index_page, where_, ": damaged: a page of kind ", head.type);
    }
    return std::move(out_);
  }

 private:
  std::string_view unpacked(const PageHead& head, std::string_view page) {
    if (chunk_.compression == Compression::none || !head.is_compressed) return page;
    out_.pages.push_back(decompressed(chunk_.compression, page, where_, size_t(head.uncompressed)));
    return out_.pages.back();
  }

  void dictionary(const PageHead& head, std::string_view page) {
    require(head.coding == plain || head.coding == plain_dictionary, where_,
            ": damaged: a dictionary of encoding ", head.coding);
    ParquetColumn inside;
    ParquetBytes bytes(unpacked(head, page), where_);
    require(head.values >= 0 && head.values <= int64_t(bytes.left()), where_,
            ": damaged: a dictionary of ", head.values, " values");
    plain_values(bytes, size_t(head.values), inside);
    dictionary_.texts = std::move(inside.texts);
    dictionary_.integers = std::move(inside.integers);
    dictionary_.reals = std::move(inside.reals);
  }

  void check_count(const PageHead& head) const {
    require(head.values >= 0 && head.values <= chunk_.values - out_.entries, where_,
            ": damaged: pages with more values than the column has");
  }

  void data(const PageHead& head, std::string_view page) {
    check_count(head);
    ParquetBytes bytes(page, where_);
    for (auto& [most, coding] : {std::pair{leaf_.repeated, head.repetition_coding},
                                 std::pair{leaf_.definition, head.definition_coding}})
      require(most == 0 || coding == rle, where_, ": levels of encoding ", coding,
              " are not read; write the file with pyarrow.parquet.write_table");
    auto levels = [&](int most) {
      if (most == 0) return std::string_view();
      return bytes.take(size_t(bytes.little_endian(4)));
    };
    const std::string_view repetitions = levels(leaf_.repeated),
                           definitions = levels(leaf_.definition);
    values(head, repetitions, definitions, bytes);
  }

  // Levels lie uncompressed before the values.
  void data_2(const PageHead& head, std::string_view page) {
    check_count(head);
    ParquetBytes levels(page, where_);
    require(head.repetition_bytes >= 0 && head.definition_bytes >= 0 &&
                head.repetition_bytes + head.definition_bytes <= head.uncompressed,
            where_, ": damaged: a page of levels alone");
    const std::string_view repetitions = levels.take(size_t(head.repetition_bytes)),
                           definitions = levels.take(size_t(head.definition_bytes));
    PageHead rest = head;
    rest.uncompressed -= head.repetition_bytes + head.definition_bytes;
    const std::string_view packed = levels.take(levels.left());
    ParquetBytes bytes(packed.empty() ? packed : unpacked(rest, packed), where_);
    values(head, repetitions, definitions, bytes);
  }

  void append_levels(std::string_view bytes, size_t count, int most, std::vector<uint8_t>& to) {
    ParquetBytes from(bytes, where_);
    for (uint32_t level : from.runs(count, std::bit_width(unsigned(most)))) {
      require(int(level) <= most, where_, ": damaged: level ", level, " of ", most);
      to.push_back(uint8_t(level));
    }
  }

  void values(const PageHead& head, std::string_view repetitions, std::string_view definitions,
              ParquetBytes& bytes) {
    const size_t count = size_t(head.values), before = size_t(out_.entries);
    if (leaf_.repeated > 0) append_levels(repetitions, count, leaf_.repeated, out_.repetitions);
    size_t present = count;
    if (leaf_.definition > 0) {
      append_levels(definitions, count, leaf_.definition, out_.definitions);
      present = size_t(std::count(out_.definitions.begin() + int64_t(before),
                                  out_.definitions.end(), uint8_t(leaf_.definition)));
    }
    out_.entries += int64_t(count);
    if (present == 0) return;
    if (head.coding == plain) plain_values(bytes, present, out_);
    else if (head.coding == rle_dictionary || head.coding == plain_dictionary)
      from_dictionary(bytes, present);
    else other_values(head.coding, bytes, present);
  }

  void from_dictionary(ParquetBytes& bytes, size_t count) {
    const int width = int(bytes.little_endian(1));
    for (uint32_t index : bytes.runs(count, width)) {
      auto append = [&](auto& to, const auto& from) {
        require(index < from.size(), where_, ": damaged: entry ", index,
                " of a dictionary that has ", from.size());
        to.push_back(from[index]);
      };
      if (leaf_.type == ParquetType::bytes) append(out_.texts, dictionary_.texts);
      else if (leaf_.type == ParquetType::float32 || leaf_.type == ParquetType::float64)
        append(out_.reals, dictionary_.reals);
      else append(out_.integers, dictionary_.integers);
    }
  }

  size_t held() const { return out_.texts.size() + out_.integers.size() + out_.reals.size(); }

  void other_values(int64_t coding, ParquetBytes& bytes, size_t count) {
    using P = ParquetType;
    const bool whole = leaf_.type == P::int32 || leaf_.type == P::int64;
    const size_t before = held();
    if (coding == delta_packed && whole) {
      for (int64_t value : bytes.deltas(count)) out_.integers.push_back(value);
    } else if (coding == delta_length && leaf_.type == P::bytes) {
      for (std::string_view text : bytes.delta_lengths(count)) out_.texts.push_back(text);
    } else if (coding == delta_text && leaf_.type == P::bytes) {
      prefixed(bytes, count);
    } else if (coding == rle && leaf_.type == P::boolean) {
      ParquetBytes packed(bytes.take(size_t(bytes.little_endian(4))), where_);
      for (uint32_t truth : packed.runs(count, 1)) out_.integers.push_back(truth);
    } else if (coding == byte_split && leaf_.type != P::bytes && leaf_.type != P::boolean) {
      split_values(bytes, count);
    } else {
      fail(where_, ": values of encoding ", coding, " are not read; write the file with ",
           "pyarrow.parquet.write_table, which uses others");
    }
    require(held() - before == count, where_, ": damaged: a page with fewer values than it says");
  }

  // BYTE_STREAM_SPLIT: the first bytes of all numbers, then the second ones, and so on.
  void split_values(ParquetBytes& bytes, size_t count) {
    const bool four = leaf_.type == ParquetType::int32 || leaf_.type == ParquetType::float32;
    const size_t width = four ? 4 : 8;
    const std::string_view apart = bytes.take(count * width);
    std::string together(apart.size(), 0);
    for (size_t i = 0; i < count; ++i)
      for (size_t k = 0; k < width; ++k) together[i * width + k] = apart[k * count + i];
    ParquetBytes plain(together, where_);
    plain_values(plain, count, out_);
  }

  // DELTA_BYTE_ARRAY: how much of the text before each begins with, and what follows.
  void prefixed(ParquetBytes& bytes, size_t count) {
    const std::vector<int64_t> prefixes = bytes.deltas(count);
    const std::vector<std::string_view> rest = bytes.delta_lengths(count);
    require(prefixes.size() == rest.size(), where_, ": damaged: prefixes without texts");
    std::string last;
    for (size_t i = 0; i < rest.size(); ++i) {
      require(prefixes[i] >= 0 && uint64_t(prefixes[i]) <= last.size(), where_,
              ": damaged: a prefix of ", prefixes[i], " bytes");
      last = last.substr(0, size_t(prefixes[i])) + std::string(rest[i]);
      require((text_bytes_ += last.size()) <= most_, where_, ": more than ", most_,
              " bytes of text");
      out_.pages.push_back(last);
      out_.texts.push_back(out_.pages.back());
    }
  }

  void plain_values(ParquetBytes& bytes, size_t count, ParquetColumn& to) const {
    using P = ParquetType;
    if (leaf_.type == P::boolean) {
      const std::string_view packed = bytes.take((count + 7) / 8);
      for (size_t i = 0; i < count; ++i)
        to.integers.push_back(int64_t(packed_number(packed, i, 1)));
      return;
    }
    for (size_t i = 0; i < count; ++i) {
      if (leaf_.type == P::int32) to.integers.push_back(int32_t(bytes.little_endian(4)));
      else if (leaf_.type == P::int64) to.integers.push_back(int64_t(bytes.little_endian(8)));
      else if (leaf_.type == P::float32)
        to.reals.push_back(double(std::bit_cast<float>(uint32_t(bytes.little_endian(4)))));
      else if (leaf_.type == P::float64)
        to.reals.push_back(std::bit_cast<double>(bytes.little_endian(8)));
      else to.texts.push_back(bytes.take(size_t(bytes.little_endian(4))));
    }
  }

  const ParquetChunk& chunk_;
  const ParquetNode& leaf_;
  const std::string& where_;
  size_t most_, text_bytes_ = 0;
  ParquetColumn out_, dictionary_;
};

}  // namespace

ParquetColumn read_parquet_column(std::string_view file, const ParquetChunk& chunk,
                                  const ParquetNode& leaf, const std::string& where, size_t most) {
  require(chunk.other_codec.empty(), where, ": compressed with ", chunk.other_codec,
          ", which is not read; write the file with zstd, gzip, snappy or without compression");
  require(chunk.begin >= 4 && chunk.bytes >= 0 && uint64_t(chunk.begin) <= file.size() &&
              uint64_t(chunk.bytes) <= file.size() - uint64_t(chunk.begin),
          where, ": damaged: the column lies beyond the file's end");
  return ColumnReader(chunk, leaf, where, most)
      .read(file.substr(size_t(chunk.begin), size_t(chunk.bytes)));
}

}  // namespace afina
