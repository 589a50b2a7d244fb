// Values that a record has for a reason: it is about another thing, its question names them, or
// they go with one of its words.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "data/checks/neighbours.h"
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

void ValuePlaces::learn_from(std::span<const Place> members, size_t most) {
  std::map<uint64_t, uint32_t> priors;
  for (const Place& place : members) ++priors[all_[place.occurrence].value];
  uint32_t greatest = 0;
  for (auto& [value, times] : priors) greatest = std::max(greatest, times);
  if (greatest * 10 > members.size() * 7) return;
  std::unordered_map<uint64_t, std::map<uint64_t, uint32_t>> told;  // stem -> value -> times
  const size_t step = std::max<size_t>(1, members.size() / most);
  for (size_t i = 0; i < members.size(); i += step) {
    Features f = features_of(members[i].occurrence);
    std::vector<uint64_t>& near = f.sentence;
    near.insert(near.end(), f.before.begin(), f.before.end());
    near.insert(near.end(), f.asked.begin(), f.asked.end());
    sort_unique(near);
    for (uint64_t stem : near) ++told[stem][all_[members[i].occurrence].value];
  }
  for (auto& [stem, values] : told) {
    uint32_t all = 0, best = 0;
    for (auto& [value, times] : values) {
      all += times;
      best = std::max(best, times);
    }
    if (all >= 4 && best * 10 >= all * 9) ++tells_[stem];
  }
}

bool ValuePlaces::tells(uint64_t stem) const {
  auto found = tells_.find(stem);
  return found != tells_.end() && found->second >= 3;
}

bool ValuePlaces::told_apart(const Features& mine,
                             const std::vector<const Features*>& voters) const {
  bool own = false;
  const Topics& topics = corpus_.topics();
  auto marks = [&](uint64_t stem, bool asked) {
    return tells(stem) || (asked && topics.is_telling(stem));
  };
  for (const auto* some : {&mine.sentence, &mine.before, &mine.asked})
    for (uint64_t stem : *some) {
      if (!marks(stem, some == &mine.asked)) continue;
      bool alone = true;
      for (const Features* voter : voters)
        alone &= !std::binary_search(voter->all.begin(), voter->all.end(), stem);
      own |= alone;
    }
  if (!own) return false;
  std::map<uint64_t, size_t> common;
  for (const Features* voter : voters)
    for (const auto* some : {&voter->sentence, &voter->before, &voter->asked})
      for (uint64_t stem : *some)
        if (marks(stem, some == &voter->asked) &&
            !std::binary_search(mine.all.begin(), mine.all.end(), stem))
          ++common[stem];
  for (auto& [stem, times] : common)
    if (times * 10 >= voters.size() * 6) return true;
  return false;
}

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
