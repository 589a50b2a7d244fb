// Encodings of text files: everything becomes UTF-8, and what is not is named.
#pragma once
#include <string>
#include <string_view>

namespace afina {

// automatic: UTF-8, or UTF-16 where a byte order mark says so. The others are what somebody names.
enum class TextEncoding { automatic, utf8, utf16le, utf16be, latin1, windows1252 };

// The text as UTF-8 without a byte order mark. UTF-8 is passed on as it is: utf8_fault() finds what
// is wrong in the part that is read. Errors name file and byte: UTF-16 without a mark, half of a
// surrogate pair, UTF-32, a byte that Windows-1252 does not have.
std::string to_utf8(std::string bytes, TextEncoding encoding, const std::string& name);

// Empty for valid UTF-8. Else the first byte that is not, what it would be in Latin-1 or
// Windows-1252, and what to do.
std::string utf8_fault(std::string_view text);

// The text behind a UTF-8 byte order mark, if it begins with one.
std::string_view after_mark(std::string_view text);

}  // namespace afina
