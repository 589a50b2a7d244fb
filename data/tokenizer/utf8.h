// UTF-8: decodes characters of possibly invalid text, and encodes characters.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace afina {

// A decoded character; U+FFFD with valid == false for an invalid sequence.
struct Character {
  uint32_t code = 0;
  // Length in the text; for an invalid sequence the number of bytes that one U+FFFD replaces (1 to
  // 3).
  uint32_t bytes = 0;
  bool valid = false;
};

// Decodes the character at byte offset `at` (< text.size()). Invalid bytes are grouped as Unicode
// recommends (maximal subparts), as do Python's errors="replace" and Rust's from_utf8_lossy.
inline Character character_at(std::string_view text, size_t at);
bool is_utf8(std::string_view text);
// A copy with U+FFFD in place of invalid sequences.
std::string valid_utf8(std::string_view text);
void append_utf8(std::string& text, uint32_t code);
// Number of bytes at the end that begin a character but do not complete it (0 to 3).
size_t incomplete_tail(std::string_view text);
// Unicode property White_Space.
bool is_white_space(uint32_t code);

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

// Where the fast way of character_at does not go: the end of the text, and what is invalid.
Character careful_character_at(std::string_view text, size_t at);

inline Character character_at(std::string_view text, size_t at) {
  const uint8_t first = uint8_t(text[at]);
  if (first < 0x80) return {first, 1, true};
  if (text.size() - at >= 4) {
    const uint32_t a = uint8_t(text[at + 1]), b = uint8_t(text[at + 2]), c = uint8_t(text[at + 3]);
    const bool second = (a & 0xC0) == 0x80, third = second && (b & 0xC0) == 0x80;
    if (first >= 0xC2 && first < 0xE0 && second)
      return {(first & 0x1Fu) << 6 | (a & 0x3F), 2, true};
    if (first > 0xE0 && first < 0xF0 && first != 0xED && third)
      return {(first & 0xFu) << 12 | (a & 0x3F) << 6 | (b & 0x3F), 3, true};
    if (first > 0xF0 && first < 0xF4 && third && (c & 0xC0) == 0x80)
      return {(first & 7u) << 18 | (a & 0x3F) << 12 | (b & 0x3F) << 6 | (c & 0x3F), 4, true};
  }
  return careful_character_at(text, at);
}

}  // namespace afina
