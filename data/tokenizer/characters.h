// What kinds of character there are, as the tokenizers library has them: its parts hold tables of
// different versions of Unicode, so these are asked of the library (make_character_tables.py).
#pragma once
#include <cstdint>

namespace afina {

bool is_number(uint32_t code);           // N of the pre-tokenizer Digits
bool is_punctuation(uint32_t code);      // of Punctuation and BertPreTokenizer; all of ASCII's
bool is_word_character(uint32_t code);   // \w of the regex crate: Whitespace and single_word
bool is_mark(uint32_t code);             // M of StripAccents
bool is_nonspacing_mark(uint32_t code);  // Mn of BertNormalizer
bool is_cleaned(uint32_t code);          // what BertNormalizer's clean_text takes out
bool is_chinese(uint32_t code);          // CJK ideographs of BertNormalizer
// The simple lower case; U+0130, which becomes two characters, is left to the caller.
uint32_t lower_case(uint32_t code);
// The script of UnicodeScripts as a number; 0 for what belongs to every script.
uint8_t script_of(uint32_t code);

}  // namespace afina
