// Training examples from files: JSONL, JSON and text, in the formats that are about.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "data/chat_template.h"
#include "engine/files/json_value.h"

namespace afina {

// One record: a conversation, or plain text (then every token is a target).
struct Example {
  std::vector<Message> messages;  // empty for plain text
  std::string text;
  std::string place;  // "train.jsonl, line 12": for error messages
  bool is_text() const { return messages.empty(); }
};

// What the fields of a format are called in a file: {"prompt", "question"}. A field that is not
// named is called as the format has it.
using FieldNames = std::map<std::string, std::string>;
// From "prompt=question,completion=answer".
FieldNames parse_fields(const std::string& text);

struct ExampleOptions {
  std::string format;  // empty: detected from the first record
  FieldNames fields;
  int64_t limit = -1;  // at most so many records
};

// A record while it is read: its fields by the format's names, errors with file, line, field,
// expected, found and what to do.
class Record {
 public:
  Record(const Json& json, const FieldNames& fields, std::string place);
  bool has(const std::string& field) const;  // present and not null
  std::string text(const std::string& field) const;
  std::string text_or(const std::string& field, const std::string& otherwise) const;
  const Json& list(const std::string& field) const;
  // The name a field has in the file.
  std::string name(const std::string& field) const;
  const std::string& place() const { return place_; }
  [[noreturn]] void fail_field(const std::string& field, const std::string& expected,
                               const std::string& found) const;

 private:
  const Json& json_;
  const FieldNames& fields_;
  std::string place_;
};

// A format of records; one file each (data/formats/*.cpp), registered by itself.
struct RecordFormat {
  std::string name;
  std::vector<std::string> fields;    // all it knows
  std::vector<std::string> required;  // those by which it is detected
  Example (*read)(const Record& record);
};
struct RegisterFormat {
  explicit RegisterFormat(RecordFormat format);
};
// In order of their names.
const std::vector<RecordFormat>& record_formats();

// All records of a file: .jsonl, .json (an array, or lines), .txt (documents). Empty files and
// files without records are errors.
std::vector<Example> read_examples(const std::string& path, const ExampleOptions& options = {});
// The same from memory; `name` decides the kind by its ending and is for error messages.
std::vector<Example> parse_examples(const std::string& text, const std::string& name,
                                    const ExampleOptions& options = {});

}  // namespace afina
