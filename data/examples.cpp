// Reads training examples from files: detects the format, finds the fields, reports what is wrong.
#include "data/examples.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "data/documents.h"
#include "data/problems.h"
#include "engine/error.h"
#include "engine/files/atomic_file.h"
#include "engine/files/json.h"
#include "engine/nearest.h"

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

namespace {

// A list of tools or an object of variables; as the text of one, too, as Arrow's tables hold them.
OrderedJson parsed_if_text(const Record& record, const std::string& field,
                           OrderedJson::value_t kind, const char* expected) {
  if (!record.filled(field)) return {};
  OrderedJson value = record.in_order(field);
  if (value.is_string()) {
    try {
      parse_json(value.text(), field);  // strict, and not too deep
      value = OrderedJson::parse(value.text());
    } catch (const Error&) { record.fail_field(field, expected, "a text that is no JSON"); }
  }
  if (value.is_null()) return {};  // "null"
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
    if (example.input.tools.is_array()) {
      size_t i = 0;
      for (const OrderedJson& tool : example.input.tools.elements()) {
        if (!tool.is_object())
          record.fail_field("tools[" + std::to_string(i) + "]",
                            "an object that describes a function, as in {\"type\": \"function\", "
                            "\"function\": {...}}",
                            describe(Json(tool)));
        ++i;
      }
    }
    example.input.variables = parsed_if_text(record, "chat_template_kwargs", Kind::object,
                                             "an object of variables for the template");
    read.insert({"tools", "chat_template_kwargs"});
  }
  if (!example.is_text() && record.filled("functions"))
    record.fail_field("functions",
                      "nothing (functions are read from \"tools\", as "
                      "{\"type\": \"function\", \"function\": {...}})",
                      describe(json.at(record.name("functions"))));
  if (auto label = json.find("label");
      !example.is_text() && label != json.end() && *label == false && !read.count("label"))
    record.fail_field("label",
                      "true, or no label: false marks an answer that is not wanted (KTO), and it "
                      "would be trained like the others; leave such records out",
                      "false");
  for (auto& [key, value] : json.items())
    if (!value.is_null() && !(value.is_string() && value.text().empty()) && !read.count(key))
      example.unread.push_back(key);
}

// What to do about fields of no known format: the names that other tools and data sets have.
std::string advice_for(const Json& json) {
  auto first = [&](std::initializer_list<const char*> names) {
    for (const char* name : names)
      if (json.contains(name)) return std::string(name);
    return std::string();
  };
  if (json.contains("chosen") && json.contains("rejected"))
    return "These are preferences (chosen and rejected): one of the two answers is trained on with "
           "--fields, for example --fields prompt=prompt,completion=chosen";
  if (json.contains("role") && json.contains("content"))
    return "These are turns of a conversation: a record is a whole one, as in {\"messages\": "
           "[{\"role\": ..., \"content\": ...}, ...]}";
  const std::string turns =
      first({"conversation", "dialog", "dialogue", "dialogs", "chat", "turns"});
  if (!turns.empty()) return "Name them with --fields, for example --fields messages=" + turns;
  std::string prompt = first({"prompt", "question", "query", "instruction", "input", "problem"}),
              answer = first({"completion", "answer", "response", "output", "solution", "target"});
  if (prompt.empty() || answer.empty()) {
    prompt = "question";
    answer = "answer";
  }
  return "Name them with --fields, for example --fields prompt=" + prompt + ",completion=" + answer;
}

const RecordFormat& format_named(const std::string& name) {
  for (auto& format : record_formats())
    if (format.name == name) return format;
  fail("there is no record format \"", name, "\"; known are ", format_names());
}

