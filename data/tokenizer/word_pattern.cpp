// Expressions that cut text into words, read by hand: each alternative does what backtracking over
// it would come to.
#include "data/tokenizer/word_pattern.h"

#include <bit>

#include "data/tokenizer/utf8.h"

namespace afina {

namespace {

using Kind = WordScanner::Kind;
using Alternative = WordScanner::Alternative;

constexpr uint8_t upper_set = upper_letter | other_letter | mark,
                  lower_set = lower_letter | other_letter | mark,
                  outside = mark | no_set,         // [^\s\p{L}\p{N}]
    before_letters = mark | no_set | white_space;  // [^\r\n\p{L}\p{N}] with line ends

struct Named {
  std::string_view pattern;
  Alternative one;
};

std::vector<Named> known() {
  std::vector<Named> all;
  for (std::string_view text : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    Alternative one{Kind::literal};
    one.text = text;
    all.push_back({text, one});
  }
  all.push_back({"(?i:'s|'t|'re|'ve|'m|'ll|'d)", {Kind::contraction}});
  all.push_back({R"(\s*[\r\n]+)", {Kind::lines}});
  all.push_back({R"(\s+(?!\S))", {Kind::space_before_end}});
  auto run = [&](std::string_view pattern, uint8_t set, auto... rest) {
    Alternative one{Kind::run};
    one.set = set;
    (rest(one), ...);
    all.push_back({pattern, one});
  };
  auto blank = [](Alternative& one) { one.space_prefix = true; };
  auto any = [](Alternative& one) { one.prefix = before_letters; };
  auto tail = [](Alternative& one) { one.tail = true; };
  auto slash = [](Alternative& one) { one.slash = true; };
  auto most = [](uint32_t count) { return [count](Alternative& one) { one.most = count; }; };
  run(R"(\s+)", white_space);
  run(R"(\p{L}+)", letter);
  run(R"( ?\p{L}+)", letter, blank);
  run(R"([^\r\n\p{L}\p{N}]?\p{L}+)", letter, any);
  run(R"([^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+)", letter | mark, any);
  run(R"(\p{N})", number, most(1));
  run(R"(\p{N}+)", number);
  run(R"( ?\p{N}+)", number, blank);
  run(R"(\p{N}{1,3})", number, most(3));
  run(R"( ?[^\s\p{L}\p{N}]+)", outside, blank);
  run(R"( ?[^\s\p{L}\p{N}]+[\r\n]*)", outside, blank, tail);
  run(R"( ?[^\s\p{L}\p{N}]+[\r\n/]*)", outside, blank, tail, slash);
  run(R"( ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)", no_set, blank, tail);
  auto word = [&](std::string_view pattern, Kind kind, bool suffix) {
    Alternative one{kind};
    one.prefix = before_letters;
    one.suffix = suffix;
    all.push_back({pattern, one});
  };
  word(R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)",
       Kind::lower_word, false);
  word(R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)",
       Kind::upper_word, false);
  word(R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
       R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)",
       Kind::lower_word, true);
  word(R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
       R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)",
       Kind::upper_word, true);
  return all;
}

// The alternatives of a pattern: what stands between bars outside of brackets.
std::vector<std::string_view> alternatives(std::string_view pattern) {
  std::vector<std::string_view> all;
  int open = 0;
  bool in_class = false;
  size_t begin = 0;
  for (size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '\\') ++at;
    else if (in_class) in_class = c != ']';
    else if (c == '[') in_class = true;
    else if (c == '(') ++open;
    else if (c == ')') --open;
    else if (c == '|' && open == 0) {
      all.push_back(pattern.substr(begin, at - begin));
      begin = at + 1;
    }
  }
  all.push_back(pattern.substr(begin));
  return all;
}

// A place in a text, with the sets of the character there.
struct Place {
  const CharacterSets& sets;
  std::string_view text;
  uint8_t set(size_t at, size_t& next) const {
    const uint8_t byte = uint8_t(text[at]);
    if (byte < 128) {
      next = at + 1;
      return sets.of_ascii(byte);
    }
    const Character c = valid_character_at(text, at);
    next = at + c.bytes;
    return sets.of(c.code);
  }
  uint8_t set(size_t at) const {
    size_t next;
    return at < text.size() ? set(at, next) : 0;
  }
  // The end of characters of a set.
  size_t run(size_t at, uint8_t wanted) const {
    for (size_t next = at; at < text.size() && (set(at, next) & wanted); at = next) {}
    return at;
  }

  // 's and the like in small or capital letters; U+017F is a small s as well.
  size_t contraction(size_t at) const {
    if (at + 1 >= text.size() || text[at] != '\'') return at;
    auto small = [&](size_t i) { return i < text.size() ? char(text[i] | 0x20) : ' '; };
    const char first = small(at + 1), second = small(at + 2);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
    if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') ||
        (first == 'l' && second == 'l'))
      return at + 3;
    if (text.substr(at + 1).starts_with("\u017f")) return at + 3;
    return at;
  }

  // upper* lower+ from `at`, or upper+ lower*; `at` if there is none.
  size_t lower_word(size_t at) const {
    size_t next = at, after_both = at;
    size_t upper = at;
    // The last of the upper ones that is a lower one as well is what the second part may be cut
    // down to.
    while (upper < text.size()) {
      const uint8_t now = set(upper, next);
      if (!(now & upper_set)) break;
      if (now & lower_set) after_both = next;
      upper = next;
    }
    const size_t end = run(upper, lower_set);
    return end > upper ? end : after_both;
  }
  size_t upper_word(size_t at) const {
    const size_t upper = run(at, upper_set);
    return upper > at ? run(upper, lower_set) : at;
  }
};

