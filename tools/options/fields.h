// How options are declared: a group of options is a struct with one field for each, and one
// function `each` in which every field has one line. All that deals with options visits that
// function: the parser and --help (tools/options/options.h), the identity of a run and its replay
// (tools/runs).
//
//   struct RunOptions {
//     int64_t steps = 100;
//     template <class Self, class Visitor>
//     static void each(Self& o, Visitor& v) {
//       v("steps", o.steps, Bits::follow, "number of updates");
//     }
//   };
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/options/words.h"

namespace afina {

// Do the bits of a training run depend on an option? A visitor has no default for it, so that
// nobody can forget to say.
enum class Bits : uint8_t {
  follow,   // on its value: stop and resume must agree on it
  content,  // on what is read by way of it, of which the identity of a run holds a hash
  special,  // in a way that tools/runs/identity.cpp spells out for each
  keep,     // not at all
};

// What a value names, for completion in shells and for man pages. The words of an enum are known
// without it.
enum class Names : uint8_t {
  nothing,
  files,  // or folders
  folders,
  commands,
  methods,
  optimizers,
  formats,
  templates  // or files
};

// What --help shows in place of a default, whether an option may be left out, and what it names.
struct Default {
  const char* text = nullptr;  // nullptr: the field's own value; "": nothing
  bool required = false;
  Names names = Names::nothing;
  constexpr Default naming(Names what) const { return {text, required, what}; }
};
inline constexpr Default required{nullptr, true};
constexpr Default shown(const char* text) { return {text, false}; }
constexpr Default naming(Names what) { return Default().naming(what); }

// The text of a field, as the command line takes it; empty where it holds nothing.
std::string text_of(bool value);
std::string text_of(int64_t value);
std::string text_of(int value);
std::string text_of(uint64_t value);
std::string text_of(double value);
std::string text_of(const std::string& value);
std::string text_of(const std::vector<std::string>& values);  // with blanks between them
template <Worded E>
std::string text_of(E value) {
  return word_of(value);
}
template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? text_of(*value) : std::string();
}

// Reads a field from a text; a UsageError with the option's name and what was expected. A list is
// lengthened by the text.
void read_text(bool& field, const std::string& option, const std::string& text);
void read_text(int64_t& field, const std::string& option, const std::string& text);
void read_text(int& field, const std::string& option, const std::string& text);
void read_text(uint64_t& field, const std::string& option, const std::string& text);
void read_text(double& field, const std::string& option, const std::string& text);
void read_text(std::string& field, const std::string& option, const std::string& text);
void read_text(std::vector<std::string>& field, const std::string& option, const std::string& text);
template <Worded E>
void read_text(E& field, const std::string& option, const std::string& text) {
  field = parse_word<E>(option, text);
}
template <class T>
void read_text(std::optional<T>& field, const std::string& option, const std::string& text) {
  read_text(field.emplace(), option, text);
}

// "model" of "model,m".
inline std::string long_name(const std::string& name) { return name.substr(0, name.find(',')); }

}  // namespace afina
