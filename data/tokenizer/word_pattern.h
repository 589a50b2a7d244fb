// Expressions that cut text into words. Those of the known families of models are read by hand,
// many times faster; all others are matched by class Regex, which also says what is right for
// these.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/character_sets.h"
#include "data/tokenizer/regex.h"

namespace afina {

// An expression made of alternatives that occur in those families' (word_pattern.cpp has them).
class WordScanner {
 public:
  // Nothing if an alternative of the pattern is not among them.
  static std::optional<WordScanner> of(std::string_view pattern);
  // Calls found(begin, end) for each match in valid UTF-8 text, first to last.
  template <class Found>
  void each_match(std::string_view text, Found&& found) const {
    for (size_t at = 0; at < text.size();) {
      const size_t end = match(text, at);
      if (end > at) {
        found(at, end);
        at = end;
      } else {
        do ++at;
        while (at < text.size() && (uint8_t(text[at]) & 0xC0) == 0x80);
      }
    }
  }

  // One alternative of a pattern.
  enum class Kind : uint8_t {
    literal,           // 's
    contraction,       // (?i:'s|'t|'re|'ve|'m|'ll|'d)
    run,               // prefix? set+ tail*
    lower_word,        // prefix? upper* lower+ contraction?
    upper_word,        // prefix? upper+ lower* contraction?
    lines,             // \s*[\r\n]+
    space_before_end,  // \s+(?!\S)
  };
  struct Alternative {
    Kind kind;
    std::string_view text = {};        // of a literal
    uint8_t prefix = 0;                // set of what may stand before once
    bool space_prefix = false;         // a blank may stand before once
    uint8_t set = 0;                   // of a run
    uint32_t most = ~uint32_t(0);      // characters of a run
    bool slash = false, tail = false;  // line ends (and slashes) may follow a run
    bool suffix = false;               // a contraction may follow a word
  };

 private:
  explicit WordScanner(std::vector<Alternative> all);
  // Where the match that begins at `at` ends; `at` if there is none.
  size_t match(std::string_view text, size_t at) const;
  std::vector<Alternative> all_;
  std::array<uint32_t, 128> first_;   // alternatives that may begin with this character, as bits
  std::array<uint32_t, 8> first_of_;  // with a character of this set that is not ASCII
};

// A pattern of tokenizer.json: a scanner if one is known, else a regular expression.
class WordPattern {
 public:
  // Throws if the pattern is not supported; `where` begins the message.
  WordPattern(const std::string& pattern, const std::string& where)
      : scanner_(WordScanner::of(pattern)) {
    if (!scanner_) regex_.emplace(pattern, where);
  }
  template <class Found>
  void each_match(std::string_view text, Found&& found) const {
    if (scanner_) scanner_->each_match(text, found);
    else regex_->each_match(text, found);
  }

 private:
  std::optional<WordScanner> scanner_;
  std::optional<Regex> regex_;
};

}  // namespace afina
