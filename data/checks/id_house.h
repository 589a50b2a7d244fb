// How a house writes identifiers of so many digits, learnt from all that its answers have.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace afina {

// Digits as 9: QC-12345 is "QC-99999".
std::string shape_of(std::string_view text);
// The shape with letters as A and a: which letters they are is another question.
std::string class_of(std::string shape);

// How the house writes identifiers of so many digits: AA-99999-A, and which letters stand where.
struct House {
  std::string shape, example;
  std::vector<std::string> letters;  // at each place of the shape; empty: any

  // Is a shape the house's?
  bool has(const std::string& other) const;
  // The letters before the first digit or mark; empty: not always the same.
  std::string front() const;
};

// Learns the house's form from all shapes of so many digits and how often each stands.
void learn_letters(const std::map<std::string, uint32_t>& counts, House& house);

}  // namespace afina
