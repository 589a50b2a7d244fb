// What kinds of character there are, as the tokenizers library has them.
#include "data/tokenizer/characters.h"

#include <algorithm>

#include "data/tokenizer/character_tables.h"

namespace afina {

namespace {

enum Flag : uint8_t {
  number = 1,
  punctuation = 2,
  word = 4,
  mark = 8,
  nonspacing = 16,
  cleaned = 32
};

constexpr uint32_t hangul_begin = 0xAC00, hangul_end = 0xD7A4;

bool has(uint32_t code, Flag flag) {
  static CharacterBytes flags;
  static const bool filled = [] {
    flags.fill(character_flags, character_flags_count);
    for (uint32_t c = hangul_begin; c < hangul_end; ++c) flags.add(c, word);
    return true;
  }();
  return filled && (flags[code] & flag);
}

}  // namespace

bool is_number(uint32_t code) { return has(code, number); }
bool is_punctuation(uint32_t code) { return has(code, punctuation); }
bool is_word_character(uint32_t code) { return has(code, word); }
bool is_mark(uint32_t code) { return has(code, mark); }
bool is_nonspacing_mark(uint32_t code) { return has(code, nonspacing); }
bool is_cleaned(uint32_t code) { return has(code, cleaned); }

bool is_chinese(uint32_t code) {
  return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) ||
         (code >= 0x20000 && code <= 0x2A6DF) || (code >= 0x2A700 && code <= 0x2B73F) ||
         (code >= 0x2B740 && code <= 0x2B81F) || (code >= 0x2B920 && code <= 0x2CEAF) ||
         (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x2F800 && code <= 0x2FA1F);
}

uint32_t lower_case(uint32_t code) {
  if (code < 0x80) return code >= 'A' && code <= 'Z' ? code + 32 : code;
  const LowerCase* end = lower_cases + lower_cases_count;
  const LowerCase* at = std::upper_bound(
      lower_cases, end, code, [](uint32_t c, const LowerCase& one) { return c < one.first; });
  if (at == lower_cases) return code;
  --at;
  return code <= at->last && (code - at->first) % at->step == 0 ? at->to + (code - at->first)
                                                                : code;
}

uint8_t script_of(uint32_t code) {
  static CharacterBytes scripts;
  static const bool filled = [] {
    scripts.fill(character_scripts, character_scripts_count);
    return true;
  }();
  return filled ? scripts[code] : 0;
}

}  // namespace afina
