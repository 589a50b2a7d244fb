// Words of a text for the checks: where they stand, a number for each, and sentences.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace afina {

enum class WordKind : uint8_t {
  word,        // letters, with apostrophes and hyphens between them
  number,      // digits, with . , and : between them
  identifier,  // letters and digits together: QC-12345
  mark         // any other character that is no white space
};

// A word of a text. Equal ids: the same word but for upper and lower case.
struct Word {
  uint32_t begin, end;  // bytes of the text
  uint64_t id;
  WordKind kind;
  bool capital;  // begins with an upper-case letter
  bool shouted;  // two letters or more, all upper-case
};

// A number for a text, the same on every machine.
uint64_t text_hash(std::string_view text);
// A number for a sequence that has `next` after what `so_far` stands for.
inline uint64_t hash_with(uint64_t so_far, uint64_t next) {
  uint64_t h = (so_far ^ (next + 0x9E3779B97F4A7C15ull)) * 0xFF51AFD7ED558CCDull;
  return h ^ (h >> 32);
}
// In lower case, as Unicode's simple mapping has it.
std::string lower_text(std::string_view text);
// The same but for letters whose lower case takes more or fewer bytes: places in it are places in
// the text.
std::string lower_in_place(std::string_view text);

// The words of valid UTF-8, in their order; `out` is overwritten.
void split_words(std::string_view text, std::vector<Word>& out);

// A sentence: a range of words. Ends at . ! ? and at line ends; not before a lower-case letter or
// a digit, so that "no. 5" and "e.g. this" stay whole.
struct SentenceSpan {
  uint32_t first, last;  // words, half-open
};
void split_sentences(std::string_view text, const std::vector<Word>& words,
                     std::vector<SentenceSpan>& out);

// The text with runs of white space as one blank, and none at its ends.
std::string squeezed(std::string_view text);
// At most so many bytes from the front, ending where a character does.
std::string_view first_bytes(std::string_view text, size_t most);

// Letters of a word that its forms have in common, as a number: the first five of longer words.
uint64_t stem_of(std::string_view word);

// Weighted Jaccard similarity of two sorted lists of numbers without repeats: the weight of what
// both have over that of what either has, 0 for two empty lists. weight(number) > 0. shared: how
// many both have.
template <class Weight>
double weighted_overlap(std::span<const uint64_t> a, std::span<const uint64_t> b, Weight weight,
                        int* shared = nullptr) {
  double common = 0, all = 0;
  for (size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    if (j == b.size() || (i < a.size() && a[i] < b[j])) all += weight(a[i++]);
    else if (i == a.size() || b[j] < a[i]) all += weight(b[j++]);
    else {
      const double both = weight(a[i]);
      common += both;
      all += both;
      if (shared) ++*shared;
      ++i;
      ++j;
    }
  }
  return all > 0 ? common / all : 0;
}

// Is it a function word of English or Spanish (the, of, que, ...)?
bool is_function_word(uint64_t id);
// The language of a text by its function words and letters: "en", "es", "de", "fr", ..., or a
// script ("cyrillic"); empty where the text is too short or undecided.
std::string language_of(std::string_view text, const std::vector<Word>& words);
// All that language_of may find.
std::vector<std::string> known_languages();

}  // namespace afina
