// Text as regular expressions are to see it, whatever the version of Unicode that PCRE2 knows.
#include <algorithm>
#include <bitset>

#include "data/tokenizer/unicode_table.h"
#include "data/tokenizer/utf8.h"

namespace afina {

namespace {

// Pages of 256 characters that hold any with a stand-in: most text touches none of them.
struct Pages {
  std::bitset<0x1100> any;
  Pages() {
    for (size_t i = 0; i < stand_in_count; ++i)
      for (uint32_t page = stand_ins[i].first >> 8; page <= stand_ins[i].last >> 8; ++page)
        any.set(page);
  }
};

// The character that stands for this one; itself for most.
uint32_t stands_for(uint32_t code) {
  static const Pages pages;
  if (!pages.any[code >> 8]) return code;
  const StandIn* end = stand_ins + stand_in_count;
  const StandIn* at = std::upper_bound(
      stand_ins, end, code, [](uint32_t c, const StandIn& range) { return c < range.first; });
  return at != stand_ins && code <= (at - 1)->last ? (at - 1)->stands : code;
}

}  // namespace

std::string_view with_stand_ins(std::string_view text, std::string& store) {
  for (size_t at = 0; at < text.size();) {
    if (uint8_t(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const Character c = character_at(text, at);
    const uint32_t stands = stands_for(c.code);
    if (stands != c.code) {
      if (store.empty()) store = text;
      std::string bytes;
      append_utf8(bytes, stands);
      store.replace(at, bytes.size(), bytes);
    }
    at += c.bytes;
  }
  return store.empty() ? text : std::string_view(store);
}

}  // namespace afina
