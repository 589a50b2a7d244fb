// UTF-8: decodes characters of possibly invalid text, and encodes characters.
#include "data/tokenizer/utf8.h"

#include <cstring>

namespace afina {

namespace {

// Number of bytes announced by a lead byte, and the valid range of its second byte (The Unicode
// Standard, table 3-7); 0 for bytes that cannot lead.
struct Lead {
  uint32_t bytes, low, high;
};

Lead lead_of(uint8_t byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte < 0xF0) return {3, byte == 0xE0 ? 0xA0u : 0x80u, byte == 0xED ? 0x9Fu : 0xBFu};
  if (byte < 0xF5) return {4, byte == 0xF0 ? 0x90u : 0x80u, byte == 0xF4 ? 0x8Fu : 0xBFu};
  return {0, 0, 0};
}

}  // namespace

// The end of the text, and what is invalid.
static Character careful_character_at(std::string_view text, size_t at) {
  uint8_t first = uint8_t(text[at]);
  Lead lead = lead_of(first);
  if (lead.bytes == 1) return {first, 1, true};
  if (lead.bytes == 0) return {0xFFFD, 1, false};
  uint32_t code = first & (0x7Fu >> lead.bytes);
  for (uint32_t i = 1; i < lead.bytes; ++i) {
    if (at + i >= text.size()) return {0xFFFD, i, false};
    uint8_t byte = uint8_t(text[at + i]);
    if (byte < (i == 1 ? lead.low : 0x80) || byte > (i == 1 ? lead.high : 0xBF))
      return {0xFFFD, i, false};
    code = code << 6 | (byte & 0x3F);
  }
  return {code, lead.bytes, true};
}

Character long_character_at(std::string_view text, size_t at) {
  const uint8_t first = uint8_t(text[at]);
  if (text.size() - at < 4) return careful_character_at(text, at);
  const uint32_t a = uint8_t(text[at + 1]), b = uint8_t(text[at + 2]), c = uint8_t(text[at + 3]);
  const bool second = (a & 0xC0) == 0x80, third = second && (b & 0xC0) == 0x80;
  if (first > 0xE0 && first < 0xF0 && first != 0xED && third)
    return {(first & 0xFu) << 12 | (a & 0x3F) << 6 | (b & 0x3F), 3, true};
  if (first >= 0xC2 && first < 0xE0 && second) return {(first & 0x1Fu) << 6 | (a & 0x3F), 2, true};
  if (first > 0xF0 && first < 0xF4 && third && (c & 0xC0) == 0x80)
    return {(first & 7u) << 18 | (a & 0x3F) << 12 | (b & 0x3F) << 6 | (c & 0x3F), 4, true};
  return careful_character_at(text, at);
}

bool is_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    uint64_t word;
    while (text.size() - at >= 8) {
      std::memcpy(&word, text.data() + at, 8);
      if (word & 0x8080808080808080ull) break;
      at += 8;
    }
    if (at == text.size()) return true;
    if (uint8_t(text[at]) < 0x80) {
      ++at;
      continue;
    }
    Character c = character_at(text, at);
    if (!c.valid) return false;
    at += c.bytes;
  }
  return true;
}

std::string valid_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  for (size_t at = 0; at < text.size();) {
    Character c = character_at(text, at);
    out += c.valid ? text.substr(at, c.bytes) : replacement_character;
    at += c.bytes;
  }
  return out;
}

void append_utf8(std::string& text, uint32_t code) {
  if (code < 0x80) {
    text += char(code);
  } else if (code < 0x800) {
    text += {char(0xC0 | code >> 6), char(0x80 | (code & 0x3F))};
  } else if (code < 0x10000) {
    text += {char(0xE0 | code >> 12), char(0x80 | (code >> 6 & 0x3F)), char(0x80 | (code & 0x3F))};
  } else {
    text += {char(0xF0 | code >> 18), char(0x80 | (code >> 12 & 0x3F)),
             char(0x80 | (code >> 6 & 0x3F)), char(0x80 | (code & 0x3F))};
  }
}

size_t incomplete_tail(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    size_t at = text.size() - back;
    if ((uint8_t(text[at]) & 0xC0) == 0x80) continue;
    Character c = character_at(text, at);
    return !c.valid && c.bytes == back && lead_of(uint8_t(text[at])).bytes > back ? back : 0;
  }
  return 0;
}

bool is_white_space(uint32_t code) {
  return (code >= 9 && code <= 13) || code == 32 || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
         code == 0x202F || code == 0x205F || code == 0x3000;
}

}  // namespace afina
