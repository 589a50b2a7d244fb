// Values that no answer about the same has, where most of those have another of its kind that this
// one lacks: "the ticket is 21 pounds" where others say, in whatever words, 18.
#include <algorithm>
#include <iterator>
#include <set>

#include "data/checks/like_answers.h"
#include "data/checks/value_places.h"

namespace afina {

namespace {

constexpr size_t neighbours = 10, least_voters = 3;
constexpr double least_like = 0.15;

}  // namespace

void ValuePlaces::order_by_answer() {
  first_.assign(corpus_.answers().size() + 1, uint32_t(all_.size()));
  for (uint32_t i = uint32_t(all_.size()); i-- > 0;)
    first_[corpus_.sentences()[all_[i].sentence].answer] = i;
  for (size_t a = first_.size() - 1; a-- > 0;) first_[a] = std::min(first_[a], first_[a + 1]);
}

bool ValuePlaces::has(uint32_t answer, uint64_t kind, uint64_t value) const {
  for (uint32_t i = first_[answer]; i < first_[answer + 1]; ++i)
    if (all_[i].kind == kind && all_[i].value == value) return true;
  return false;
}

bool ValuePlaces::is_said_by_like(LikeAnswers& like, uint32_t index, uint64_t value) const {
  const Occurrence& own = all_[index];
  std::vector<std::pair<double, uint32_t>> near;
  like.nearest(corpus_.sentences()[own.sentence].answer, least_like, 2 * neighbours, near);
  return std::any_of(near.begin(), near.end(),
                     [&](const auto& one) { return has(one.second, own.kind, value); });
}

bool ValuePlaces::has_own_thing(uint32_t index, const std::vector<uint32_t>& voters) {
  const Features mine = features_of(index);
  std::vector<uint64_t> own;
  std::set_intersection(mine.sentence.begin(), mine.sentence.end(), mine.asked.begin(),
                        mine.asked.end(), std::back_inserter(own));
  for (uint32_t voter : voters) {
    if (own.empty()) return false;
    const Features theirs = features_of(voter);
    std::erase_if(own, [&](uint64_t stem) {
      return std::binary_search(theirs.all.begin(), theirs.all.end(), stem);
    });
  }
  return !own.empty();
}

std::vector<ValuePlaces::Lacking> ValuePlaces::lacking(LikeAnswers& like) {
  std::vector<Lacking> out;
  std::vector<std::pair<double, uint32_t>> near;
  for (uint32_t a = 0; a + 1 < first_.size(); ++a) {
    bool looked = false;
    for (uint32_t i = first_[a]; i < first_[a + 1]; ++i) {
      const Occurrence& own = all_[i];
      // "018" is a part of a longer number.
      if (own.settled || corpus_.text(place_of(i).turn)[own.begin] == '0') continue;
      if (!looked) like.nearest(a, least_like, neighbours, near);
      looked = true;
      if (near.size() < least_voters) break;
      std::map<uint64_t, std::vector<uint32_t>> others;  // value -> an occurrence of each answer
      bool known = false;
      for (auto& [unused, b] : near) {
        std::set<uint64_t> seen;
        for (uint32_t j = first_[b]; !known && j < first_[b + 1]; ++j) {
          if (all_[j].kind != own.kind) continue;
          known = all_[j].value == own.value;
          if (seen.insert(all_[j].value).second) others[all_[j].value].push_back(j);
        }
      }
      if (known) continue;
      const std::pair<const uint64_t, std::vector<uint32_t>>* best = nullptr;
      for (const auto& one : others)
        if ((!best || one.second.size() > best->second.size()) && !has(a, own.kind, one.first))
          best = &one;
      if (!best || best->second.size() < least_voters || best->second.size() * 2 < near.size() ||
          is_asked(i) || has_own_thing(i, best->second))
        continue;
      out.push_back({i, best->first, best->second, double(best->second.size()) / near.size()});
    }
  }
  return out;
}

}  // namespace afina
