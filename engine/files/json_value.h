// JSON values: null, true or false, numbers, texts, arrays and objects. Written as nlohmann's are,
// whose library reads and prints them (engine/files/json_library.cpp), but compiled once: the
// library's own class costs every file that uses it some seconds.
#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace afina {

// Text that is no JSON, a text that is not UTF-8, a value of another kind than the one asked for, a
// key that is not there.
struct JsonError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Sorted: an object lists its keys in their order as bytes; else in the order they were added in.
template <bool Sorted>
class JsonOf {
 public:
  // Whole numbers below zero are `integer`, others that a text holds `natural`; a C++ integer is
  // what its type is.
  enum class value_t : uint8_t {
    null,
    boolean,
    number_integer,
    number_unsigned,
    number_float,
    string,
    array,
    object
  };
  // What printing does with text that is not UTF-8: an Error, or U+FFFD in its place.
  enum class error_handler_t { strict, replace };
  using exception = JsonError;
  struct Member;
  using array_t = std::vector<JsonOf>;
  using object_t = std::vector<Member>;

  JsonOf() = default;
  JsonOf(std::nullptr_t) {}
  JsonOf(const JsonOf& other);
  JsonOf(JsonOf&& other) noexcept : kind_(other.kind_), is_(other.is_) {
    other.kind_ = value_t::null;
  }
  explicit JsonOf(value_t kind);
  JsonOf(const JsonOf<!Sorted>& other);
  JsonOf(bool value) : kind_(value_t::boolean) { is_.truth = value; }
  template <std::integral T>
  JsonOf(T value)
      : kind_(std::is_signed_v<T> ? value_t::number_integer : value_t::number_unsigned) {
    if constexpr (std::is_signed_v<T>) is_.integer = value;
    else is_.natural = value;
  }
  template <std::floating_point T>
  JsonOf(T value) : kind_(value_t::number_float) {
    is_.number = double(value);
  }
  JsonOf(const char* text) : JsonOf(std::string(text)) {}
  JsonOf(std::string_view text) : JsonOf(std::string(text)) {}
  JsonOf(const std::string& text) : JsonOf(std::string(text)) {}
  JsonOf(std::string&& text);
  JsonOf(array_t&& all);
  JsonOf(object_t&& all);  // the keys are sorted where they have to be; none may come twice
  template <class T>
  JsonOf(const std::vector<T>& all) : JsonOf(value_t::array) {
    for (const T& one : all) push_back(one);
  }
  template <class T>
  JsonOf(const std::map<std::string, T>& all) : JsonOf(value_t::object) {
    for (const auto& [key, one] : all) (*this)[key] = one;
  }
  // Pairs that begin with a text are an object's members, anything else the elements of an array.
  JsonOf(std::initializer_list<JsonOf> all);
  ~JsonOf() {
    if (kind_ >= value_t::string) destroy();
  }
  JsonOf& operator=(JsonOf other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(is_, other.is_);
    return *this;
  }

  static JsonOf object() { return JsonOf(value_t::object); }
  static JsonOf array() { return JsonOf(value_t::array); }
  static JsonOf array(std::initializer_list<JsonOf> all);
  // JsonError where the text is no JSON. parse_json (engine/files/json.h) says more and reads
  // strictly: for what strangers wrote.
  static JsonOf parse(std::string_view text);

  value_t type() const { return kind_; }
  const char* type_name() const;
  bool is_null() const { return kind_ == value_t::null; }
  bool is_boolean() const { return kind_ == value_t::boolean; }
  bool is_string() const { return kind_ == value_t::string; }
  bool is_array() const { return kind_ == value_t::array; }
  bool is_object() const { return kind_ == value_t::object; }
  bool is_number_unsigned() const { return kind_ == value_t::number_unsigned; }
  bool is_number_float() const { return kind_ == value_t::number_float; }
  bool is_number_integer() const {
    return kind_ == value_t::number_integer || kind_ == value_t::number_unsigned;
  }
  bool is_number() const { return is_number_integer() || is_number_float(); }

  // Elements or members; 0 of null, 1 of anything else.
  size_t size() const;
  bool empty() const { return size() == 0; }
  // One line where indent is below 0. ascii: what is not ASCII is escaped.
  std::string dump(int indent = -1, char fill = ' ', bool ascii = false,
                   error_handler_t on_error = error_handler_t::strict) const;

  // bool, numbers, std::string, vectors and maps of them, or a value of this class; JsonError
  // where the value is of another kind.
  template <class T>
  T get() const {
    if constexpr (std::is_same_v<T, JsonOf>) return *this;
    else if constexpr (std::is_same_v<T, std::string>) return text();
    else if constexpr (std::is_same_v<T, bool>) return truth();
    else if constexpr (std::is_arithmetic_v<T>) {
      if (kind_ == value_t::number_integer) return T(is_.integer);
      if (kind_ == value_t::number_unsigned) return T(is_.natural);
      return T(real());
    } else if constexpr (requires { typename T::mapped_type; }) {
      T all;
      for (auto& [key, one] : members()) all[key] = one.template get<typename T::mapped_type>();
      return all;
    } else {
      T all;
      for (const JsonOf& one : elements())
        all.push_back(one.template get<typename T::value_type>());
      return all;
    }
  }
  template <class T>
  requires(std::is_same_v<T, std::string> || (std::is_arithmetic_v<T> && sizeof(T) > 1) ||
           std::is_same_v<T, bool> ||
           std::is_same_v<T, std::vector<typename T::value_type, typename T::allocator_type>>)
  operator T() const {
    return get<T>();
  }
  const std::string& text() const;
  std::string& text();
  const array_t& elements() const;
  array_t& elements();  // null becomes an array
  const object_t& members() const;
  // The member, or the fallback where there is none.
  template <class T>
  T value(std::string_view key, const T& fallback) const {
    const JsonOf* found = look(key);
    return found ? found->template get<T>() : fallback;
  }
  std::string value(std::string_view key, const char* fallback) const {
    return value(key, std::string(fallback));
  }

