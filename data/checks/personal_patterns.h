// Patterns of personal data in a text.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace afina {

struct PersonalPiece {
  uint32_t begin, end;  // bytes
  const char* kind;     // "mail address"
  double certain;
};
// In their order, none within another. Cards must pass Luhn's check, IBANs ISO 7064 (mod 97),
// Spanish identity numbers their letter, unless the words before them say what they are.
void find_personal(std::string_view text, std::vector<PersonalPiece>& out);

}  // namespace afina
