// Patterns that select layers by name.
#define PCRE2_CODE_UNIT_WIDTH 8
#include "model/pattern.h"

#include <pcre2.h>

#include "engine/error.h"

namespace afina {

namespace {

// Whether text matches a pattern in which each '*' stands for any text. Linear in practice: only
// the last '*' is ever retried.
bool matches_stars(const std::string& pattern, const std::string& text) {
  size_t p = 0, t = 0, star = pattern.npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::shared_ptr<void> compiled(const std::string& expression) {
  int error = 0;
  PCRE2_SIZE at = 0;
  pcre2_code* code = pcre2_compile(PCRE2_SPTR(expression.data()), expression.size(),
                                   PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C,
                                   &error, &at, nullptr);
  if (!code) {
    char text[256] = "";
    pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR8*>(text), sizeof text);
    fail("the regular expression '", expression, "' is malformed at character ", at + 1, ": ",
         text);
  }
  return {code, [](void* c) { pcre2_code_free(static_cast<pcre2_code*>(c)); }};
}

bool matches_expression(const std::string& text, void* code, const std::string& path) {
  std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)> found(
      pcre2_match_data_create(1, nullptr), pcre2_match_data_free);
  std::unique_ptr<pcre2_match_context, void (*)(pcre2_match_context*)> limits(
      pcre2_match_context_create(nullptr), pcre2_match_context_free);
  pcre2_set_match_limit(limits.get(), 100000);
  int rc = pcre2_match(static_cast<pcre2_code*>(code), PCRE2_SPTR(path.data()), path.size(), 0, 0,
                       found.get(), limits.get());
  require(rc >= 0 || rc == PCRE2_ERROR_NOMATCH, "the regular expression '", text,
          "' takes too long on '", path, "'; write it without nested repetition");
  return rc >= 0;
}

}  // namespace

ModulePattern::ModulePattern(std::string text) : text_(std::move(text)) {
  require(!text_.empty() && text_ != "re:", "an empty pattern matches no layer");
  if (text_.starts_with("re:")) expression_ = compiled(text_.substr(3));
}

bool ModulePattern::matches(const std::string& path) const {
  if (expression_) return matches_expression(text_, expression_.get(), path);
  return matches_stars(text_, path) || matches_stars("*." + text_, path);
}

}  // namespace afina
