// Regular expressions over UTF-8 (PCRE2), read as Oniguruma reads those of tokenizer.json.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "data/tokenizer/tokenizer.h"

namespace afina {

class Regex {
 public:
  // `where` is for error messages.
  Regex(const std::string& pattern, std::string where);
  // All matches of valid UTF-8 text, first to last, none empty and none overlapping.
  template <class Found>
  void each_match(std::string_view text, Found&& found) const {
    for (size_t at = 0, begin = 0, end = 0;
         at < text.size() && match(text, at, false, begin, end);) {
      if (end > begin) found(begin, end);
      at = end > begin ? end : next_character(text, end);
    }
  }
  // Whether the text begins with a match.
  bool at_start(std::string_view text) const;

  struct Code;

 private:
  static size_t next_character(std::string_view text, size_t at);
  bool match(std::string_view text, size_t from, bool anchored, size_t& begin, size_t& end) const;
  std::shared_ptr<const Code> code_;
  std::string where_;
};

// The same pattern for PCRE2: \s and \S as Unicode's White_Space (PCRE2's own \s has U+180E as
// well).
std::string pattern_for_pcre2(std::string_view pattern, const std::string& where);

}  // namespace afina
