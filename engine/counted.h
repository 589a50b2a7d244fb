// Numbers with their noun, for messages.
#pragma once
#include <cstdint>
#include <string>

namespace afina {

// "1 record", "3 records". noun: one whose plural ends with s.
inline std::string counted(int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}
// "1 of 1 record", "1 of 3 records".
inline std::string counted_of(int64_t count, int64_t all, const std::string& noun) {
  return std::to_string(count) + " of " + counted(all, noun);
}

}  // namespace afina
