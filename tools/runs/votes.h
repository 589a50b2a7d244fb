// Votes on pairs of answers (votes.json, as votes.html saves it), read and counted.
#pragma once
#include <string>
#include <vector>

#include "engine/files/json.h"
#include "tools/results/share.h"

namespace afina {

// One pair of answers and what a reader said of it.
struct Vote {
  std::string place;          // of the record
  std::string first, second;  // models, in the order in which the answers were shown
  enum Said : uint8_t { none, first_better, second_better, neither } said = none;
};
// What one file says. reader: the file.
struct Ballot {
  std::string reader;
  std::vector<Vote> votes;
};
// Errors name the file, the place, and what was expected there.
Ballot read_votes(const std::string& path);
Ballot parse_votes(const Json& json, const std::string& where);

// Votes between two models, over all readers.
struct Preference {
  std::string one, other;                                           // in the order of their names
  int64_t one_better = 0, other_better = 0, neither = 0, open = 0;  // open: not voted on
  // Pairs of answers with more votes for the one than for the other. Several readers of one pair
  // are no further pairs, so that intervals are over pairs and not over votes.
  int64_t pairs_for_one = 0, pairs_for_other = 0;
  // Of the pairs that are decided, those for `one`.
  Share share() const { return {pairs_for_one, pairs_for_one + pairs_for_other}; }
};
std::vector<Preference> preferences(const std::vector<Ballot>& ballots);
// Pairs that two readers voted on, and those on which they said the same. Every two readers count.
Share agreement(const std::vector<Ballot>& ballots);
Json preferences_json(const std::vector<Ballot>& ballots);

}  // namespace afina
