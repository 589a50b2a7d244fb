// Regular expressions over UTF-8 (PCRE2), interpreted as Oniguruma interprets those of
// tokenizer.json.
#include "data/tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

#include "data/tokenizer/unicode_table.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"

namespace afina {

namespace {

std::string message_of(int code) {
  unsigned char text[256] = "";
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<char*>(text);
}

// Enough for ordinary patterns; stops patterns built to take exponential time.
constexpr uint32_t match_limit = 1'000'000, heap_kibibytes = 64 << 10;

}  // namespace

struct Regex::Code {
  pcre2_code* code = nullptr;
  pcre2_match_context* context = nullptr;
  bool jit = false;
  Code() = default;
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code() {
    pcre2_match_context_free(context);
    pcre2_code_free(code);
  }
};

namespace {

std::shared_ptr<const Regex::Code> compile(const std::string& pattern, const std::string& where) {
  std::string ours = pattern_for_pcre2(pattern, where);
  int error = 0;
  PCRE2_SIZE place = 0;
  auto made = std::make_shared<Regex::Code>();
  // In Oniguruma's default syntax ^ and $ match at line boundaries.
  made->code = pcre2_compile(PCRE2_SPTR(ours.data()), ours.size(),
                             PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C,
                             &error, &place, nullptr);
  require(made->code, where, ": the regular expression \"", pattern,
          "\" cannot be used: ", message_of(error), " (at character ", place, ")");
  made->jit = pcre2_jit_compile(made->code, PCRE2_JIT_COMPLETE) == 0;
  made->context = pcre2_match_context_create(nullptr);
  require(made->context, where, ": out of memory");
  pcre2_set_match_limit(made->context, match_limit);
  pcre2_set_heap_limit(made->context, heap_kibibytes);
  return made;
}

// Cache of compiled patterns: tokenizers use few patterns, and compiling one takes longer than
// reading the rest of a small tokenizer.json.
class Compiled {
 public:
  std::shared_ptr<const Regex::Code> get(const std::string& pattern, const std::string& where) {
    if (pattern.size() > longest) return compile(pattern, where);
    std::lock_guard lock(mutex_);
    auto at =
        std::find_if(last_.begin(), last_.end(), [&](auto& one) { return one.first == pattern; });
    if (at == last_.end()) {
      auto made = compile(pattern, where);
      if (last_.size() == most) last_.pop_back();
      at = last_.emplace(last_.end(), pattern, std::move(made));
    }
    std::rotate(last_.begin(), at, at + 1);
    return last_.front().second;
  }

 private:
  static constexpr size_t longest = 512, most = 8;
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::shared_ptr<const Regex::Code>>> last_;
};

}  // namespace

Regex::Regex(const std::string& pattern, std::string where) : where_(std::move(where)) {
  static const bool recent = [] {
    char version[64] = "";
    pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, version);
    return std::atoi(version) >= 14;
  }();
  require(recent, where_, ": PCRE2 with the tables of Unicode 14 or later is needed (10.40)");
  static Compiled compiled;
  code_ = compiled.get(pattern, where_);
}

bool Regex::match(std::string_view text, size_t from, size_t& begin, size_t& end) const {
  // One match block per thread: allocating one per piece of text would cost more than the match.
  struct Block {
    pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
    ~Block() { pcre2_match_data_free(data); }
  };
  static thread_local Block block;
  require(block.data, where_, ": out of memory");
  auto subject = PCRE2_SPTR(text.data());
  uint32_t options = PCRE2_NO_UTF_CHECK;
  int found =
      pcre2_match(code_->code, subject, text.size(), from, options, block.data, code_->context);
  if (found == PCRE2_ERROR_JIT_STACKLIMIT)
    found = pcre2_match(code_->code, subject, text.size(), from, options | PCRE2_NO_JIT, block.data,
                        code_->context);
  if (found == PCRE2_ERROR_NOMATCH) return false;
  require(found >= 0, where_, ": the regular expression gave up at byte ", from, " of a text of ",
          text.size(), " bytes: ", message_of(found));
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(block.data);
  begin = ends[0];
  end = ends[1];
  // \K can make a match begin after its end or before `from`; the code below relies on the order.
  require(begin >= from && begin <= end, where_,
          ": a regular expression with \\K is not supported");
  return true;
}

size_t Regex::next_character(std::string_view text, size_t at) {
  do ++at;
  while (at < text.size() && (uint8_t(text[at]) & 0xC0) == 0x80);
  return at;
}

std::string regex_library() {
  auto configured = [](uint32_t what) {
    char version[64] = "";
    pcre2_config(what, version);
    return std::string(version);
  };
  const std::string version = configured(PCRE2_CONFIG_VERSION);  // with its date
  return "PCRE2 " + version.substr(0, version.find(' ')) + " (Unicode " +
         configured(PCRE2_CONFIG_UNICODE_VERSION) + ")";
}

}  // namespace afina
