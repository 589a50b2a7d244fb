// Reads training examples from files: JSONL, JSON and text, in the usual record formats.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "data/chat_template.h"
#include "engine/files/json_value.h"

namespace afina {

// One record: a conversation, or plain text (in which every token is a target).
struct Example {
  std::vector<Message> messages;  // empty for plain text
  std::string text;
  std::string place;                     // "train.jsonl, line 12", for error messages
  TemplateInput input = {};              // tools, and variables for the template
  std::vector<std::string> unread = {};  // keys of the record that nothing has read
  bool is_text() const { return messages.empty(); }
};

// Maps a format's field names to the names used in the file, e.g. {"prompt", "question"}. Fields
// that are not listed keep their names.
using FieldNames = std::map<std::string, std::string>;
// Parses "prompt=question,completion=answer". Throws on anything else.
FieldNames parse_fields(const std::string& text);

// How to read a file of records.
struct ExampleOptions {
  std::string format;  // empty: detected from the first record
  FieldNames fields;
  int64_t limit = -1;  // at most this many records; -1: all
};

// A record being read. Fields are addressed by the format's names. Errors give file, line, field,
// what was expected, what was found and what to do.
class Record {
 public:
  // `ordered` gives the record with the keys in the file's order, which templates write.
  Record(const Json& json, const FieldNames& fields, std::string place,
         std::function<OrderedJson()> ordered = {});
  bool has(const std::string& field) const;  // present and not null
  // The string, or array, in `field`. Throws if it is missing or of another type.
  std::string text(const std::string& field) const;
  std::string text_or(const std::string& field, const std::string& otherwise) const;
  const Json& list(const std::string& field) const;
  // The name of `field` in the file.
  std::string name(const std::string& field) const;
  const std::string& place() const { return place_; }
  // The member of this field with its keys in the file's order, not their bytes'.
  OrderedJson in_order(const std::string& field) const;
  [[noreturn]] void fail_field(const std::string& field, const std::string& expected,
                               const std::string& found) const;

 private:
  const Json& json_;
  const FieldNames& fields_;
  std::string place_;
  std::function<OrderedJson()> ordered_;
};

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

// Reads all records of a .jsonl or .json file (an array, or one record per line) or the documents
// of a .txt file. Throws if there is no record.
std::vector<Example> read_examples(const std::string& path, const ExampleOptions& options = {});
// The same from memory. `name` decides the kind of file by its ending and appears in errors.
std::vector<Example> parse_examples(const std::string& text, const std::string& name,
                                    const ExampleOptions& options = {});

}  // namespace afina
