// Reads training examples from files: detects the format, finds the fields, reports what is wrong.
#include "data/examples.h"

#include <algorithm>
#include <set>

#include "data/documents.h"
#include "engine/error.h"
#include "engine/files/atomic_file.h"
#include "engine/files/json.h"

namespace afina {

namespace {

std::vector<RecordFormat>& formats() {
  static std::vector<RecordFormat> all;
  return all;
}

std::string keys_of(const Json& json) {
  std::string text;
  for (auto& [key, value] : json.items()) text += (text.empty() ? "" : ", ") + key;
  return text.empty() ? "none" : text;
}

template <class List>
std::string joined(const List& list) {
  std::string text;
  for (auto& one : list) text += (text.empty() ? "" : ", ") + one;
  return text;
}

std::string format_names() {
  std::string text;
  for (auto& format : record_formats()) text += (text.empty() ? "" : ", ") + format.name;
  return text;
}

}  // namespace

RegisterFormat::RegisterFormat(RecordFormat format) {
  auto place = std::find_if(formats().begin(), formats().end(),
                            [&](auto& other) { return other.name > format.name; });
  formats().insert(place, std::move(format));
}

const std::vector<RecordFormat>& record_formats() { return formats(); }

FieldNames parse_fields(const std::string& text) {
  FieldNames names;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find(',', begin), text.size());
    std::string one = text.substr(begin, end - begin);
    size_t equals = one.find('=');
    require(equals != one.npos && equals > 0 && equals + 1 < one.size(),
            "--fields: expected name=name,..., for example ",
            "prompt=question,completion=answer; found \"", one, "\"");
    require(names.emplace(one.substr(0, equals), one.substr(equals + 1)).second, "--fields: \"",
            one.substr(0, equals), "\" is given twice");
    begin = end + 1;
  }
  return names;
}

Record::Record(const Json& json, const FieldNames& fields, std::string place,
               std::function<OrderedJson()> ordered)
    : json_(json), fields_(fields), place_(std::move(place)), ordered_(std::move(ordered)) {
  require(json.is_object(), place_, ": expected an object, found ", describe(json));
}

std::string Record::name(const std::string& field) const {
  auto found = fields_.find(field);
  return found == fields_.end() ? field : found->second;
}

bool Record::has(const std::string& field) const {
  auto found = json_.find(name(field));
  return found != json_.end() && !found->is_null();
}

void Record::fail_field(const std::string& field, const std::string& expected,
                        const std::string& found) const {
  std::string called = name(field) == field ? "" : " (called \"" + name(field) + "\" by --fields)";
  fail(place_, ": field \"", field, "\"", called, ": expected ", expected, ", found ", found,
       "; the record's fields are: ", keys_of(json_));
}

std::string Record::text(const std::string& field) const {
  if (!has(field)) fail_field(field, "a string", "nothing");
  const Json& value = json_.at(name(field));
  if (!value.is_string()) fail_field(field, "a string", describe(value));
  return value.get<std::string>();
}

std::string Record::text_or(const std::string& field, const std::string& otherwise) const {
  return has(field) ? text(field) : otherwise;
}

const Json& Record::list(const std::string& field) const {
  if (!has(field)) fail_field(field, "an array", "nothing");
  const Json& value = json_.at(name(field));
  if (!value.is_array()) fail_field(field, "an array", describe(value));
  return value;
}

OrderedJson Record::in_order(const std::string& field) const {
  const Json& sorted = json_.at(name(field));
  return ordered_ ? ordered_().at(name(field)) : OrderedJson(sorted);
}

