// Reads training examples from files (data/rows.h lists their kinds), in the usual record formats.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "data/chat_template.h"
#include "data/rows.h"

namespace afina {

// One record: a conversation, or plain text (in which every token is a target).
struct Example {
  std::vector<Message> messages;  // empty for plain text
  std::string text;
  std::string place;                     // "train.jsonl, line 12", for error messages
  TemplateInput input = {};              // tools, and variables for the template
  std::vector<std::string> unread = {};  // keys of the record that nothing has read
  std::string problem = {};  // why nothing was read of this record, place included; else empty
  bool is_text() const { return messages.empty(); }
};

// Maps a format's field names to the names used in the file, e.g. {"prompt", "question"}. Fields
// that are not listed keep their names. "rows" is the member of a JSON object that holds the
// records.
using FieldNames = std::map<std::string, std::string>;
// Parses "prompt=question,completion=answer". Throws on anything else.
FieldNames parse_fields(const std::string& text);
// The part of --fields that is for this file: "prompt=question;b.jsonl:prompt=text" has names for
// all files and, after a ';', for one, which is called by its path or its name. The second wins.
// only_named: without those for all files.
FieldNames fields_for(const std::string& text, const std::string& path, bool only_named = false);
// An Error for --fields that name a file which is none of `paths`.
void check_field_files(const std::string& text, const std::vector<std::string>& paths);

// How to read a file of records.
struct ExampleOptions {
  std::string format;  // empty: detected from the first record
  FieldNames fields;
  int64_t limit = -1;  // at most this many records; -1: all
  TextEncoding encoding = TextEncoding::automatic;
  char delimiter = 0;  // of CSV and TSV; 0: as the file's name says
  // Records that cannot be read become examples with a problem, so that one error may name them
  // with all others (make_samples), or they can be left out. Else they are an Error.
  bool keep_problems = false;
  size_t most_bytes = size_t(1) << 30;  // of a file, decompressed
};

// A record being read. Fields are addressed by the format's names. Errors give file, line, field,
// what was expected, what was found and what to do.
class Record {
 public:
  // Keeps references.
  Record(const Row& row, const FieldNames& fields);
  bool there(const std::string& field) const;   // present, be it null or of a kind that is not read
  bool has(const std::string& field) const;     // present and not null
  bool filled(const std::string& field) const;  // the same, and no empty text
  bool says(const std::string& field) const;    // the same, and more than white space
  // The text in `field`; of a number what the file has. Throws if it is missing or of another type.
  std::string text(const std::string& field) const;
  std::string text_or(const std::string& field, const std::string& otherwise) const;
  // The array in `field`, or in the JSON text in it, as tables hold arrays.
  const Json& list(const std::string& field) const;
  bool is_list(const std::string& field) const;
  // The same with floating-point numbers as the texts that the file has: 1.50 is "1.50".
  const Json& exact(const std::string& field) const;
  // The name of `field` in the file.
  std::string name(const std::string& field) const;
  bool named(const std::string& field) const { return fields_.count(field) > 0; }
  const std::string& place() const { return row_.place; }
  // The member of this field with its keys in the file's order, not their bytes'.
  OrderedJson in_order(const std::string& field) const;
  // keys: of the object in which the field is missing; nullptr: the record's.
  [[noreturn]] void fail_field(const std::string& field, const std::string& expected,
                               const std::string& found, const Json* keys = nullptr) const;

 private:
  const Json* find(const std::string& field) const;
  const Row& row_;
  const FieldNames& fields_;
  mutable std::map<std::string, Json> parsed_, exact_;  // lists that were texts; exact()
};
// A text, or a number as it is in the file; else an Error of `record`. `exact` gives the value of
// Record::exact for it, and is called for a number with a point or an exponent.
std::string text_of(const Record& record, const std::string& field, const Json& value,
                    const std::function<Json()>& exact);

// A record format. Each has its own file (data/formats/*.cpp) that registers it.
struct RecordFormat {
  std::string name;
  std::vector<std::string> fields;    // all fields it knows
  std::vector<std::string> required;  // fields whose presence identifies the format
  Example (*read)(const Record& record);
};
// A static object of this type adds a format.
struct RegisterFormat {
  explicit RegisterFormat(RecordFormat format);
};
// All formats, sorted by name.
const std::vector<RecordFormat>& record_formats();

// Reads all records of a file, or the documents of a .txt file; gzip and zstd are unpacked. Throws
// if there is no record, or none of a known format.
std::vector<Example> read_examples(const std::string& path, const ExampleOptions& options = {});
// The same, one record after the other, so that they need not all be held at once: calls `take` for
// each, in the file's order.
void each_example(const std::string& path, const ExampleOptions& options,
                  const std::function<void(Example&& example)>& take);
// The same from memory. `name` decides the kind of file by its ending and appears in errors.
std::vector<Example> parse_examples(const std::string& text, const std::string& name,
                                    const ExampleOptions& options = {});
// The text of a file of text, decompressed and as UTF-8: what a .txt file is read from.
std::string read_text(const std::string& path, TextEncoding encoding = TextEncoding::automatic);

}  // namespace afina
