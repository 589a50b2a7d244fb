// Characters that mean something else to regular expressions than an older Unicode says.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace afina {

// The characters from first to last are taken as `stands` is in Unicode 14: one of the same
// category and of the same length in UTF-8. Those that the tokenizers library does not know stand
// as a noncharacter, so that a newer PCRE2 gives the same words.
struct StandIn {
  uint32_t first, last, stands;
};
extern const StandIn stand_ins[];
extern const size_t stand_in_count;

// The text in which every such character is replaced, byte for byte as long; the text itself where
// there is none (`store` then stays empty). Valid UTF-8 is expected.
std::string_view with_stand_ins(std::string_view text, std::string& store);

}  // namespace afina
