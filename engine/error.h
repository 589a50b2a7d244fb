// Errors: one way to fail, with words for the person who reads them.
#pragma once
#include <cstdint>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace afina {

// What every failure in afina throws. The text says where, what was expected, what was found and
// what to do.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace error_detail {

// One word of a message: where its value lies and how to print it. A call of require() only
// collects these; the text is made by one function that is compiled once (engine/error.cpp), since
// there are hundreds of calls and each would else bring string streams of its own.
struct Word {
  enum Kind : uint8_t { text, letter, truth, signed_integer, unsigned_integer, real, other };
  Kind kind;
  union {
    const char* characters;
    int64_t integer;
    uint64_t natural;
    double number;
    const void* object;
  };
  union {
    size_t size;                                // of a text
    void (*print)(std::ostream&, const void*);  // of another type
  };
};

template <class T>
void print(std::ostream& out, const void* value) {
  out << *static_cast<const T*>(value);
}

inline Word word(std::string_view text) {
  Word made;
  made.kind = Word::text;
  made.characters = text.data();
  made.size = text.size();
  return made;
}
inline Word word(const std::string& text) { return word(std::string_view(text)); }
inline Word word(const char* text) { return word(std::string_view(text)); }

// Anything that a stream takes is printed as a stream prints it.
template <class T>
Word word(const T& value) {
  Word made;
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return word(std::string_view(value));
  } else if constexpr (std::is_same_v<T, bool>) {
    made.kind = Word::truth;
    made.integer = value;
  } else if constexpr (std::is_same_v<T, char>) {
    made.kind = Word::letter;
    made.integer = value;
  } else if constexpr (std::is_integral_v<T> && sizeof(T) > 1 && std::is_signed_v<T>) {
    made.kind = Word::signed_integer;
    made.integer = value;
  } else if constexpr (std::is_integral_v<T> && sizeof(T) > 1) {
    made.kind = Word::unsigned_integer;
    made.natural = value;
  } else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    made.kind = Word::real;
    made.number = value;
  } else {
    made.kind = Word::other;
    made.object = &value;
    made.print = print<T>;
  }
  return made;
}

[[noreturn]] void fail(const Word* words, size_t count);

}  // namespace error_detail

// Throws an Error with the words written one after the other.
template <class... Words>
[[noreturn]] inline void fail(const Words&... words) {
  const error_detail::Word all[] = {error_detail::word(words)...};
  error_detail::fail(all, sizeof...(words));
}

// Throws an Error with these words unless `held`.
template <class... Words>
inline void require(bool held, const Words&... words) {
  if (!held) [[unlikely]]
    fail(words...);
}

}  // namespace afina
