// What the tokenizers library knows of characters, in tables that make_character_tables.py writes.
#pragma once
#include <cstddef>
#include <cstdint>

namespace afina {

// `code` is `first` and `second` together (second 0: another name for first). Not all that come
// apart are put together again.
struct Decomposition {
  uint32_t code, first, second;
  bool composes;
};
// The characters from first to last have this canonical combining class; the others have 0.
struct CombiningClass {
  uint32_t first, last;
  uint8_t value;
};
// Decompositions of compatibility: the characters from first to last become `to`, to + 1, ...
struct CompatibleRun {
  uint32_t first, last, to;
};
// Sums of 1 number, 2 punctuation, 4 word, 8 mark, 16 nonspacing mark, 32 cleaned (characters.h).
struct CharacterFlags {
  uint32_t first, last;
  uint8_t value;
};
// first + k * step becomes to + k * step, up to last.
struct LowerCase {
  uint32_t first, last, step, to;
};
// Numbers of scripts; characters that are not listed belong to every script.
struct CharacterScript {
  uint32_t first, last;
  uint8_t value;
};
// Grapheme_Cluster_Break (ClusterKind in graphemes.cpp), + 16 for Extended_Pictographic, + 32, 64,
// 96 for the Indic_Conjunct_Break Consonant, Extend, Linker. Hangul syllables are not listed.
struct ClusterClass {
  uint32_t first, last;
  uint8_t value;
};
extern const Decomposition decompositions[];
extern const CombiningClass combining_classes[];
extern const CompatibleRun compatible_runs[];
// code, number of characters that it becomes, these characters; code, ...
extern const uint32_t compatible_texts[];
extern const CharacterFlags character_flags[];
extern const LowerCase lower_cases[];
extern const CharacterScript character_scripts[];
extern const ClusterClass cluster_classes[];
extern const size_t decompositions_count, combining_classes_count, compatible_runs_count,
    compatible_texts_count, character_flags_count, lower_cases_count, character_scripts_count,
    cluster_classes_count;

// A byte for every character, spread out of a table of ranges: most text is looked up in it.
class CharacterBytes {
 public:
  template <class Range>
  void fill(const Range* ranges, size_t count) {
    for (size_t i = 0; i < count; ++i)
      for (uint32_t code = ranges[i].first; code <= ranges[i].last; ++code)
        bytes_[code] |= ranges[i].value;
  }
  void add(uint32_t code, uint8_t value) { bytes_[code] |= value; }
  uint8_t operator[](uint32_t code) const { return code < all ? bytes_[code] : 0; }

 private:
  static constexpr uint32_t all = 0x110000;
  uint8_t bytes_[all] = {};
};

}  // namespace afina
