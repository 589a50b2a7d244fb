// Regular expressions over UTF-8 (PCRE2), interpreted as Oniguruma interprets those of
// tokenizer.json.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "data/tokenizer/tokenizer.h"
#include "data/tokenizer/unicode_table.h"

namespace afina {

// A compiled pattern. Matching throws if it exceeds the limit on backtracking.
class Regex {
 public:
  // Throws if the pattern cannot be compiled; `where` begins the message.
  Regex(const std::string& pattern, std::string where);
  // Calls found(begin, end) for each match in valid UTF-8 text, first to last. An empty match
  // counts unless it stands where the match before it ends, as in Oniguruma's iterator.
  template <class Found>
  void each_match(std::string_view original, Found&& found) const {
    std::string store;
    const std::string_view text = with_stand_ins(original, store);
    size_t last = std::string_view::npos;
    for (size_t at = 0, begin = 0, end = 0; at <= text.size() && match(text, at, begin, end);) {
      if (end == begin && end == last) {
        at = next_character(text, at);
        continue;
      }
      found(begin, end);
      at = last = end;
    }
  }
  struct Code;

 private:
  static size_t next_character(std::string_view text, size_t at);
  bool match(std::string_view text, size_t from, size_t& begin, size_t& end) const;
  std::shared_ptr<const Code> code_;
  std::string where_;
};

// The library that regular expressions are matched with and its version of Unicode, as in "PCRE2
// 10.42 (Unicode 14.0.0)". Characters that Unicode 14 lacks or that Oniguruma takes otherwise are
// the same with all versions (unicode_table.h); what a newer one says of the others may differ.
std::string regex_library();

// Rewrites a pattern of Oniguruma for PCRE2 where the two differ: \s \h \w \v \b \u and their
// opposites, (?m), intervals followed by + or ?, [:alpha:] and its like. Throws for what has no
// equivalent; `where` begins the message.
std::string pattern_for_pcre2(std::string_view pattern, const std::string& where);

}  // namespace afina
