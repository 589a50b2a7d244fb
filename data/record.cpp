// A record being read: fields by the format's names, and errors that say what to do.
#include <algorithm>

#include "data/examples.h"
#include "engine/error.h"
#include "engine/files/json.h"
#include "engine/nearest.h"

namespace afina {

namespace {

std::vector<std::string> keys_of(const Json& json) {
  std::vector<std::string> keys;
  for (auto& [key, value] : json.items()) keys.push_back(key);
  return keys;
}

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (auto& one : list) text += (text.empty() ? "" : ", ") + one;
  return text.empty() ? "none" : text;
}

// What is wrong with a text that should have been an array in JSON.
std::string why_no_array(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos || text[first] != '[') return describe(Json(text));
  if (const size_t inner = text.find_first_not_of(" [{\t\r\n", first); text[inner] == '\'')
    return "a list as Python prints it, with single quotes; write such columns with json.dumps";
  return "a text that is no JSON, " + describe(Json(text));
}

}  // namespace

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

namespace {

// A part of --fields: names, and the file they are for; empty: all.
struct FieldPart {
  std::string file, names;
};

std::vector<FieldPart> parts_of(const std::string& text) {
  std::vector<FieldPart> parts;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(';', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const size_t colon = part.rfind(':', part.find('='));
    if (colon == part.npos) parts.push_back({"", part});
    else parts.push_back({part.substr(0, colon), part.substr(colon + 1)});
    begin = end + 1;
  }
  return parts;
}

bool is_called(const std::string& path, const std::string& file) {
  return path == file || path.substr(path.rfind('/') + 1) == file;
}

}  // namespace

FieldNames fields_for(const std::string& text, const std::string& path, bool only_named) {
  FieldNames all, own;
  for (const FieldPart& part : parts_of(text)) {
    if (part.file.empty() ? only_named : !is_called(path, part.file)) continue;
    for (auto& [ours, theirs] : parse_fields(part.names))
      require((part.file.empty() ? all : own).emplace(ours, theirs).second, "--fields: \"", ours,
              "\" is given twice", part.file.empty() ? "" : " for " + part.file);
  }
  own.insert(all.begin(), all.end());
  return own;
}

void check_field_files(const std::string& text, const std::vector<std::string>& paths) {
  std::vector<std::string> known;
  for (const std::string& path : paths) known.push_back(path.substr(path.rfind('/') + 1));
  for (const FieldPart& part : parts_of(text)) {
    parse_fields(part.names);
    const bool found =
        part.file.empty() || std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
          return is_called(path, part.file);
        });
    require(found, "--fields: \"", part.file, "\" is none of the files that are read",
            did_you_mean(part.file, known), ": ", joined(known));
  }
}

Record::Record(const Row& row, const FieldNames& fields) : row_(row), fields_(fields) {
  require(row.json.is_object(), row.place, ": expected an object, found ", describe(row.json));
}

std::string Record::name(const std::string& field) const {
  auto found = fields_.find(field);
  return found == fields_.end() ? field : found->second;
}

const Json* Record::find(const std::string& field) const {
  if (row_.unread)
    if (auto what = row_.unread->find(name(field)); what != row_.unread->end())
      fail_field(field, "text", what->second + ", which is not read: write the column as text");
  auto found = row_.json.find(name(field));
  return found == row_.json.end() || found->is_null() ? nullptr : &*found;
}

bool Record::there(const std::string& field) const {
  return row_.json.contains(name(field)) || (row_.unread && row_.unread->count(name(field)));
}

bool Record::has(const std::string& field) const { return find(field) != nullptr; }

bool Record::filled(const std::string& field) const {
  const Json* value = find(field);
  return value && !(value->is_string() && value->text().empty());
}

bool Record::says(const std::string& field) const {
  const Json* value = find(field);
  return value &&
         !(value->is_string() && value->text().find_first_not_of(" \t\r\n") == std::string::npos);
}

void Record::fail_field(const std::string& field, const std::string& expected,
                        const std::string& found, const Json* keys) const {
  std::string called;
  if (name(field) != field) {
    called = " (called \"" + name(field) + "\" by --fields)";
    if (!row_.json.contains(name(field))) called += did_you_mean(name(field), keys_of(row_.json));
  }
  fail(place(), ": field \"", field, "\"", called, ": expected ", expected, ", found ", found,
       keys ? "; its keys are: " : "; the record's fields are: ",
       joined(keys_of(keys ? *keys : row_.json)));
}

std::string text_of(const Record& record, const std::string& field, const Json& value,
                    const std::function<Json()>& exact) {
  if (value.is_string()) return value.text();
  if (value.is_number_integer()) return value.dump();
  if (value.is_number()) {
    const Json digits = exact();
    return digits.is_string() ? digits.text() : digits.dump();
  }
  record.fail_field(field, "a string",
                    value.is_boolean() ? describe(value) +
                                             " (write it as a string: which words "
                                             "are meant is not guessed)"
                                       : describe(value));
}

std::string Record::text(const std::string& field) const {
  const Json* value = find(field);
  if (!value) fail_field(field, "a string", "nothing");
  return text_of(*this, field, *value, [&] { return exact(field); });
}

std::string Record::text_or(const std::string& field, const std::string& otherwise) const {
  return has(field) ? text(field) : otherwise;
}

bool Record::is_list(const std::string& field) const {
  const Json* value = find(field);
  return value && value->is_array();
}

const Json& Record::list(const std::string& field) const {
  const Json* value = find(field);
  if (!value) fail_field(field, "an array", "nothing");
  if (value->is_array()) return *value;
  if (!value->is_string()) fail_field(field, "an array", describe(*value));
  Json& list = parsed_[field];
  if (list.is_array()) return list;
  try {
    list = parse_json(value->text(), place());
  } catch (const Error&) { fail_field(field, "an array", why_no_array(value->text())); }
  if (!list.is_array()) fail_field(field, "an array", describe(*value));
  return list;
}

const Json& Record::exact(const std::string& field) const {
  auto [found, fresh] = exact_.try_emplace(field);
  if (!fresh) return found->second;
  const Json* value = find(field);
  const bool nested = value && value->is_string();
  JsonLimits limits;
  limits.exact_numbers = true;
  if (nested) found->second = parse_json(value->text(), place(), limits);
  else if (row_.source.empty()) found->second = value ? *value : Json();
  else found->second = parse_json(row_.source, place(), limits).at(name(field));
  return found->second;
}

OrderedJson Record::in_order(const std::string& field) const {
  const Json& value = row_.json.at(name(field));
  if (parsed_.count(field)) return OrderedJson::parse(value.text());
  return row_.source.empty() ? OrderedJson(value) : OrderedJson::parse(row_.source).at(name(field));
}

}  // namespace afina
