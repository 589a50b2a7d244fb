// JSON: strict reading, getters with clear errors.
#include "engine/files/json.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <unordered_set>

#include "engine/files/atomic_file.h"
#include "engine/files/json_library.h"
#include "engine/nearest.h"

namespace afina {

namespace {

// "where, line 3, column 7": columns count bytes from 1, as compilers do.
std::string place(std::string_view text, size_t position, const std::string& where,
                  const JsonLimits& limits) {
  position = std::min(position, text.size());
  int64_t line = limits.first_line;
  size_t start = 0;
  for (size_t i = 0; i < position; ++i)
    if (text[i] == '\n') {
      ++line;
      start = i + 1;
    }
  return where + ", line " + std::to_string(line) + ", column " +
         std::to_string(position - start + 1);
}

// Short and printable, whatever a stranger's file holds: the middle is cut out of what is long.
std::string excerpt(std::string_view text, size_t longest = 160) {
  std::string cut(text);
  if (cut.size() > longest)
    cut = cut.substr(0, longest / 2) + " ... " + cut.substr(cut.size() - longest / 2);
  std::string printable = Json(cut).dump(-1, ' ', true, Json::error_handler_t::replace);
  return printable.substr(1, printable.size() - 2);
}

// Finds, in text that is valid up to there, the bracket that opens level `depth` or (key > 0) the
// key-th key.
size_t locate(std::string_view text, int depth, size_t key) {
  int open = 0;
  size_t keys = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[' || text[i] == '{') {
      if (++open == depth) return i;
    } else if (text[i] == ']' || text[i] == '}') {
      --open;
    } else if (text[i] == '"') {
      size_t begin = i++;
      while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2 : 1;
      size_t next = text.find_first_not_of(" \t\r\n", i + 1);
      if (next != text.npos && text[next] == ':' && ++keys == key) return begin;
    }
  }
  return text.size();
}

// What people write where JSON has something else, at a position where the parser stopped; "" for
// anything else. The position moves to its beginning.
std::string not_json(std::string_view text, size_t& position) {
  auto in_word = [&](size_t i) {
    const char c = text[i];
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '_';
  };
  if (position >= text.size()) return "";
  size_t begin = position, end = position;
  while (begin > 0 && position - begin < 12 && in_word(begin - 1)) --begin;
  while (end < text.size() && end - begin < 12 && in_word(end)) ++end;
  const std::string_view word = text.substr(begin, end - begin);
  for (const char* number : {"NaN", "nan", "Infinity", "-Infinity", "-NaN", "inf", "-inf"})
    if (word == number) {
      position = begin;
      return std::string(word) +
             ", which Python writes for a number that has no value, is not part of JSON: write "
             "null or leave the key out (json.dumps(..., allow_nan=False) finds them)";
    }
  for (const char* name : {"None", "True", "False", "undefined"})
    if (word == name) {
      position = begin;
      return std::string(word) +
             " is not part of JSON: expected null, true or false (json.dumps writes them)";
    }
  if (text[position] == '\'')
    return "a single quote: JSON has double quotes; text that Python printed has to be written "
           "with json.dumps";
  if ((text[position] == '}' || text[position] == ']') && position > 0) {
    const size_t before = text.find_last_not_of(" \t\r\n", position - 1);
    if (before != text.npos && text[before] == ',')
      return "a comma before a closing bracket; remove it";
  }
  if (text[position] == '/' || text[position] == '#') return "JSON has no comments; remove it";
  return "";
}

// Builds the value from the parser's events. The library's own builder knows neither keys given
// twice nor a limit of depth. What is wrong is noted and the parser stopped: a throw through its
// frames would cost more than the parsing.
class Builder : public JsonEvents {
 public:
  Builder(std::string_view text, const std::string& where, const JsonLimits& limits)
      : text_(text), where_(where), limits_(limits) {}
  Json root;
  std::string wrong;  // what stopped the parser; "" if nothing did

  bool value(Json value) override {
    if (open_.empty()) root = std::move(value);
    else if (open_.back().is_object) open_.back().members.back().second = std::move(value);
    else open_.back().elements.push_back(std::move(value));
    return true;
  }
  bool real(double number, const std::string& digits) override {
    return limits_.exact_numbers ? value(digits) : value(number);
  }
  bool open(bool is_object) override {
    if (int(open_.size()) >= limits_.depth)
      return stop(locate(text_, limits_.depth + 1, 0),
                  ": nested deeper than " + std::to_string(limits_.depth) + " levels");
    open_.emplace_back().is_object = is_object;
    return true;
  }
  bool key(std::string& name) override {
    ++keys_;
    Open& object = open_.back();
    // Looking for the place is work: only once it is needed.
    if (!object.keys.insert(name).second)
      return stop(locate(text_, -1, keys_),
                  ": the key '" + excerpt(name) + "' is given twice in one object");
    object.members.push_back({std::move(name), nullptr});
    return true;
  }
  bool close() override {
    Open last = std::move(open_.back());
    open_.pop_back();
    return value(last.is_object ? Json(std::move(last.members)) : Json(std::move(last.elements)));
  }
  void invalid(size_t position, const std::string& error) override {
    std::string words = error;
    // "[json.exception.parse_error.101] parse error at line 1, column 2: what is wrong": the place
    // is told in our own way.
    size_t start = words.find("] ");
    if (size_t column = words.find(", column "); column != words.npos)
      start = words.find(": ", column);
    if (start != words.npos) words = words.substr(start + 2);
    if (position > 0) --position;
    if (const std::string known = not_json(text_, position); !known.empty()) words = known;
    stop(position, ": not valid JSON: " + excerpt(words, 240));
  }

