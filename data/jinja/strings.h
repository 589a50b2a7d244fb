// What Python's str does, on UTF-8: white space, case, search by characters.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace afina::jinja {

// Python's str.strip(): `characters` empty for white space as str.isspace() has it.
std::string stripped(std::string_view text, std::string_view characters, bool left, bool right);
// str.isspace() of one character: a little more than Unicode's White_Space.
bool python_space(uint32_t code);
// The number of characters (code points).
size_t length_of(std::string_view text);
// str.upper(), lower(), capitalize(), title(): ASCII, Latin, Greek and Cyrillic letters. An Error
// names a character with case beyond those.
enum class Case : uint8_t { upper, lower, capitalize, title };
std::string with_case(std::string_view text, Case wanted);
// str.split(separator, most): an empty separator splits at white space; most -1: no limit.
std::vector<std::string> split(std::string_view text, std::string_view separator, int64_t most);
std::vector<std::string> split_from_right(std::string_view text, std::string_view separator,
                                          int64_t most);
std::vector<std::string> split_lines(std::string_view text, bool keep_ends);
// str.replace(from, to, most).
// Where `wanted` begins in the text, from byte `from` on; npos where it does not. In time of their
// lengths' sum, whatever they are.
size_t found_in(std::string_view text, std::string_view wanted, size_t from = 0);
std::string replaced(std::string_view text, std::string_view from, std::string_view to,
                     int64_t most);

}  // namespace afina::jinja
