// Greetings and farewells of answers: where they stand, and which of them many answers have.
#pragma once
#include "data/checks/corpus.h"

namespace afina {

inline constexpr uint32_t longest_sign = 12;    // words
inline constexpr double most_of_answers = 0.5;  // share of answers that makes a house form

// What an answer begins and ends with.
struct Ends {
  uint64_t first = 0;                    // first word
  uint64_t stem = 0;                     // of it
  char first_mark = 0;                   // the mark that ends a greeting, within the first words
  uint32_t greeting_end = 0;             // byte behind it; 0: no greeting
  bool named = false;                    // has a name, or is a line of its own
  uint64_t tail[longest_sign + 1] = {};  // hash of the last k words
};

// What stands before another mail that is quoted.
std::string_view unquoted(std::string_view text);
// Is the word a mark of the set?
bool is_mark(std::string_view text, const Word& word, std::string_view set);
// A greeting: at most four words, then a mark or the end of the line.
void read_greeting(std::string_view text, const std::vector<Word>& words, Ends& ends);
// Where the last lines begin that look like a sign-off: short and without a point at their end,
// behind a body; the size of the text: nowhere. Nothing before `least` is one.
uint32_t own_sign_begin(std::string_view text, uint32_t least);
// Where the words begin that the house ends with; no_turn: the answer ends otherwise.
uint32_t tail_begin(const std::vector<Word>& words, const HouseForm& form, const Ends& ends);
// Where the line of byte `at` begins.
uint32_t line_of(std::string_view text, uint32_t at);
// Has the sign-off words in its first line that the house's, from `house` on, has not, or a line
// with a comma above it? own: what own_sign_begin found.
bool more_than(std::string_view text, uint32_t house, uint32_t own);

// The words that begin many greetings, the commonest first, where together they begin most. One
// that is said in two genders or numbers is one. ends: of all answers.
void find_greetings(const std::vector<uint32_t>& members, const std::vector<Ends>& ends,
                    HouseForm& form);
// Do nearly all sign-offs of the house stand on lines of their own, with no greeting line above?
bool signs_below(const Corpus& corpus, const std::vector<uint32_t>& members,
                 const std::vector<Ends>& ends, const HouseForm& form);
// Last lines that many answers have, as hashes of their words with names alike; returns that of
// each member, 0: none. Where no one tail is most answers', several together may be the house's.
std::vector<uint64_t> find_signs(const Corpus& corpus, const std::vector<uint32_t>& members,
                                 const std::vector<Ends>& ends, HouseForm& form);

}  // namespace afina