 private:
  bool stop(size_t position, const std::string& words) {
    wrong = place(text_, position, where_, limits_) + words;
    return false;
  }

  // An object or array whose end was not read yet.
  struct Open {
    bool is_object = false;
    Json::object_t members;
    Json::array_t elements;
    std::unordered_set<std::string> keys;
  };
  std::string_view text_;
  const std::string& where_;
  const JsonLimits& limits_;
  std::vector<Open> open_;
  size_t keys_ = 0;
};

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

void require_object(const Json& object, const std::string& where) {
  require(object.is_object(), where, ": expected an object, found ", describe(object));
}

}  // namespace

Json parse_json(std::string_view text, const std::string& where, const JsonLimits& limits) {
  require(text.size() <= limits.bytes, where, ": ", text.size(),
          " bytes of JSON are more than the ", limits.bytes, " expected at most");
  Builder builder(text, where, limits);
  parse_events(text, builder);
  if (!builder.wrong.empty()) fail(builder.wrong);
  return std::move(builder.root);
}

Json parse_json_file(const std::string& path, const JsonLimits& limits) {
  std::error_code failed;
  const std::filesystem::file_status status =
      std::filesystem::status(path, failed);  // opening a pipe would wait for whoever writes to it
  require(failed || !std::filesystem::exists(status) || std::filesystem::is_regular_file(status),
          path, ": is ", std::filesystem::is_directory(status) ? "a folder" : "a pipe or device",
          "; expected a regular file");
  return parse_json(read_text_file(path, limits.bytes), path, limits);
}

std::string to_text(const Json& value, int indent) {
  try {
    return value.dump(indent);
  } catch (const JsonError& error) {
    const std::string words = error.what();  // "[json.exception.type_error.316] invalid ..."
    const size_t name = words.starts_with("[") ? words.find("] ") : words.npos;
    fail("cannot be written as JSON: ", name == words.npos ? words : words.substr(name + 2));
  }
}

std::string kind_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null: return "null";
    case Json::value_t::object: return "an object";
    case Json::value_t::array: return "an array";
    case Json::value_t::string: return "a string";
    case Json::value_t::boolean: return "a truth value";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned: return "an integer";
    case Json::value_t::number_float: return "a number";
  }
  return "";
}

std::string describe(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_object() || value.is_array())
    return kind_of(value) + " of " + std::to_string(value.size());
  if (value.is_string()) return "the string \"" + excerpt(value.text(), 60) + "\"";
  return value.dump();
}

const Json* find_member(const Json& object, const std::string& key, const std::string& where) {
  require_object(object, where);
  auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const Json& member(const Json& object, const std::string& key, const std::string& where) {
  require_object(object, where);
  auto found = object.find(key);
  if (found == object.end())
    fail(where, ": '", key, "' is missing", did_you_mean(key, keys_of(object)));
  return *found;
}

void check_known_keys(const Json& object, const std::vector<std::string>& known,
                      const std::string& where) {
  require_object(object, where);
  for (auto& [key, value] : object.items()) {
    bool found = std::find(known.begin(), known.end(), key) != known.end();
    if (!found) fail(where, ": unknown key '", excerpt(key), "'", did_you_mean(key, known));
  }
}

namespace json_detail {

void wrong_kind(const Json& value, const char* expected, const std::string& key,
                const std::string& where) {
  fail(where, ": '", key, "' should be ", expected, ", found ", describe(value));
}

int64_t integer(const Json& value, int64_t least, int64_t most, const std::string& key,
                const std::string& where) {
  int64_t result = 0;
  bool fits = true;
  if (value.is_number_unsigned()) {
    fits = value.get<uint64_t>() <= uint64_t(INT64_MAX);
    result = int64_t(value.get<uint64_t>());
  } else if (value.is_number_integer()) {
    result = value.get<int64_t>();
  } else {
    // Python writes 16.0 where it divided; up to 2^53 it is the integer it looks like.
    double number = value.is_number_float() ? value.get<double>() : 0.5;
    if (std::trunc(number) != number) wrong_kind(value, "an integer", key, where);
    fits = std::fabs(number) <= 0x1p53;
    result = fits ? int64_t(number) : 0;
  }
  require(fits && result >= least && result <= most, where, ": '", key,
          "' should be an integer from ", least, " to ", most, ", found ", describe(value));
  return result;
}

bool truth(const Json& value, const std::string& key, const std::string& where) {
  if (!value.is_boolean()) wrong_kind(value, "true or false", key, where);
  return value.get<bool>();
}
double number(const Json& value, const std::string& key, const std::string& where) {
  if (!value.is_number()) wrong_kind(value, "a number", key, where);
  return value.get<double>();
}
const std::string& text(const Json& value, const std::string& key, const std::string& where) {
  if (!value.is_string()) wrong_kind(value, "a string", key, where);
  return value.text();
}
const Json::array_t& elements(const Json& value, const std::string& key, const std::string& where) {
  if (!value.is_array()) wrong_kind(value, "an array", key, where);
  return value.elements();
}

}  // namespace json_detail

}  // namespace afina