const RecordFormat& format_of(const Record& record, const Json& json,
                              const ExampleOptions& options) {
  if (!options.format.empty()) return format_named(options.format);
  // A table has every column in every row, whatever is in it: first the formats whose fields hold
  // something, then those whose fields are there.
  for (const bool filled : {true, false})
    for (auto& format : record_formats()) {
      auto here = [&](const std::string& field) {
        if (!filled) return record.there(field);
        auto found = json.find(record.name(field));
        return found != json.end() && !found->is_null();
      };
      if (std::all_of(format.required.begin(), format.required.end(), here)) return format;
    }
  std::string known;
  for (auto& format : record_formats())
    known += "\n  " + format.name + ": " + joined(format.fields);
  fail(record.place(), ": the fields (", keys_of(json), ") are those of no known format:", known,
       "\n", advice_for(json));
}

void check_field_names(const RecordFormat& format, const FieldNames& names) {
  for (auto& [ours, theirs] : names)
    require(ours == "rows" ||
                std::find(format.fields.begin(), format.fields.end(), ours) != format.fields.end(),
            "--fields: the format ", format.name, " has no field \"", ours, "\"",
            did_you_mean(ours, format.fields), "; it has ", joined(format.fields));
}

bool is_blank(const std::string& text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

using TakeExample = std::function<void(Example&& example)>;

class RecordReader {
 public:
  RecordReader(const ExampleOptions& options, const TakeExample& give)
      : options_(options), give_(give) {}

  // False: no more are wanted.
  bool take(Row&& row) {
    if (full()) return false;
    Example example;
    if (row.problem.empty()) {
      try {
        read(row, example);
      } catch (const Error& error) { row.problem = error.what(); }
    }
    if (wrong_names_.empty() && format_ && !checked_) check_names();
    example.place = row.place;
    example.problem = std::move(row.problem);
    if (!example.problem.empty()) problems_.add(example.problem);
    ++count_;
    give_(std::move(example));
    return !full();
  }

  void finish(const std::string& name) const {
    require(wrong_names_.empty(), wrong_names_);
    require(count_ > 0 || options_.limit != 0, name,
            ": a limit of 0 records leaves none to read; give a higher limit, or none");
    require(count_ > 0, name, ": there is no record in it");
    require(format_ || no_format_.empty(), no_format_);
    require(problems_.none() || options_.keep_problems, problems_.summary(count_));
  }

 private:
  bool full() const {
    return !wrong_names_.empty() || (options_.limit >= 0 && count_ >= options_.limit);
  }

  // The first record that can be read determines the format: a file that mixes formats is more
  // likely a mistake.
  void read(const Row& row, Example& example) {
    const Record record(row, options_.fields);
    if (!format_) {
      try {
        format_ = &format_of(record, row.json, options_);
      } catch (const Error& error) {
        if (no_format_.empty()) no_format_ = error.what();
        throw;
      }
    }
    example = format_->read(record);
    read_beside_turns(record, *format_, row.json, example);
    if (row.unread)
      for (auto& [key, what] : *row.unread) example.unread.push_back(key);
    check(example, row.place);
  }

  // --fields that no format has are wrong whatever the records are.
  void check_names() {
    checked_ = true;
    try {
      check_field_names(*format_, options_.fields);
    } catch (const Error& error) { wrong_names_ = error.what(); }
  }

  void check(const Example& example, const std::string& place) const {
    if (example.is_text()) {
      require(!example.text.empty(), place, ": the text is empty");
      return;
    }
    bool answered = false;
    size_t empty = 0;
    for (size_t i = 0; i < example.messages.size(); ++i) {
      const Message& message = example.messages[i];
      if (message.role != "assistant") continue;
      const bool here = !is_blank(message.content) || message.more.is_object();
      answered |= here;
      if (!here && message.trained && empty == 0) empty = i + 1;
    }
    require(answered, place, ": there is no answer to learn from: no assistant turn with content");
    require(empty == 0, place, ": turn ", empty,
            " (assistant) has an empty answer; remove the turn, or mark it \"train\": false");
  }

  const ExampleOptions& options_;
  const RecordFormat* format_ = nullptr;
  bool checked_ = false;
  std::string no_format_, wrong_names_;
  Problems problems_;
  int64_t count_ = 0;
  const TakeExample& give_;
};

// Is an object with these keys a record? By the fields of the format that is named, or of any.
bool is_record(const std::vector<std::string>& keys, const ExampleOptions& options) {
  auto has = [&](const std::string& field) {
    auto named = options.fields.find(field);
    const std::string& key = named == options.fields.end() ? field : named->second;
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  for (auto& format : record_formats())
    if (options.format.empty() || options.format == format.name)
      if (std::all_of(format.required.begin(), format.required.end(), has)) return true;
  return false;
}

std::vector<Example> documents_of(const std::string& text, const std::string& name,
                                  const ExampleOptions& options) {
  require(options.format.empty() || options.format == "text", name,
          ": a .txt file holds plain text, not records of the format ", options.format);
  std::vector<Example> examples = split_documents(text, name);
  if (options.limit >= 0 && int64_t(examples.size()) > options.limit)
    examples.resize(size_t(options.limit));
  return examples;
}

bool is_plain_text(const std::string& name) {
  return name.ends_with(".txt") || name.ends_with(".TXT");
}

std::string checked_text(std::string bytes, const std::string& name, TextEncoding encoding) {
  std::string text = to_utf8(std::move(bytes), encoding, name);
  const size_t first = text.find_first_not_of(" \t\r\n");
  require(first != text.npos, name, ": the file is empty");
  if (const std::string fault = utf8_fault(text); !fault.empty()) {
    size_t line = 1;
    for (size_t at = 0; at < text.size(); ++line) {
      const size_t end = std::min(text.find('\n', at), text.size());
      const std::string words = utf8_fault(std::string_view(text).substr(at, end - at));
      require(words.empty(), name, ", line ", line, ": ", words);
      at = end + 1;
    }
    fail(name, ": ", fault);
  }
  return text;
}

}  // namespace

static void give_examples(std::string bytes, const std::string& name, const ExampleOptions& options,
                          const TakeExample& give) {
  if (!options.format.empty()) format_named(options.format);
  std::string kind = name;  // without .gz
  bytes = uncompressed(std::move(bytes), kind, options.most_bytes);
  if (is_plain_text(kind)) {
    for (Example& example :
         documents_of(checked_text(std::move(bytes), name, options.encoding), name, options))
      give(std::move(example));
    return;
  }
  RecordReader reader(options, give);
  FileOptions file{options.encoding, options.delimiter, "", {}, options.most_bytes};
  if (auto rows = options.fields.find("rows"); rows != options.fields.end())
    file.rows_field = rows->second;
  file.is_record = [&](const std::vector<std::string>& keys) { return is_record(keys, options); };
  read_rows(std::move(bytes), kind, name, file,
            [&](Row&& row) { return reader.take(std::move(row)); });
  reader.finish(name);
}

static std::vector<Example> examples_of(std::string bytes, const std::string& name,
                                        const ExampleOptions& options) {
  std::vector<Example> examples;
  give_examples(std::move(bytes), name, options,
                [&](Example&& example) { examples.push_back(std::move(example)); });
  return examples;
}

std::vector<Example> parse_examples(const std::string& text, const std::string& name,
                                    const ExampleOptions& options) {
  return examples_of(text, name, options);
}

static std::string bytes_of_file(const std::string& path) {
  std::error_code ignored;
  require(
      !std::filesystem::is_directory(path, ignored), path,
      ": is a folder; name a file of records in it. What the datasets library saved as a folder "
      "it writes as a file with load_from_disk(FOLDER).to_parquet(FILE)");
  return read_text_file(path);
}

std::vector<Example> read_examples(const std::string& path, const ExampleOptions& options) {
  return examples_of(bytes_of_file(path), path, options);
}

void each_example(const std::string& path, const ExampleOptions& options, const TakeExample& take) {
  give_examples(bytes_of_file(path), path, options, take);
}

std::string read_text(const std::string& path, TextEncoding encoding) {
  std::string name = path;
  return checked_text(uncompressed(read_text_file(path), name, size_t(1) << 30), path, encoding);
}

}  // namespace afina
