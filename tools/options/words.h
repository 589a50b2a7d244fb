// Options whose value is one of a few words: the words of an enum, by which it is read and written.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "engine/error.h"

namespace afina {

// A wrong command line or INI file: the program ends with status 2.
struct UsageError : Error {
  using Error::Error;
};

// The words of an enum, in the order in which they are listed to the user. To be specialised:
//   template <> struct WordList<Decay> {
//     static constexpr std::pair<const char*, Decay> all[] = {{"cosine", Decay::cosine}, ...};
//   };
template <class E>
struct WordList;

template <class E>
concept Worded = requires {
  WordList<E>::all;
};

// A UsageError: the option, what was given, the words it may be, and the nearest of them.
[[noreturn]] void no_such_word(const std::string& option, const std::string& text,
                               const std::vector<std::string>& known);

template <Worded E>
std::vector<std::string> words_of() {
  std::vector<std::string> all;
  for (auto& [word, value] : WordList<E>::all) all.push_back(word);
  return all;
}
// The word for a value.
template <Worded E>
const char* word_of(E value) {
  for (auto& [word, known] : WordList<E>::all)
    if (known == value) return word;
  fail("an option has a value without a word: ", int(value));
}
// The value of a word; a UsageError that names `option` for one that is not known.
template <Worded E>
E parse_word(const std::string& option, const std::string& text) {
  for (auto& [word, value] : WordList<E>::all)
    if (text == word) return value;
  no_such_word(option, text, words_of<E>());
}

enum class OnOff : bool { off, on };
template <>
struct WordList<OnOff> {
  static constexpr std::pair<const char*, OnOff> all[] = {{"on", OnOff::on}, {"off", OnOff::off}};
};

}  // namespace afina
