// Errors: one way to fail, with words for the person who reads them.
#pragma once
#include <sstream>
#include <stdexcept>
#include <string>

namespace afina {

// What every failure in afina throws. The text says where, what was expected, what was found and
// what to do.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws an Error with the words written one after the other.
template <class... Words>
[[noreturn]] void fail(const Words&... words) {
  std::ostringstream text;
  (text << ... << words);
  throw Error(text.str());
}

// Throws an Error with these words unless `held`.
template <class... Words>
void require(bool held, const Words&... words) {
  if (!held) fail(words...);
}

}  // namespace afina
