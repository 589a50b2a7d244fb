// Splits texts into words and sentences.
#include "data/checks/words.h"

#include <algorithm>
#include <array>

#include "data/tokenizer/characters.h"
#include "data/tokenizer/utf8.h"

namespace afina {

namespace {

enum class Letter : uint8_t { space, letter, digit, other };

// Of ASCII, from a table: texts are split again by every check, which takes a good part of its
// time.
struct Ascii {
  Letter kind;
  uint8_t lower;
};
constexpr std::array<Ascii, 128> ascii = [] {
  std::array<Ascii, 128> table{};
  for (uint32_t code = 0; code < 128; ++code) {
    const bool upper = code >= 'A' && code <= 'Z', letter = upper || (code >= 'a' && code <= 'z');
    table[code].kind = letter                       ? Letter::letter
                       : code >= '0' && code <= '9' ? Letter::digit
                       : code <= ' '                ? Letter::space
                                                    : Letter::other;
    table[code].lower = uint8_t(upper ? code | 32 : code);
  }
  return table;
}();

inline Letter letter_of(uint32_t code) {
  if (code < 0x80) return ascii[code].kind;
  if (is_white_space(code)) return Letter::space;
  return is_word_character(code) ? Letter::letter : Letter::other;
}

uint64_t mixed(uint64_t h) {
  h ^= h >> 33;
  h *= 0xFF51AFD7ED558CCDull;
  return h ^ (h >> 29);
}

inline void hash_code(uint64_t& h, uint32_t code) { h = (h ^ code) * 0x100000001B3ull; }

constexpr uint64_t hash_start = 0xCBF29CE484222325ull;

bool is_dash(char c) { return c == '-' || c == '/' || c == '_'; }
bool is_point(char c) { return c == '.' || c == ',' || c == ':'; }

// Chinese characters and kana: a word each, as no blanks stand between words.
bool stands_alone(uint32_t code) {
  return (code >= 0x3040 && code < 0x3100) || (code >= 0x3400 && code < 0xA000);
}
// Hangul follows its number without a blank.
bool joins_numbers(uint32_t code) { return code >= 0xAC00 && code < 0xD7B0; }

}  // namespace

uint64_t text_hash(std::string_view text) {
  uint64_t h = hash_start;
  for (size_t at = 0; at < text.size();) {
    const Character c = character_at(text, at);
    hash_code(h, c.code);
    at += c.bytes;
  }
  return mixed(h);
}

std::string lower_text(std::string_view text) {
  std::string out(text);
  size_t at = 0;
  for (; at < text.size() && uint8_t(text[at]) < 0x80; ++at)
    out[at] = char(ascii[uint8_t(text[at])].lower);
  out.resize(at);
  while (at < text.size()) {
    const Character c = character_at(text, at);
    if (c.code < 0x80) out += char(ascii[c.code].lower);
    else append_utf8(out, lower_case(c.code));
    at += c.bytes;
  }
  return out;
}

std::string lower_in_place(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Character c = character_at(text, at);
    const size_t before = out.size();
    if (c.code < 0x80) out += char(ascii[c.code].lower);
    else append_utf8(out, lower_case(c.code));
    if (out.size() - before != c.bytes) {
      out.resize(before);
      out += text.substr(at, c.bytes);
    }
    at += c.bytes;
  }
  return out;
}

// The character at `at`, and how many bytes it takes. Not as one value that is written in parts and
// read as a whole, for which processors wait.
static inline uint32_t code_at(std::string_view text, size_t at, size_t& bytes) {
  const auto byte = uint8_t(text[at]);
  bytes = 1;
  if (byte < 0x80) return byte;
  const Character c = character_at(text, at);
  bytes = c.bytes;
  return c.code;
}

