// Fields of options as JSON and back: numbers as numbers, words as texts, what holds nothing as
// null.
#pragma once
#include "engine/files/json.h"
#include "tools/options/fields.h"

namespace afina {

template <class T>
Json json_of(const T& field) {
  if constexpr (Worded<T>) return word_of(field);
  else return field;
}
template <class T>
Json json_of(const std::optional<T>& field) {
  return field ? json_of(*field) : Json();
}

// An Error that begins with `where` for JSON of another kind; a UsageError for an unknown word.
template <class T>
void read_json(T& field, const Json& json, const std::string& option, const std::string& where) {
  if constexpr (Worded<T>) field = parse_word<T>(option, get<std::string>(json, option, where));
  else field = get<T>(json, option, where);
}
template <class T>
void read_json(std::optional<T>& field, const Json& json, const std::string& option,
               const std::string& where) {
  if (member(json, option, where).is_null()) field.reset();
  else read_json(field.emplace(), json, option, where);
}

}  // namespace afina
