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

// character_at in text that is known to be valid.
inline Character valid_character_at(std::string_view text, size_t at) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data()) + at;
  const uint32_t first = bytes[0];
  if (first < 0x80) return {first, 1, true};
  if (first < 0xE0) return {(first & 0x1F) << 6 | (bytes[1] & 0x3Fu), 2, true};
  const uint32_t two = (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu);
  if (first < 0xF0) return {(first & 0xF) << 12 | two, 3, true};
  return {(first & 7) << 18 | two << 6 | (bytes[3] & 0x3Fu), 4, true};
}
// character_at where the byte is not ASCII.
Character long_character_at(std::string_view text, size_t at);

inline Character character_at(std::string_view text, size_t at) {
  const uint8_t first = uint8_t(text[at]);
  if (first < 0x80) return {first, 1, true};
  return long_character_at(text, at);
}

}  // namespace afina
