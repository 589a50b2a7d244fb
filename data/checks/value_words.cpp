// Values that stand alone in their sentence: its words, and the values of their kind that other
// sentences with them have. "A cot is 22 pounds" among many with a cot for 8.
#include <algorithm>
#include <utility>

#include "data/checks/value_places.h"

namespace afina {

std::vector<ValuePlaces::Lacking> ValuePlaces::beside_words() {
  std::vector<Lacking> out;
  std::vector<uint64_t> stems;
  auto each_entry = [&](auto&& take) {
    for (uint32_t i = 0; i < all_.size(); ++i) {
      bool alone = all_[i].type != ValueType::count;
      for (uint32_t j : {i - 1, i + 1})
        alone &= j >= all_.size() || all_[j].sentence != all_[i].sentence ||
                 all_[j].kind != all_[i].kind;
      if (!alone) continue;
      stems.clear();
      add_stems(corpus_.text(corpus_.sentences()[all_[i].sentence]), stems);
      for (uint64_t stem : stems) take(hash_with(all_[i].kind, stem), i);
    }
  };
  // The occurrences of each word, one list behind the other. Read twice, first to count them, as
  // a list of pairs to sort would take four times the room.
  std::unordered_map<uint64_t, uint32_t> places;
  each_entry([&](uint64_t key, uint32_t) { ++places[key]; });
  std::vector<uint64_t> keys;
  keys.reserve(places.size());
  for (auto& [key, count] : places) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  std::vector<uint32_t> starts{0};
  for (uint64_t key : keys) {
    uint32_t& count = places.find(key)->second;
    starts.push_back(starts.back() + std::exchange(count, starts.back()));
  }
  std::vector<uint32_t> entries(starts.back());
  each_entry([&](uint64_t key, uint32_t i) { entries[places.find(key)->second++] = i; });
  decltype(places)().swap(places);
  // For each occurrence: words whose others agree on another value, and those that do not.
  struct Verdict {
    uint64_t winner = 0;
    uint32_t voter = no_turn, second = no_turn;
    uint16_t agree = 0, against = 0;
  };
  std::vector<Verdict> verdicts(all_.size());
  for (size_t k = 0; k < keys.size(); ++k) {
    const std::span<const uint32_t> with{entries.data() + starts[k], starts[k + 1] - starts[k]};
    if (with.size() < 6) continue;
    std::map<uint64_t, std::set<uint32_t>> records;
    size_t total = 0;
    for (uint32_t i : with) total += records[all_[i].value].insert(all_[i].record).second;
    if (total < 6) continue;
    uint64_t winner = 0;
    size_t most = 0;
    for (auto& [value, those] : records)
      if (those.size() > most) {
        most = those.size();
        winner = value;
      }
    for (uint32_t i : with) {
      const Occurrence& own = all_[i];
      Verdict& verdict = verdicts[i];
      const bool decided =
          most * 10 >= total * 8 && own.value != winner && records[own.value].size() * 8 <= most;
      if (decided && verdict.winner && verdict.winner != winner) ++verdict.against;
      // Where the others do not agree, but have this value too, it is one of several.
      if (!decided && own.value != winner && records[own.value].size() >= 3) ++verdict.against;
      if (!decided && own.value == winner) ++verdict.against;
      if (!decided || verdict.against) continue;
      verdict.winner = winner;
      ++verdict.agree;
      for (uint32_t other : with) {
        if (all_[other].value != winner) continue;
        if (verdict.voter == no_turn) verdict.voter = other;
        else if (verdict.second == no_turn && other != verdict.voter) verdict.second = other;
      }
    }
  }
  for (uint32_t i = 0; i < all_.size(); ++i) {
    const Verdict& verdict = verdicts[i];
    if (all_[i].settled || verdict.agree == 0 || verdict.against > 0) continue;
    if (is_asked(i)) continue;
    // What was asked about, and none of the others speaks of, has a value of its own.
    const Features mine = features_of(i);
    bool own_thing = false;
    for (uint64_t stem : mine.sentence) {
      if (!std::binary_search(mine.asked.begin(), mine.asked.end(), stem)) continue;
      const uint64_t key = hash_with(all_[i].kind, stem);
      const size_t k = size_t(std::lower_bound(keys.begin(), keys.end(), key) - keys.begin());
      bool known = false;
      for (size_t at = k < keys.size() && keys[k] == key ? starts[k] : entries.size();
           !known && at < entries.size() && at < starts[k + 1]; ++at)
        known = all_[entries[at]].value == verdict.winner;
      own_thing |= !known;
    }
    if (own_thing) continue;
    Lacking one{i, verdict.winner, {verdict.voter}, verdict.agree > 1 ? 0.8 : 0.7};
    if (verdict.second != no_turn) one.voters.push_back(verdict.second);
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace afina