namespace {

// A list of tools or an object of variables; as the text of one, too, as Arrow's tables hold them.
OrderedJson parsed_if_text(const Record& record, const std::string& field,
                           OrderedJson::value_t kind, const char* expected) {
  if (!record.has(field)) return {};
  OrderedJson value = record.in_order(field);
  if (value.is_string()) {
    try {
      parse_json(value.text(), field);  // strict, and not too deep
      value = OrderedJson::parse(value.text());
    } catch (const Error&) { record.fail_field(field, expected, "a text that is no JSON"); }
  }
  if (value.type() != kind) record.fail_field(field, expected, describe(Json(value)));
  return value;
}

// What goes to the template beside the turns, and the keys that nothing reads.
void read_beside_turns(const Record& record, const RecordFormat& format, const Json& json,
                       Example& example) {
  std::set<std::string> read;
  for (const std::string& field : format.fields) read.insert(record.name(field));
  if (!example.is_text()) {
    using Kind = OrderedJson::value_t;
    example.input.tools = parsed_if_text(record, "tools", Kind::array, "an array of functions");
    example.input.variables = parsed_if_text(record, "chat_template_kwargs", Kind::object,
                                             "an object of variables for the template");
    read.insert({"tools", "chat_template_kwargs"});
  }
  if (!example.is_text() && record.has("functions"))
    record.fail_field("functions",
                      "nothing (functions are read from \"tools\", as "
                      "{\"type\": \"function\", \"function\": {...}})",
                      describe(json.at(record.name("functions"))));
  for (auto& [key, value] : json.items())
    if (!value.is_null() && !read.count(key)) example.unread.push_back(key);
}

const RecordFormat& format_named(const std::string& name) {
  for (auto& format : record_formats())
    if (format.name == name) return format;
  fail("there is no record format \"", name, "\"; known are ", format_names());
}

const RecordFormat& format_of(const Record& record, const Json& json,
                              const ExampleOptions& options) {
  if (!options.format.empty()) return format_named(options.format);
  for (auto& format : record_formats()) {
    bool here = std::all_of(format.required.begin(), format.required.end(),
                            [&](auto& field) { return record.has(field); });
    if (here) return format;
  }
  std::string known;
  for (auto& format : record_formats())
    known += "\n  " + format.name + ": " + joined(format.fields);
  fail(record.place(), ": the fields (", keys_of(json), ") are those of no known format:", known,
       "\nName them with --fields, for example --fields prompt=question,completion=answer");
}

void check_field_names(const RecordFormat& format, const FieldNames& names) {
  for (auto& [ours, theirs] : names)
    require(std::find(format.fields.begin(), format.fields.end(), ours) != format.fields.end(),
            "--fields: the format ", format.name, " has no field \"", ours, "\"; it has ",
            joined(format.fields));
}

class RecordReader {
 public:
  RecordReader(const std::string& name, const ExampleOptions& options)
      : name_(name), options_(options) {}

  bool full() const { return options_.limit >= 0 && int64_t(examples_.size()) >= options_.limit; }

  // The first record determines the format: a file that mixes formats is more likely a mistake.
  void add(const Json& json, const std::string& place, std::function<OrderedJson()> ordered) {
    Record record(json, options_.fields, place, std::move(ordered));
    if (!format_) {
      format_ = &format_of(record, json, options_);
      check_field_names(*format_, options_.fields);
    }
    Example example = format_->read(record);
    example.place = place;
    read_beside_turns(record, *format_, json, example);
    check(example);
    examples_.push_back(std::move(example));
  }

  void lines(std::string_view text) {
    int64_t line = 0;
    for (size_t begin = 0; begin < text.size() && !full();) {
      size_t end = std::min(text.find('\n', begin), text.size());
      std::string_view one = text.substr(begin, end - begin);
      begin = end + 1;
      ++line;
      if (one.find_first_not_of(" \t\r") == one.npos) continue;
      JsonLimits limits;
      limits.first_line = line;
      add(parse_json(one, name_, limits), name_ + ", line " + std::to_string(line),
          [=] { return OrderedJson::parse(one); });
    }
  }

  void array(const Json& json, std::string_view text) {
    OrderedJson whole;  // parsed when a record asks for it
    for (size_t i = 0; i < json.size() && !full(); ++i)
      add(json[i], name_ + ", record " + std::to_string(i + 1), [&whole, text, i] {
        if (whole.is_null()) whole = OrderedJson::parse(text);
        return whole[i];
      });
  }

  std::vector<Example> result() {
    require(!examples_.empty(), name_, ": there is no record in it");
    return std::move(examples_);
  }

 private:
  void check(const Example& example) const {
    if (example.is_text()) {
      require(!example.text.empty(), example.place, ": the text is empty");
      return;
    }
    bool answered = false;
    for (auto& message : example.messages)
      answered |= message.role == "assistant" &&
                  (!message.content.empty() || message.more.contains("tool_calls"));
    require(answered, example.place,
            ": there is no answer to learn from: no assistant turn with content");
  }

  const std::string& name_;
  const ExampleOptions& options_;
  const RecordFormat* format_ = nullptr;
  std::vector<Example> examples_;
};

}  // namespace

std::vector<Example> parse_examples(const std::string& text, const std::string& name,
                                    const ExampleOptions& options) {
  if (!options.format.empty()) format_named(options.format);
  RecordReader reader(name, options);
  size_t first = text.find_first_not_of(" \t\r\n");
  require(first != text.npos, name, ": the file is empty");
  if (name.ends_with(".txt")) {
    require(options.format.empty() || options.format == "text", name,
            ": a .txt file holds plain text, not records of the format ", options.format);
    std::vector<Example> examples = split_documents(text, name);
    if (options.limit >= 0 && int64_t(examples.size()) > options.limit)
      examples.resize(size_t(options.limit));
    return examples;
  }
  if (text[first] == '[') {
    JsonLimits limits;
    limits.bytes = size_t(1) << 30;
    reader.array(parse_json(text, name, limits), text);
  } else {
    reader.lines(text);
  }
  return reader.result();
}

std::vector<Example> read_examples(const std::string& path, const ExampleOptions& options) {
  return parse_examples(read_text_file(path), path, options);
}

}  // namespace afina