void split_words(std::string_view text, std::vector<Word>& out) {
  // Nearly always enough. Words are written where they stay, part by part.
  out.resize(text.size() / 4 + 4);
  size_t count = 0, bytes = 0;
  for (size_t at = 0; at < text.size();) {
    const uint32_t first = code_at(text, at, bytes);
    const Letter kind = letter_of(first);
    if (kind == Letter::space) {
      at += bytes;
      continue;
    }
    if (count == out.size()) out.resize(2 * count);
    Word& word = out[count++];
    word.begin = uint32_t(at);
    if (kind == Letter::other || stands_alone(first)) {
      word.kind = kind == Letter::other ? WordKind::mark : WordKind::word;
      word.capital = word.shouted = false;
      uint64_t h = hash_start;
      hash_code(h, first);
      at += bytes;
      word.end = uint32_t(at);
      word.id = mixed(h);
      continue;
    }
    uint64_t h = hash_start;
    size_t letters = 0, digits = 0, upper = 0;
    bool capital = false;
    Letter before = Letter::space;
    while (at < text.size()) {
      // Most words are of nothing else.
      const size_t begin = at;
      for (uint8_t byte; letters > 0 && at < text.size() && (byte = uint8_t(text[at])) < 0x80 &&
                         ascii[byte].kind == Letter::letter;
           ++at) {
        upper += ascii[byte].lower != byte;
        hash_code(h, ascii[byte].lower);
      }
      if (at > begin) {
        letters += at - begin;
        before = Letter::letter;
        continue;
      }
      const uint32_t code = code_at(text, at, bytes);
      const Letter now = letter_of(code);
      if (now == Letter::letter || now == Letter::digit) {
        if (now == Letter::letter && joins_numbers(code) && before == Letter::digit) break;
        if (stands_alone(code)) break;
        // "4pm" and "30d" are a number and its unit; "QC12345" stays whole.
        if (now == Letter::letter && before == Letter::digit && letters == 0 && digits <= 4 &&
            (code | 32) == code)
          break;
        const uint32_t low = code < 0x80 ? ascii[code].lower : lower_case(code);
        if (now == Letter::letter) {
          if (low != code) {
            ++upper;
            if (letters + digits == 0) capital = true;
          }
          ++letters;
        } else {
          ++digits;
        }
        hash_code(h, low);
        before = now;
        at += bytes;
        continue;
      }
      // What joins two letters or two digits stays inside.
      const size_t next = at + bytes;
      if (next >= text.size()) break;
      const Letter after = letter_of(code_at(text, next, bytes));
      const bool apostrophe = code == '\'' || code == 0x2019;
      const bool joins =
          (apostrophe && before == Letter::letter && after == Letter::letter) ||
          (code < 0x80 && is_dash(char(code)) && after != Letter::space && after != Letter::other &&
           (code != '/' || before == Letter::digit || upper > 1) &&
           !(before == Letter::digit && letters == 0 && after == Letter::letter)) ||
          (code < 0x80 && is_point(char(code)) && before == Letter::digit &&
           after == Letter::digit);
      if (!joins) break;
      hash_code(h, apostrophe ? '\'' : code);
      at = next;
    }
    word.end = uint32_t(at);
    word.id = mixed(h);
    word.kind = digits == 0    ? WordKind::word
                : letters == 0 ? WordKind::number
                               : WordKind::identifier;
    word.capital = capital;
    word.shouted = letters >= 2 && upper == letters;
  }
  out.resize(count);
}

void split_sentences(std::string_view text, const std::vector<Word>& words,
                     std::vector<SentenceSpan>& out) {
  out.clear();
  uint32_t first = 0;
  auto end_at = [&](uint32_t last) {
    if (last > first) out.push_back({first, last});
    first = last;
  };
  for (uint32_t i = 0; i < words.size(); ++i) {
    if (i + 1 == words.size()) break;
    const Word& word = words[i];
    const Word& next = words[i + 1];
    const std::string_view gap = text.substr(word.end, next.begin - word.end);
    bool line_ends = false;  // gaps are too short for a search
    for (char c : gap) line_ends |= c == '\n';
    if (line_ends) {
      end_at(i + 1);
      continue;
    }
    if (word.kind != WordKind::mark) continue;
    const std::string_view wide = text.substr(word.begin, word.end - word.begin);
    if (wide == "\xE3\x80\x82" || wide == "\xEF\xBC\x81" || wide == "\xEF\xBC\x9F") {
      end_at(i + 1);
      continue;
    }
    if (gap.empty()) continue;
    // A closing quote or bracket may follow the point.
    uint32_t point = i;
    auto is = [&](uint32_t at, std::string_view set) {
      const std::string_view mark = text.substr(words[at].begin, words[at].end - words[at].begin);
      return mark.size() == 1 && set.find(mark) != set.npos;
    };
    while (point > first && words[point].kind == WordKind::mark && is(point, "\"')]")) --point;
    const std::string_view mark =
        text.substr(words[point].begin, words[point].end - words[point].begin);
    if (mark != "." && mark != "!" && mark != "?" && mark != "\xE2\x80\xA6") continue;
    const bool goes_on = mark == "." && (next.kind == WordKind::number ||
                                         (next.kind == WordKind::word && !next.capital));
    if (!goes_on) end_at(i + 1);
  }
  end_at(uint32_t(words.size()));
}

std::string squeezed(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool gap = false;
  for (char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      gap = true;
      continue;
    }
    if (gap && !out.empty()) out += ' ';
    gap = false;
    out += c;
  }
  return out;
}

std::string_view first_bytes(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (uint8_t(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

uint64_t stem_of(std::string_view word) {
  // Without a copy, where a character is a byte.
  const size_t most = std::min<size_t>(word.size(), 5);
  uint64_t h = hash_start, but_last = h;
  size_t read = 0;
  for (; read < most && uint8_t(word[read]) < 0x80; ++read) {
    but_last = h;
    hash_code(h, ascii[uint8_t(word[read])].lower);
  }
  if (read == most) {
    const bool plural =
        word.size() == most && most > 3 && ascii[uint8_t(word[most - 1])].lower == 's';
    return mixed(plural ? but_last : h);
  }
  const std::string low = lower_text(word);
  size_t end = 0;
  for (int letters = 0; end < low.size() && letters < 5; ++letters)
    end += character_at(low, end).bytes;
  // The s of plurals of short words.
  if (end == low.size() && low.size() > 3 && low.back() == 's') --end;
  return text_hash(std::string_view(low).substr(0, end));
}

}  // namespace afina
