// The values of one column in one row group of a Parquet file.
#pragma once
#include <deque>

#include "data/formats/parquet_file.h"
#include "engine/files/json_value.h"

namespace afina {

// A column taken apart: levels of each entry, and the values of the entries that have one. Texts
// lie in the pages, which are held.
struct ParquetColumn {
  std::vector<uint8_t> definitions, repetitions;  // empty where the column has one level alone
  int64_t entries = 0;
  std::vector<std::string_view> texts;
  std::vector<int64_t> integers;  // booleans too
  std::vector<double> reals;
  std::deque<std::string> pages;

  // The next entry, for who reads them in order.
  int64_t entry = 0;
  size_t value = 0;
  bool ended() const { return entry >= entries; }
  int definition(int most) const { return definitions.empty() ? most : definitions[size_t(entry)]; }
  int repetition() const { return repetitions.empty() ? 0 : repetitions[size_t(entry)]; }
};

// Reads all pages of a chunk. most: values and bytes of text expected at most. An Error that begins
// with `where` (file and column) for damage and for encodings that are not read.
ParquetColumn read_parquet_column(std::string_view file, const ParquetChunk& chunk,
                                  const ParquetNode& leaf, const std::string& where, size_t most);

}  // namespace afina
