// JSON as people write it by hand and as strangers send it: strict reading, getters with clear
// errors.
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "engine/error.h"
#include "engine/files/json_value.h"

namespace afina {

struct JsonLimits {
  size_t bytes = size_t(256) << 20;
  int depth = 64;  // arrays and objects within one another
  int64_t first_line =
      1;  // the number of the text's first line in its file: for files with one JSON value a line
  bool exact_numbers = false;  // numbers that are no integers become strings: 1.50 is "1.50"
};

// Error with `where`, line, column and what was found. Also for: keys given twice, invalid UTF-8,
// numbers out of range, too deep nesting.
Json parse_json(std::string_view text, const std::string& where, const JsonLimits& limits = {});
Json parse_json_file(const std::string& path, const JsonLimits& limits = {});
// The text of a value; indent -1 for one line. Invalid UTF-8 in it is an Error.
std::string to_text(const Json& value, int indent = 2);

// "a string", "an integer", ...: for messages.
std::string kind_of(const Json& value);
// kind_of and the beginning of the value: `the string "abc"`.
std::string describe(const Json& value);

// The member, or an Error that names `where`, the key and the nearest key there is.
const Json& member(const Json& object, const std::string& key, const std::string& where);
// The member; nullptr if it is absent or null.
const Json* find_member(const Json& object, const std::string& key, const std::string& where);

// An object with these keys at most, else an Error that names the unknown key and the nearest known
// one.
void check_known_keys(const Json& object, const std::vector<std::string>& known,
                      const std::string& where);

namespace json_detail {
[[noreturn]] void wrong_kind(const Json& value, const char* expected, const std::string& key,
                             const std::string& where);
bool truth(const Json& value, const std::string& key, const std::string& where);
int64_t integer(const Json& value, int64_t least, int64_t most, const std::string& key,
                const std::string& where);
double number(const Json& value, const std::string& key, const std::string& where);
const std::string& text(const Json& value, const std::string& key, const std::string& where);
const Json::array_t& elements(const Json& value, const std::string& key, const std::string& where);

template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};

template <class T>
T convert(const Json& value, const std::string& key, const std::string& where) {
  if constexpr (std::is_same_v<T, Json>) {
    return value;
  } else if constexpr (std::is_same_v<T, bool>) {
    return truth(value, key, where);
  } else if constexpr (std::is_integral_v<T>) {
    constexpr auto top = std::numeric_limits<T>::max();
    constexpr int64_t most = uint64_t(top) > uint64_t(INT64_MAX) ? INT64_MAX : int64_t(top);
    return T(integer(value, int64_t(std::numeric_limits<T>::min()), most, key, where));
  } else if constexpr (std::is_floating_point_v<T>) {
    return T(number(value, key, where));
  } else if constexpr (is_vector<T>::value) {
    T all;
    for (const Json& one : elements(value, key, where))
      all.push_back(convert<typename T::value_type>(
          one, key + "[" + std::to_string(all.size()) + "]", where));
    return all;
  } else {
    static_assert(std::is_same_v<T, std::string>, "a kind of value that JSON does not have");
    return text(value, key, where);
  }
}
}  // namespace json_detail

// A member as bool, an integer type (with its range), float, double, std::string, std::vector of
// these, or Json.
template <class T>
T get(const Json& object, const std::string& key, const std::string& where) {
  return json_detail::convert<T>(member(object, key, where), key, where);
}
// The same; absent or null gives the fallback, a value of the wrong kind is still an Error.
template <class T>
T get_or(const Json& object, const std::string& key, const std::string& where,
         const std::type_identity_t<T>& fallback) {
  const Json* found = find_member(object, key, where);
  return found ? json_detail::convert<T>(*found, key, where) : fallback;
}

}  // namespace afina
