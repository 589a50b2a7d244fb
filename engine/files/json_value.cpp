// JSON values: building, comparing, members and elements. json_library.cpp parses and prints them.
#include "engine/files/json_value.h"

#include <algorithm>
#include <ostream>
#include <utility>

namespace afina {

template <bool Sorted>
JsonOf<Sorted>::JsonOf(value_t kind) : kind_(kind) {
  if (kind == value_t::string) is_.text = new std::string;
  if (kind == value_t::array) is_.array = new array_t;
  if (kind == value_t::object) is_.object = new object_t;
}

template <bool Sorted>
JsonOf<Sorted>::JsonOf(const JsonOf& other) : kind_(other.kind_), is_(other.is_) {
  if (kind_ == value_t::string) is_.text = new std::string(*other.is_.text);
  if (kind_ == value_t::array) is_.array = new array_t(*other.is_.array);
  if (kind_ == value_t::object) is_.object = new object_t(*other.is_.object);
}

template <bool Sorted>
JsonOf<Sorted>::JsonOf(const JsonOf<!Sorted>& other) : kind_(value_t(other.kind_)) {
  if (other.is_array()) {
    is_.array = new array_t(other.is_.array->begin(), other.is_.array->end());
  } else if (other.is_object()) {
    object_t all;
    for (auto& [key, value] : *other.is_.object) all.push_back({key, value});
    kind_ = value_t::null;
    *this = JsonOf(std::move(all));
  } else if (other.is_string()) {
    is_.text = new std::string(*other.is_.text);
  } else {
    is_.natural = other.is_.natural;
    if (other.is_boolean()) is_.truth = other.is_.truth;
  }
}

template <bool Sorted>
JsonOf<Sorted>::JsonOf(std::string&& text) : kind_(value_t::string) {
  is_.text = new std::string(std::move(text));
}

template <bool Sorted>
JsonOf<Sorted>::JsonOf(array_t&& all) : kind_(value_t::array) {
  is_.array = new array_t(std::move(all));
}

template <bool Sorted>
JsonOf<Sorted>::JsonOf(object_t&& all) : kind_(value_t::object) {
  is_.object = new object_t(std::move(all));
  if (Sorted)
    std::sort(is_.object->begin(), is_.object->end(),
              [](const Member& a, const Member& b) { return a.first < b.first; });
}

template <bool Sorted>
JsonOf<Sorted>::JsonOf(std::initializer_list<JsonOf> all) {
  const bool pairs = std::all_of(all.begin(), all.end(), [](const JsonOf& one) {
    return one.is_array() && one.size() == 2 && one[0].is_string();
  });
  *this = JsonOf(pairs ? value_t::object : value_t::array);
  for (const JsonOf& one : all)
    if (!pairs) is_.array->push_back(one);
    else if (!contains(one[0].text())) (*this)[one[0].text()] = one[1];
}

template <bool Sorted>
JsonOf<Sorted> JsonOf<Sorted>::array(std::initializer_list<JsonOf> all) {
  return JsonOf(array_t(all));
}

template <bool Sorted>
void JsonOf<Sorted>::destroy() {
  if (kind_ == value_t::string) delete is_.text;
  if (kind_ == value_t::array) delete is_.array;
  if (kind_ == value_t::object) delete is_.object;
}

// Indented by the stream's width, as the library does: std::setw(2) << value.
template <bool Sorted>
void JsonOf<Sorted>::print(std::ostream& out) const {
  const auto width = out.width(0);
  out << dump(width > 0 ? int(width) : -1, out.fill());
}

template <bool Sorted>
const char* JsonOf<Sorted>::type_name() const {
  switch (kind_) {
    case value_t::null: return "null";
    case value_t::boolean: return "boolean";
    case value_t::string: return "string";
    case value_t::array: return "array";
    case value_t::object: return "object";
    default: return "number";
  }
}

template <bool Sorted>
void JsonOf<Sorted>::wrong_kind(const char* expected) const {
  throw JsonError(std::string("JSON: expected ") + expected + ", found " + type_name());
}

template <bool Sorted>
size_t JsonOf<Sorted>::size() const {
  if (kind_ == value_t::array) return is_.array->size();
  if (kind_ == value_t::object) return is_.object->size();
  return kind_ == value_t::null ? 0 : 1;
}

template <bool Sorted>
bool JsonOf<Sorted>::truth() const {
  if (kind_ != value_t::boolean) wrong_kind("true or false");
  return is_.truth;
}

template <bool Sorted>
double JsonOf<Sorted>::real() const {
  if (kind_ == value_t::number_integer) return double(is_.integer);
  if (kind_ == value_t::number_unsigned) return double(is_.natural);
  if (kind_ != value_t::number_float) wrong_kind("a number");
  return is_.number;
}

template <bool Sorted>
const std::string& JsonOf<Sorted>::text() const {
  if (kind_ != value_t::string) wrong_kind("a string");
  return *is_.text;
}
template <bool Sorted>
std::string& JsonOf<Sorted>::text() {
  if (kind_ != value_t::string) wrong_kind("a string");
  return *is_.text;
}

template <bool Sorted>
const typename JsonOf<Sorted>::array_t& JsonOf<Sorted>::elements() const {
  if (kind_ != value_t::array) wrong_kind("an array");
  return *is_.array;
}
template <bool Sorted>
typename JsonOf<Sorted>::array_t& JsonOf<Sorted>::elements() {
  if (kind_ == value_t::null) *this = array();
  if (kind_ != value_t::array) wrong_kind("an array");
  return *is_.array;
}

template <bool Sorted>
const typename JsonOf<Sorted>::object_t& JsonOf<Sorted>::members() const {
  if (kind_ != value_t::object) wrong_kind("an object");
  return *is_.object;
}

// Where a key is, or where a sorted object would have it.
template <class Members>
static auto place_of(Members& all, std::string_view key, bool sorted) {
  if (sorted)
    return std::lower_bound(all.begin(), all.end(), key,
                            [](auto& member, std::string_view key) { return member.first < key; });
  return std::find_if(all.begin(), all.end(), [&](auto& member) { return member.first == key; });
}

template <bool Sorted>
const JsonOf<Sorted>* JsonOf<Sorted>::look(std::string_view key) const {
  if (kind_ != value_t::object) return nullptr;
  auto at = place_of(*is_.object, key, Sorted);
  return at != is_.object->end() && at->first == key ? &at->second : nullptr;
}

template <bool Sorted>
JsonOf<Sorted>& JsonOf<Sorted>::operator[](std::string_view key) {
  if (kind_ == value_t::null) *this = object();
  if (kind_ != value_t::object) wrong_kind("an object");
  auto at = place_of(*is_.object, key, Sorted);
  if (at == is_.object->end() || at->first != key)
    at = is_.object->insert(at, Member{std::string(key), JsonOf()});
  return at->second;
}

template <bool Sorted>
JsonOf<Sorted>& JsonOf<Sorted>::at(std::string_view key) {
  return const_cast<JsonOf&>(std::as_const(*this).at(key));
}
template <bool Sorted>
const JsonOf<Sorted>& JsonOf<Sorted>::at(std::string_view key) const {
  if (kind_ != value_t::object) wrong_kind("an object");
  const JsonOf* found = look(key);
  if (!found) throw JsonError("JSON: key '" + std::string(key) + "' not found");
  return *found;
}

template <bool Sorted>
size_t JsonOf<Sorted>::erase(std::string_view key) {
  if (kind_ != value_t::object) wrong_kind("an object");
  return std::erase_if(*is_.object, [&](const Member& member) { return member.first == key; });
}

template <bool Sorted>
std::span<typename JsonOf<Sorted>::Member> JsonOf<Sorted>::items() {
  if (kind_ == value_t::null) return {};
  if (kind_ != value_t::object) wrong_kind("an object");
  return *is_.object;
}
template <bool Sorted>
std::span<const typename JsonOf<Sorted>::Member> JsonOf<Sorted>::items() const {
  if (kind_ == value_t::null) return {};
  return members();
}

template <bool Sorted>
void JsonOf<Sorted>::update(const JsonOf& other) {
  for (auto& [key, value] : other.items()) (*this)[key] = value;
}

template <bool Sorted>
JsonOf<Sorted>& JsonOf<Sorted>::element(size_t index) {
  return const_cast<JsonOf&>(std::as_const(*this).element(index));
}
template <bool Sorted>
const JsonOf<Sorted>& JsonOf<Sorted>::element(size_t index) const {
  const array_t& all = elements();
  if (index >= all.size())
    throw JsonError("JSON: element " + std::to_string(index) + " of " + std::to_string(all.size()));
  return all[index];
}

template <bool Sorted>
void JsonOf<Sorted>::push_back(JsonOf value) {
  elements().push_back(std::move(value));
}

template <bool Sorted>
typename JsonOf<Sorted>::iterator JsonOf<Sorted>::begin() {
  if (kind_ == value_t::array) return {is_.array->data(), nullptr};
  if (kind_ == value_t::object) return {nullptr, is_.object->data()};
  return {this, nullptr};
}
template <bool Sorted>
typename JsonOf<Sorted>::iterator JsonOf<Sorted>::end() {
  if (kind_ == value_t::array) return {is_.array->data() + is_.array->size(), nullptr};
  if (kind_ == value_t::object) return {nullptr, is_.object->data() + is_.object->size()};
  return {this + size(), nullptr};
}
template <bool Sorted>
typename JsonOf<Sorted>::const_iterator JsonOf<Sorted>::begin() const {
  if (kind_ == value_t::array) return {is_.array->data(), nullptr};
  if (kind_ == value_t::object) return {nullptr, is_.object->data()};
  return {this, nullptr};
}
template <bool Sorted>
typename JsonOf<Sorted>::const_iterator JsonOf<Sorted>::end() const {
  if (kind_ == value_t::array) return {is_.array->data() + is_.array->size(), nullptr};
  if (kind_ == value_t::object) return {nullptr, is_.object->data() + is_.object->size()};
  return {this + size(), nullptr};
}
template <bool Sorted>
typename JsonOf<Sorted>::iterator JsonOf<Sorted>::find(std::string_view key) {
  const JsonOf* found = look(key);
  if (!found) return end();
  auto at = place_of(*is_.object, key, Sorted);
  return {nullptr, &*at};
}
template <bool Sorted>
typename JsonOf<Sorted>::const_iterator JsonOf<Sorted>::find(std::string_view key) const {
  const JsonOf* found = look(key);
  if (!found) return end();
  auto at = place_of(std::as_const(*is_.object), key, Sorted);
  return {nullptr, &*at};
}

template <bool Sorted>
bool JsonOf<Sorted>::equals(const JsonOf& other) const {
  if (is_number() && other.is_number()) {
    if (is_number_float() || other.is_number_float()) return real() == other.real();
    return is_.natural == other.is_.natural;
  }
  if (kind_ != other.kind_) return false;
  switch (kind_) {
    case value_t::boolean: return is_.truth == other.is_.truth;
    case value_t::string: return *is_.text == *other.is_.text;
    case value_t::array: return *is_.array == *other.is_.array;
    case value_t::object:
      return std::equal(is_.object->begin(), is_.object->end(), other.is_.object->begin(),
                        other.is_.object->end(), [](const Member& a, const Member& b) {
                          return a.first == b.first && a.second == b.second;
                        });
    default: return true;
  }
}

template class JsonOf<true>;
template class JsonOf<false>;

}  // namespace afina
