// Structs to JSON and back from one list of fields each: `template <class Io> void fields(Io& io,
// T& value)` calls io("key", value.key),
// ...
#pragma once
#include <cmath>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>
#include "engine/error.h"
#include "engine/files/json_value.h"
#include "tools/results/figures.h"

namespace afina {

// A struct with a list of fields, told from the containers by having no size and no value.
template <class T>
concept Structure = std::is_class_v<T> && !requires(T t) {
  t.size();
}
&&!requires(T t) { t.has_value(); };

struct JsonWriter {
  static constexpr bool reading = false;
  OrderedJson object = OrderedJson::object();

  template <class T>
  void operator()(const char* key, T& value, const Shown& = {}) {
    object[key] = write(value);
  }
  template <class T>
  void added(const char* key, T& value) {
    object[key] = write(value);
  }
  // A value that may be missing: null where it is not there.
  template <class T>
  void optional(const char* key, T& value, bool& there) {
    object[key] = there ? write(value) : OrderedJson();
  }
  // A value that follows from the others: written for readers of the file, passed over when read
  // back.
  void derived(const char* key, OrderedJson value) { object[key] = std::move(value); }
  template <class T>
  requires std::is_arithmetic_v<T>
  void derived(const char* key, T value, const Shown&) { object[key] = write(value); }
  void shown(double, const Shown&) {}
  // Points as one list a field: shorter, and what plotting wants.
  template <class T>
  void columns(const char* key, std::vector<T>& points) {
    OrderedJson lists = write(T());
    for (auto& item : lists.items()) item.value() = OrderedJson::array();
    for (T& point : points) {
      OrderedJson one = write(point);
      for (auto& item : one.items()) lists[item.key()].push_back(item.value());
    }
    object[key] = std::move(lists);
  }

  static OrderedJson write(const std::string& text) { return text; }
  // JSON has no NaN and no infinity.
  static OrderedJson write(double value) {
    return std::isfinite(value) ? OrderedJson(value) : OrderedJson();
  }
  template <std::integral T>
  static OrderedJson write(T value) {
    return value;
  }
  template <class T>
  static OrderedJson write(const std::optional<T>& value) {
    return value ? write(*value) : OrderedJson();
  }
  static OrderedJson write(const std::map<std::string, std::string>& map) {
    OrderedJson json = OrderedJson::object();
    for (auto& [key, value] : map) json[key] = value;
    return json;
  }
  template <class T>
  static OrderedJson write(const std::vector<T>& values) {
    OrderedJson list = OrderedJson::array();
    for (const T& value : values) list.push_back(write(value));
    return list;
  }
  template <Structure T>
  static OrderedJson write(const T& value) {
    JsonWriter writer;
    fields(writer,
           const_cast<T&>(
               value));  // a writer changes nothing; one list of fields serves both directions
    return std::move(writer.object);
  }
};

class JsonReader {
 public:
  static constexpr bool reading = true;
  JsonReader(const OrderedJson& json, std::string place) : object_(json), place_(std::move(place)) {
    expect(json.is_object(), json, place_, "an object");
  }

  template <class T>
  void operator()(const char* key, T& value, const Shown& = {}) {
    read(at(key), value, place_ + "." + key);
  }
  // A key that older files of the same schema version lack: the value stays as it is.
  template <class T>
  void added(const char* key, T& value) {
    if (object_.contains(key)) (*this)(key, value);
  }
  template <class T>
  void optional(const char* key, T& value, bool& there) {
    there = !at(key).is_null();
    if (there) read(at(key), value, place_ + "." + key);
  }
  void derived(const char* key, const OrderedJson&, const Shown& = {}) { known_.insert(key); }
  void shown(double, const Shown&) {}
  template <class T>
  void columns(const char* key, std::vector<T>& points) {
    const OrderedJson& lists = at(key);
    std::string place = place_ + "." + key;
    expect(lists.is_object() && !lists.empty(), lists, place, "an object of lists");
    size_t length = lists.begin()->size();
    for (auto& item : lists.items())
      require(item.value().is_array() && item.value().size() == length, place, ".", item.key(),
              ": expected a list as long as the first, ", length);
    points.assign(length, T());
    for (size_t i = 0; i < length; i++) {
      OrderedJson one = OrderedJson::object();
      for (auto& item : lists.items()) one[item.key()] = item.value()[i];
      read(one, points[i], place + "[" + std::to_string(i) + "]");
    }
  }
  // To be called after the fields: a key that none of them has read is an Error.
  void finish() const {
    for (auto& item : object_.items())
      require(known_.count(item.key()), place_, ": unknown key \"", item.key(),
              "\"; was the file written by another version?");
  }

  static void read(const OrderedJson& json, std::string& text, const std::string& place) {
    expect(json.is_string(), json, place, "a string");
    text = json.get<std::string>();
  }
  static void read(const OrderedJson& json, double& value, const std::string& place) {
    expect(json.is_number() || json.is_null(), json, place, "a number");
    value = json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
  }
  static void read(const OrderedJson& json, bool& value, const std::string& place) {
    expect(json.is_boolean(), json, place, "true or false");
    value = json.get<bool>();
  }
  template <std::integral T>
  static void read(const OrderedJson& json, T& value, const std::string& place) {
    expect(json.is_number_integer() && (std::is_signed_v<T> || json.is_number_unsigned()), json,
           place, "a whole number");
    value = json.get<T>();
  }
  template <class T>
  static void read(const OrderedJson& json, std::optional<T>& value, const std::string& place) {
    value.reset();
    if (!json.is_null()) read(json, value.emplace(), place);
  }
  static void read(const OrderedJson& json, std::map<std::string, std::string>& map,
                   const std::string& place) {
    expect(json.is_object(), json, place, "an object");
    map.clear();
    for (auto& item : json.items()) read(item.value(), map[item.key()], place + "." + item.key());
  }
  template <class T>
  static void read(const OrderedJson& json, std::vector<T>& values, const std::string& place) {
    expect(json.is_array(), json, place, "a list");
    values.assign(json.size(), T());
    for (size_t i = 0; i < values.size(); i++)
      read(json[i], values[i], place + "[" + std::to_string(i) + "]");
  }
  template <Structure T>
  static void read(const OrderedJson& json, T& value, const std::string& place) {
    JsonReader reader(json, place);
    fields(reader, value);
    reader.finish();
  }

 private:
  const OrderedJson& at(const char* key) {
    known_.insert(key);
    require(object_.contains(key), place_, ": the key \"", key,
            "\" is missing; was the file written by another version?");
    return object_[key];
  }
  static void expect(bool held, const OrderedJson& json, const std::string& place,
                     const char* kind) {
    require(held, place, ": expected ", kind, ", found ", json.type_name());
  }

  const OrderedJson& object_;
  std::string place_;
  std::set<std::string> known_;
};

}  // namespace afina
