// Damages valid input: truncation, flipped bits, lying lengths, pieces moved, doubled or taken from
// elsewhere.
#pragma once
#include <cstring>
#include <string>
#include <vector>

#include "test/fuzz/draw.h"
#include "test/fuzz/fuzz.h"
#include "test/fuzz/mutate_json.h"

namespace afina {

inline void put_number(std::string& input, Draw& draw) {
  static constexpr uint64_t numbers[] = {0,          1,         2,          7,          255,
                                         65535,      1u << 24,  INT32_MAX,  UINT32_MAX, 1ull << 32,
                                         1ull << 60, INT64_MAX, 1ull << 63, UINT64_MAX};
  uint64_t number = numbers[draw.below(std::size(numbers))] + draw.below(3) - 1;
  size_t width = size_t(1) << draw.below(4), at = draw.below(input.size());
  if (draw.below(4) == 0 && at < input.size())
    number = uint64_t(uint8_t(input[at])) + draw.below(16) - 8;  // near what is there
  if (draw.below(3) == 0) {
    // As text, over digits where there are some.
    size_t digit = input.find_first_of("0123456789", at),
           end = input.find_first_not_of("0123456789", digit);
    if (digit != input.npos)
      input.replace(digit, (end == input.npos ? input.size() : end) - digit,
                    std::to_string(int64_t(number)));
  } else if (at + width <= input.size()) {
    std::memcpy(input.data() + at, &number, width);
  }
}

inline void move_piece(std::string& input, const std::string& other, Draw& draw) {
  size_t from = draw.below(other.size()),
         length = draw.below(std::min<size_t>(other.size() - from, 200) + 1);
  std::string piece = other.substr(from, length);
  size_t at = draw.below(input.size() + 1);
  if (draw.below(2) == 0) input.insert(at, piece);
  else input.replace(at, std::min(length, input.size() - at), piece);
}

// A text with its length in front, as GGUF has them: other words with their length, or of the same
// length.
inline bool damage_text(std::string& input, const std::vector<std::string>& words, Draw& draw) {
  size_t at = draw.below(input.size());
  for (size_t tries = 0; tries < 128 && at + 9 < input.size(); ++tries, ++at) {
    uint64_t length;
    std::memcpy(&length, input.data() + at, 8);
    if (length == 0 || length > 64 || at + 8 + length > input.size() || uint8_t(input[at + 8]) < 32)
      continue;
    std::string text = input.substr(at + 8, size_t(length));
    if (!words.empty() && draw.below(2)) text = words[draw.below(words.size())];
    else text[draw.below(text.size())] = char(draw.bits());
    if (draw.below(2)) text.resize(size_t(length), '_');
    uint64_t now = text.size();
    input.replace(at, 8 + size_t(length),
                  std::string(reinterpret_cast<const char*>(&now), 8) + text);
    return true;
  }
  return false;
}

// One damage to `input`; `seeds` and `words` are material.
inline void damage(std::string& input, const std::vector<std::string>& seeds,
                   const std::vector<std::string>& words, Draw& draw) {
  size_t kind = draw.below(20);
  if (kind >= 10 && input.starts_with("GGUF") ? kind < 14 && damage_text(input, words, draw)
                                              : kind >= 10 && damage_json(input, seeds, draw))
    return;
  size_t at = draw.below(input.size());
  switch (kind % 10) {
    case 0: input.resize(draw.below(input.size() + 1)); break;
    case 1: input.erase(at, 1 + draw.below(16)); break;
    case 2: move_piece(input, input, draw); break;
    case 3: move_piece(input, seeds[draw.below(seeds.size())], draw); break;
    case 4:
      if (!words.empty()) input.insert(at, words[draw.below(words.size())]);
      break;
    case 5:
      if (!words.empty()) {
        const std::string& word = words[draw.below(words.size())];
        input.replace(at, std::min(word.size(), input.size() - at), word);
      }
      break;
    case 6:
      if (!input.empty()) input[at] = char(draw.bits());
      break;
    case 7:
      if (!input.empty()) input[at] = char(uint8_t(input[at]) ^ 1u << draw.below(8));
      break;
    default: put_number(input, draw);
  }
}

// A seed with one to eight damages, mostly few: deep places are reached only through a mostly valid
// file.
inline std::string mutate(const FuzzTarget& target, const std::vector<std::string>& seeds,
                          Draw& draw) {
  std::string input = seeds[draw.below(seeds.size())];
  size_t damages = size_t(1) << draw.below(4) >> draw.below(2);
  for (size_t i = 0; i < damages || i == 0; ++i) damage(input, seeds, target.words, draw);
  if (target.mend && draw.below(8)) target.mend(input);
  return input;
}

}  // namespace afina
