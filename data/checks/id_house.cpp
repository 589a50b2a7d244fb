// Shapes of identifiers, and which letters stand where.
#include "data/checks/id_house.h"

#include <algorithm>

namespace afina {

std::string shape_of(std::string_view text) {
  std::string shape(text);
  for (char& c : shape)
    if (c >= '0' && c <= '9') c = '9';
  return shape;
}

std::string class_of(std::string shape) {
  for (char& c : shape) {
    if (c >= 'A' && c <= 'Z') c = 'A';
    if (c >= 'a' && c <= 'z') c = 'a';
  }
  return shape;
}

bool House::has(const std::string& other) const {
  if (class_of(other) != shape) return false;
  for (size_t i = 0; i < shape.size(); ++i)
    if (!letters[i].empty() && letters[i].find(other[i]) == std::string::npos) return false;
  return true;
}

std::string House::front() const {
  const size_t end = shape.find_first_not_of("Aa");
  std::string out;
  for (size_t i = 0; i < std::min(end, shape.size()); ++i) {
    if (letters[i].size() != 1) return "";
    out += letters[i];
  }
  return out;
}

void learn_letters(const std::map<std::string, uint32_t>& counts, House& house) {
  house.letters.assign(house.shape.size(), "");
  for (size_t i = 0; i < house.shape.size(); ++i) {
    if (house.shape[i] != 'A' && house.shape[i] != 'a') continue;
    std::map<char, uint32_t> at;
    uint32_t all = 0, best = 0;
    for (auto& [shape, count] : counts)
      if (class_of(shape) == house.shape) {
        best = std::max(best, at[shape[i]] += count);
        all += count;
      }
    // Where one letter stands in most, few others are the house's; else any may.
    if (best * 5 < all * 3) continue;
    for (auto& [letter, count] : at)
      if (count * 10 >= all) house.letters[i] += letter;
  }
}

}  // namespace afina
