// UTF-8: characters of a text that need not be valid, and the bytes of a character.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace afina {

struct Character {
  uint32_t code = 0;
  uint32_t bytes = 0;  // what it takes in the text; for an invalid one, the bytes that one U+FFFD
                       // stands for (1 to 3)
  bool valid = false;
};

// The character at `at` (< text.size()). What is invalid is cut as Unicode recommends (maximal
// subparts), which is what Python's errors="replace" and Rust's from_utf8_lossy do.
Character character_at(std::string_view text, size_t at);
bool is_utf8(std::string_view text);
// With U+FFFD for what is invalid.
std::string valid_utf8(std::string_view text);
void append_utf8(std::string& text, uint32_t code);
// How many bytes at the end are the beginning of a character that is not complete yet (0 to 3).
size_t incomplete_tail(std::string_view text);
// Unicode's White_Space.
bool is_white_space(uint32_t code);

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

}  // namespace afina
