// What kinds of characters the expressions of tokenizers tell apart.
#include "data/tokenizer/character_sets.h"

#include <mutex>
#include <string>
#include <vector>

#include "data/tokenizer/regex.h"
#include "data/tokenizer/utf8.h"

namespace afina {

namespace {

struct Named {
  uint8_t set;
  Regex regex;
};
const std::vector<Named>& expressions() {
  static const std::vector<Named> all = [] {
    std::vector<Named> made;
    auto add = [&](uint8_t set, const char* pattern) { made.push_back({set, {pattern, pattern}}); };
    add(upper_letter, R"([\p{Lu}\p{Lt}])");
    add(lower_letter, R"(\p{Ll})");
    add(other_letter, R"([\p{Lm}\p{Lo}])");
    add(mark, R"(\p{M})");
    add(number, R"(\p{N})");
    add(white_space, R"(\s)");
    add(line_end, R"([\r\n])");
    return made;
  }();
  return all;
}

}  // namespace

CharacterSets::CharacterSets() {
  const Page& first = made(0);
  for (size_t i = 0; i < ascii_.size(); ++i) ascii_[i] = first[i];
}

const CharacterSets& CharacterSets::all() {
  static const CharacterSets sets;
  return sets;
}

const CharacterSets::Page& CharacterSets::made(uint32_t index) const {
  static std::mutex mutex;
  static std::vector<std::unique_ptr<Page>> pages;
  std::lock_guard lock(mutex);
  if (const Page* there = pages_[index].load(std::memory_order_acquire)) return *there;
  std::string text;
  std::vector<uint8_t> at;  // for each byte of the text, the character that begins there
  for (uint32_t i = 0; i < 256; ++i) {
    const uint32_t code = index << 8 | i;
    if (code >= 0xD800 && code < 0xE000) continue;  // surrogates: no text has them
    append_utf8(text, code);
    at.resize(text.size(), uint8_t(i));
  }
  auto page = std::make_unique<Page>();
  page->fill(0);
  for (const Named& one : expressions())
    one.regex.each_match(text, [&](size_t begin, size_t) { (*page)[at[begin]] |= one.set; });
  for (uint8_t& sets : *page)
    if (sets == 0) sets = no_set;
  pages.push_back(std::move(page));
  pages_[index].store(pages.back().get(), std::memory_order_release);
  return *pages.back();
}

}  // namespace afina