size_t match_run(const Place& place, const Alternative& one, size_t at) {
  size_t from = at, next = at;
  const uint8_t now = place.set(at, next);
  const bool prefix =
      one.space_prefix ? place.text[at] == ' ' : (now & one.prefix) && !(now & line_end);
  if (prefix && (place.set(next) & one.set)) from = next;
  else if (!(now & one.set)) return at;
  size_t end = from;
  if (one.most == ~uint32_t(0)) {
    end = place.run(from, one.set);
  } else {
    for (uint32_t i = 0; i < one.most && end < place.text.size(); ++i) {
      if (!(place.set(end, next) & one.set)) break;
      end = next;
    }
  }
  if (one.tail)
    while (end < place.text.size() && (place.text[end] == '\r' || place.text[end] == '\n' ||
                                       (one.slash && place.text[end] == '/')))
      ++end;
  return end;
}

size_t match_word(const Place& place, const Alternative& one, size_t at) {
  size_t next = at;
  const uint8_t now = place.set(at, next);
  auto word = [&](size_t from) {
    return one.kind == Kind::lower_word ? place.lower_word(from) : place.upper_word(from);
  };
  size_t end = at;
  if ((now & one.prefix) && !(now & line_end)) {
    end = word(next);
    if (end == next) end = at;
  }
  if (end == at) end = word(at);
  return end > at && one.suffix ? place.contraction(end) : end;
}

// White space up to the last line end in it.
size_t match_lines(const Place& place, size_t at) {
  size_t end = at;
  for (size_t next = at; at < place.text.size(); at = next) {
    const uint8_t now = place.set(at, next);
    if (!(now & white_space)) break;
    if (now & line_end) end = next;
  }
  return end;
}

// White space to the end of the text, or all but the last of it before something else.
size_t match_space_before_end(const Place& place, size_t at) {
  size_t last = at;
  for (size_t next = at; at < place.text.size(); at = next) {
    if (!(place.set(at, next) & white_space)) return last;
    last = at;
  }
  return at;
}

size_t match_one(const Place& place, const Alternative& one, size_t at) {
  switch (one.kind) {
    case Kind::literal:
      return place.text.substr(at).starts_with(one.text) ? at + one.text.size() : at;
    case Kind::contraction: return place.contraction(at);
    case Kind::run: return match_run(place, one, at);
    case Kind::lower_word:
    case Kind::upper_word: return match_word(place, one, at);
    case Kind::lines: return match_lines(place, at);
    case Kind::space_before_end: return match_space_before_end(place, at);
  }
  return at;
}

// Whether a match of an alternative can begin with a character of these sets.
bool can_begin(const Alternative& one, uint8_t sets, char ascii) {
  switch (one.kind) {
    case Kind::literal: return ascii == one.text[0];
    case Kind::contraction: return ascii == '\'';
    case Kind::run: return (sets & (one.set | one.prefix)) || (one.space_prefix && ascii == ' ');
    case Kind::lower_word:
    case Kind::upper_word: return sets & (upper_set | lower_set | one.prefix);
    case Kind::lines:
    case Kind::space_before_end: return sets & white_space;
  }
  return true;
}

}  // namespace

WordScanner::WordScanner(std::vector<Alternative> all) : all_(std::move(all)) {
  const CharacterSets& sets = CharacterSets::all();
  first_.fill(0);
  first_of_.fill(0);
  for (size_t i = 0; i < all_.size(); ++i) {
    for (uint8_t c = 0; c < 128; ++c)
      if (can_begin(all_[i], sets.of_ascii(c), char(c))) first_[c] |= uint32_t(1) << i;
    for (size_t bit = 0; bit < 8; ++bit)
      if (can_begin(all_[i], uint8_t(1 << bit), '\0')) first_of_[bit] |= uint32_t(1) << i;
  }
}

std::optional<WordScanner> WordScanner::of(std::string_view pattern) {
  static const std::vector<Named> all = known();
  std::vector<Alternative> found;
  for (std::string_view text : alternatives(pattern)) {
    const size_t before = found.size();
    for (const Named& one : all)
      if (one.pattern == text) found.push_back(one.one);
    if (found.size() == before || found.size() > 32) return std::nullopt;
  }
  return WordScanner(std::move(found));
}

size_t WordScanner::match(std::string_view text, size_t at) const {
  const Place place = {CharacterSets::all(), text};
  const uint8_t byte = uint8_t(text[at]);
  uint32_t tried = byte < 128 ? first_[byte] : first_of_[size_t(std::countr_zero(place.set(at)))];
  for (; tried; tried &= tried - 1) {
    const size_t end = match_one(place, all_[size_t(std::countr_zero(tried))], at);
    if (end > at) return end;
  }
  return at;
}

}  // namespace afina
