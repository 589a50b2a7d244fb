// What nlohmann's library does here: it parses and prints JSON. No other file compiles it.
#include "engine/files/json_library.h"

#include <nlohmann/json.hpp>

namespace afina {

namespace {

using Library = nlohmann::ordered_json;

template <bool Sorted>
Library to_library(const JsonOf<Sorted>& value) {
  using Kind = typename JsonOf<Sorted>::value_t;
  switch (value.type()) {
    case Kind::null: return nullptr;
    case Kind::boolean: return value.template get<bool>();
    case Kind::number_integer: return value.template get<int64_t>();
    case Kind::number_unsigned: return value.template get<uint64_t>();
    case Kind::number_float: return value.template get<double>();
    case Kind::string: return value.text();
    case Kind::array: {
      Library::array_t all;
      all.reserve(value.size());
      for (const JsonOf<Sorted>& one : value.elements()) all.push_back(to_library(one));
      return all;
    }
    default: {
      Library made = Library::object();
      auto& all = made.get_ref<Library::object_t&>();
      all.reserve(value.size());
      // To the back: the insertion by key would search all of them.
      for (auto& [key, one] : value.members()) all.emplace_back(key, to_library(one));
      return made;
    }
  }
}

template <bool Sorted>
JsonOf<Sorted> from_library(const Library& value) {
  switch (value.type()) {
    case Library::value_t::boolean: return value.get<bool>();
    case Library::value_t::number_integer: return value.get<int64_t>();
    case Library::value_t::number_unsigned: return value.get<uint64_t>();
    case Library::value_t::number_float: return value.get<double>();
    case Library::value_t::string: return value.get_ref<const std::string&>();
    case Library::value_t::array: {
      typename JsonOf<Sorted>::array_t all;
      for (const Library& one : value) all.push_back(from_library<Sorted>(one));
      return all;
    }
    case Library::value_t::object: {
      typename JsonOf<Sorted>::object_t all;
      for (auto& [key, one] : value.items()) all.push_back({key, from_library<Sorted>(one)});
      return all;
    }
    default: return nullptr;
  }
}

// The library's events, passed on.
class Passing : public nlohmann::json_sax<Library> {
 public:
  explicit Passing(JsonEvents& to) : to_(to) {}
  bool null() override { return to_.value(nullptr); }
  bool boolean(bool value) override { return to_.value(value); }
  bool number_integer(number_integer_t value) override { return to_.value(value); }
  bool number_unsigned(number_unsigned_t value) override { return to_.value(value); }
  bool number_float(number_float_t value, const string_t& digits) override {
    return to_.real(value, digits);
  }
  bool string(string_t& value) override { return to_.value(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return to_.open(true); }
  bool start_array(size_t) override { return to_.open(false); }
  bool end_object() override { return to_.close(); }
  bool end_array() override { return to_.close(); }
  bool key(string_t& name) override { return to_.key(name); }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    to_.invalid(position, error.what());
    return false;
  }

 private:
  JsonEvents& to_;
};

}  // namespace

void parse_events(std::string_view text, JsonEvents& events) {
  Passing passing(events);
  Library::sax_parse(text.data(), text.data() + text.size(), &passing);
}

template <bool Sorted>
JsonOf<Sorted> JsonOf<Sorted>::parse(std::string_view text) {
  try {
    return from_library<Sorted>(Library::parse(text));
  } catch (const Library::exception& error) { throw JsonError(error.what()); }
}

template <bool Sorted>
std::string JsonOf<Sorted>::dump(int indent, char fill, bool ascii,
                                 error_handler_t on_error) const {
  try {
    return to_library(*this).dump(indent, fill, ascii,
                                  on_error == error_handler_t::strict
                                      ? Library::error_handler_t::strict
                                      : Library::error_handler_t::replace);
  } catch (const Library::exception& error) { throw JsonError(error.what()); }
}

template JsonOf<true> JsonOf<true>::parse(std::string_view);
template JsonOf<false> JsonOf<false>::parse(std::string_view);
template std::string JsonOf<true>::dump(int, char, bool, error_handler_t) const;
template std::string JsonOf<false>::dump(int, char, bool, error_handler_t) const;

}  // namespace afina
