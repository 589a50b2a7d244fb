// What is measured of sentences and answers to tell what belongs to a question from what does not.
// The weights in stray_weights.cpp were fitted to these measures (test/data/checks/fit_stray.py).
#pragma once
#include <array>
#include <functional>
#include <string_view>

#include "data/checks/corpus.h"

namespace afina {

// Of each sentence, all of it against the rest of the file: its company (company.h), how often it
// is said and where in answers, what its words are.
inline constexpr std::array<std::string_view, 34> stray_features{
    "asked", "rest", "asked_share", "rest_share", "once", "few", "some", "house", "near", "direct",
    "rare", "stems", "unseen", "function", "short", "exclaims", "valued", "plain", "words", "order",
    "denies", "first", "last", "closing", "opening", "alone", "sentences", "spread", "figure",
    "commas", "pronouns",
    // The answer's other sentences that are not the house's.
    "others_asked", "others_rest", "others"};
using StrayFeatures = std::array<float, stray_features.size()>;

// Of each answer, from those of its sentences that are not said everywhere.
inline constexpr std::array<std::string_view, 16> answer_features{
    "asked",   "asked_phrase", "asked_share", "rest_phrase", "direct", "tie",
    "evasion", "evasions",     "usual",       "question",    "known",  "valued",
    "own",     "elsewhere",    "gap",         "yes"};
using AnswerFeatures = std::array<float, answer_features.size()>;

// How likely a sentence is usual, and how likely it evades, 0 to 1.
struct StrayKind {
  float usual = 1, evasion = 0;
};

class StrayMeasures {
 public:
  explicit StrayMeasures(const Corpus& corpus);
  // Of the sentences that are not said whatever is asked: the part that has to do with what was.
  double bound() const { return bound_; }
  // Takes the features of every sentence once, by phrases.
  void each(const std::function<void(uint32_t sentence, const StrayFeatures&)>& take) const;
  // kinds: of the answer's sentences.
  AnswerFeatures of_answer(uint32_t answer, std::span<const StrayKind> kinds) const;

 private:
  // Of a sentence, in steps that are fine enough, as a big file has hundreds of thousands.
  struct Small {
    uint8_t asked, rest, asked_phrase, rest_phrase, asked_share, rest_share, direct, tie,
        phrase_asked;
  };
  struct Place {
    bool first, last, closing, opening, alone;
  };
  // The answer's other sentences that are not the house's: how many, and the most that one of them
  // has to do with the question and with the rest.
  struct Others {
    double count = 0, asked = 0, rest = 0;
  };
  // What place_of() and others_of() ask of the other sentences of an answer, so that long answers
  // take no time by the square: the first and the last that is not said of anything, how many are
  // rare and about the question, and of its own how many, the largest measures and the next ones.
  struct Around {
    uint32_t first_own = no_turn, last_own = 0, asking = 0, own = 0;
    std::array<uint8_t, 2> asked{}, rest{};
  };
  void measure();
  void count_pairs();
  void mean_by_phrase();
  void look_around();
  bool is_asking(uint32_t sentence) const;
  Place place_of(uint32_t sentence) const;
  Others others_of(uint32_t sentence) const;
  bool is_own(const Sentence& sentence) const;  // not the house's
  const Corpus& corpus_;
  std::vector<Small> small_;
  std::vector<uint8_t> question_, known_;  // by answer
  std::vector<Around> around_;             // by answer
  // Pairs of neighbouring words, by their hash: of one phrase at least, and of two.
  std::vector<bool> paired_, paired_again_;
  bool exclaims_ = false, shortens_ = false;  // does the house?
  double bound_ = 0;
};

}  // namespace afina
