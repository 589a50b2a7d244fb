// Files of records, whatever their kind: each kind (JSON, CSV, Parquet, ...) has a reader of its
// own in data/formats/, which registers itself and hands on one row after the other.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/encoding.h"
#include "engine/files/json_value.h"

namespace afina {

// One record as its file has it.
struct Row {
  Json json;          // an object with a member for each field
  std::string place;  // "train.jsonl, line 12"
  // The JSON text of the record, where the file has one: valid while the row is handed on. Keys
  // have another order there than in `json`, and numbers more digits.
  std::string_view source = {};
  std::string problem = {};  // why there is nothing in `json`; place included
  // Fields that the record has and that are not read, each with what it holds: "a date".
  const std::map<std::string, std::string>* unread = nullptr;
};
// Takes a row and tells whether more are wanted.
using TakeRow = std::function<bool(Row&& row)>;

// How a file of records is to be read.
struct FileOptions {
  TextEncoding encoding = TextEncoding::automatic;
  char delimiter = 0;      // of CSV and TSV; 0: as the file's name says
  std::string rows_field;  // of a JSON object: the member that holds the records; empty: found
  // Tells whether an object with these keys is a record, not something that holds records.
  std::function<bool(const std::vector<std::string>& keys)> is_record;
  size_t most_bytes = size_t(1) << 30;  // of the file, decompressed
};

// A kind of file. `read` gets the file's bytes, for a text as UTF-8, and calls `take` for each
// record until it says that no more are wanted. What is wrong with one record is a row with a
// problem; what is wrong with the file is an Error.
struct RowReader {
  std::string name;                  // "CSV"
  std::vector<std::string> endings;  // ".csv"
  std::string mark;                  // the bytes that such a file begins with; empty: any
  bool is_text;
  void (*read)(std::string_view bytes, const std::string& name, const FileOptions& options,
               const TakeRow& take);
};
// A static object of this type adds a kind.
struct RegisterReader {
  explicit RegisterReader(RowReader reader);
};

// The bytes of a file, decompressed; the ending of a compression (".gz") is taken off `name`.
std::string uncompressed(std::string bytes, std::string& name, size_t most);
// Calls `take` for each row of a file. kind: a name that ends as the file's does without
// compression. Errors: kinds of files that are not read, by their name.
void read_rows(std::string bytes, const std::string& kind, const std::string& name,
               const FileOptions& options, const TakeRow& take);
// An Error for what is known not to hold records or text (archives, web pages, ...), with the name
// of its kind and what to do.
void refuse_foreign(std::string_view bytes, const std::string& name);

}  // namespace afina
