// What a Parquet file says of itself: its columns, and where the parts of each lie (Apache Parquet,
// parquet.thrift).
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/compression.h"

namespace afina {

// Physical types, as the format numbers them.
enum class ParquetType : uint8_t { boolean, int32, int64, int96, float32, float64, bytes, fixed };

// A column, or a group of columns.
struct ParquetNode {
  std::string name;
  int repetition = 0;  // 0: a value always, 1: or null, 2: any number of values
  bool is_list = false;
  std::vector<ParquetNode> children;  // none: a leaf
  // Levels that a value of this node has (Dremel): how many of the optional and repeated nodes on
  // the way down to it are there, how many of them repeat.
  int definition = 0, repeated = 0;
  size_t first_leaf = 0, leaves = 0;  // among all leaves, in order
  ParquetType type = ParquetType::boolean;
  bool is_text = false, is_unsigned = false;
  std::string unreadable;  // why values of this kind are not read; of a group, one of its leaves
};

// Where a leaf's values in one row group lie.
struct ParquetChunk {
  Compression compression = Compression::none;
  std::string other_codec;  // the name of a compression that is not read
  int64_t values = 0, begin = 0, bytes = 0;
};
struct ParquetGroup {
  int64_t rows = 0;
  std::vector<ParquetChunk> chunks;  // of each leaf
};

struct ParquetFile {
  ParquetNode root;
  std::vector<const ParquetNode*> leaves;  // of `root`, which must not move
  std::vector<ParquetGroup> groups;
};

// An Error that begins with `name` for what is damaged, encrypted or inconsistent.
std::unique_ptr<ParquetFile> read_parquet_footer(std::string_view bytes, const std::string& name);

}  // namespace afina