  // A member; null becomes an object, and a key that is not there is added with null. Of a constant
  // value it must be there.
  JsonOf& operator[](std::string_view key);
  const JsonOf& operator[](std::string_view key) const { return at(key); }
  JsonOf& operator[](const char* key) { return (*this)[std::string_view(key)]; }
  const JsonOf& operator[](const char* key) const { return at(std::string_view(key)); }
  JsonOf& operator[](const std::string& key) { return (*this)[std::string_view(key)]; }
  const JsonOf& operator[](const std::string& key) const { return at(std::string_view(key)); }
  JsonOf& at(std::string_view key);
  const JsonOf& at(std::string_view key) const;
  JsonOf& at(const char* key) { return at(std::string_view(key)); }
  const JsonOf& at(const char* key) const { return at(std::string_view(key)); }
  bool contains(std::string_view key) const { return look(key) != nullptr; }
  size_t count(std::string_view key) const { return look(key) != nullptr; }
  size_t erase(std::string_view key);
  // The members of an object, each `auto& [key, value]` or item.key() and item.value().
  std::span<Member> items();
  std::span<const Member> items() const;
  void update(const JsonOf& other);  // its members take the place of ours

  // An element.
  template <std::integral T>
  JsonOf& operator[](T index) {
    return element(size_t(index));
  }
  template <std::integral T>
  const JsonOf& operator[](T index) const {
    return element(size_t(index));
  }
  template <std::integral T>
  JsonOf& at(T index) {
    return element(size_t(index));
  }
  template <std::integral T>
  const JsonOf& at(T index) const {
    return element(size_t(index));
  }
  JsonOf& front() { return *begin(); }
  const JsonOf& front() const { return *begin(); }
  JsonOf& back() { return element(size() - 1); }
  const JsonOf& back() const { return element(size() - 1); }
  void push_back(JsonOf value);

  // Goes through elements, or the values of members.
  template <class Value>
  class Iterator {
   public:
    using Place = std::conditional_t<std::is_const_v<Value>, const Member, Member>;
    using iterator_category = std::forward_iterator_tag;
    using value_type = JsonOf;
    using difference_type = std::ptrdiff_t;
    using pointer = Value*;
    using reference = Value&;
    Iterator() = default;
    Iterator(Value* element, Place* member) : element_(element), member_(member) {}
    Value& operator*() const { return member_ ? member_->second : *element_; }
    Value* operator->() const { return &**this; }
    const std::string& key() const { return member_->first; }
    Value& value() const { return **this; }
    Iterator& operator++() {
      member_ ? void(++member_) : void(++element_);
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& other) const = default;

   private:
    Value* element_ = nullptr;
    Place* member_ = nullptr;
  };
  using iterator = Iterator<JsonOf>;
  using const_iterator = Iterator<const JsonOf>;
  iterator begin();
  iterator end();
  const_iterator begin() const;
  const_iterator end() const;
  iterator find(std::string_view key);  // end() where there is none
  const_iterator find(std::string_view key) const;

  // Numbers are equal where their values are, whatever they are kept as.
  bool equals(const JsonOf& other) const;
  friend bool operator==(const JsonOf& a, const JsonOf& b) { return a.equals(b); }
  template <class T>
  requires std::is_arithmetic_v<T>
  friend bool operator==(const JsonOf& a, T b) { return a.equals(JsonOf(b)); }
  friend bool operator==(const JsonOf& a, const char* b) { return a.equals(JsonOf(b)); }
  friend bool operator==(const JsonOf& a, const std::string& b) { return a.equals(JsonOf(b)); }
  friend std::ostream& operator<<(std::ostream& out, const JsonOf& value) {
    value.print(out);
    return out;
  }

 private:
  void destroy();
  void print(std::ostream& out) const;
  bool truth() const;
  double real() const;
  const JsonOf* look(std::string_view key) const;
  JsonOf& element(size_t index);
  const JsonOf& element(size_t index) const;
  [[noreturn]] void wrong_kind(const char* expected) const;

  value_t kind_ = value_t::null;
  union {
    bool truth;
    int64_t integer;
    uint64_t natural;
    double number;
    std::string* text;
    array_t* array;
    object_t* object;
  } is_{};
  friend class JsonOf<!Sorted>;
};

template <bool Sorted>
struct JsonOf<Sorted>::Member {
  std::string first;
  JsonOf<Sorted> second;
  const std::string& key() const { return first; }
  JsonOf<Sorted>& value() { return second; }
  const JsonOf<Sorted>& value() const { return second; }
};

using Json = JsonOf<true>;
using OrderedJson = JsonOf<false>;
extern template class JsonOf<true>;
extern template class JsonOf<false>;

}  // namespace afina
