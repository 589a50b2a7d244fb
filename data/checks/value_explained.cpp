// Values that a record has for a reason: its question names them, or they go with one of its words.
#include <map>
#include <set>
#include <unordered_map>

#include "data/checks/topics.h"
#include "data/checks/value_places.h"

namespace afina {

namespace {

constexpr double frequent = 0.05;  // words that so many ask or answer with explain nothing
constexpr size_t least = 3;        // records with the value, the one that is asked about among them

struct Count {
  std::set<uint32_t> all, own;  // records with the word; those of them that have the value
};

}  // namespace

bool ValuePlaces::is_asked(uint32_t index) {
  const Occurrence& own = all_[index];
  const Answer& answer = corpus_.answers()[corpus_.sentences()[own.sentence].answer];
  for (uint32_t t = corpus_.record(answer.record).first_turn; t < answer.turn; ++t) {
    if (corpus_.turns()[t].role != TurnRole::question) continue;
    Corpus::read(corpus_.text(t), reading_);
    for (const Value& value : reading_.values)
      if (value.type == own.type && value.id == own.value) return true;
  }
  return false;
}

std::vector<bool> ValuePlaces::explained(const std::vector<uint32_t>& occurrences) {
  const Topics& topics = corpus_.topics();
  std::unordered_map<uint64_t, std::map<uint64_t, Count>> counts;  // kind and word -> value
  std::vector<std::vector<uint64_t>> words(occurrences.size());
  for (size_t i = 0; i < occurrences.size(); ++i) {
    const Occurrence& own = all_[occurrences[i]];
    for (uint64_t stem : features_of(occurrences[i]).all) {
      if (topics.share_asked(stem) > frequent || topics.share_said(stem) > frequent) continue;
      words[i].push_back(hash_with(own.kind, stem));
      counts[words[i].back()][own.value];
    }
  }
  std::vector<uint64_t> here;
  uint32_t last = no_turn;
  for (uint32_t i = 0; i < all_.size() && !occurrences.empty(); ++i) {
    const uint32_t answer = corpus_.sentences()[all_[i].sentence].answer;
    if (answer != last) here = features_of(i).all;
    last = answer;
    for (uint64_t stem : here) {
      const auto found = counts.find(hash_with(all_[i].kind, stem));
      if (found == counts.end()) continue;
      for (auto& [value, count] : found->second) {
        count.all.insert(all_[i].record);
        if (all_[i].value == value) count.own.insert(all_[i].record);
      }
    }
  }
  std::vector<bool> known(occurrences.size(), false);
  for (size_t i = 0; i < occurrences.size(); ++i)
    for (uint64_t word : words[i]) {
      const Count& count = counts[word][all_[occurrences[i]].value];
      // Without the record itself.
      if (count.own.size() >= least && (count.own.size() - 1) * 10 >= (count.all.size() - 1) * 6)
        known[i] = true;
    }
  return known;
}

}  // namespace afina
