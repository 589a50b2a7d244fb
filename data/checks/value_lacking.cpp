// Values that no answer about the same has, where most of those have another of its kind that this
// one lacks: "the ticket is 21 pounds" where others say, in whatever words, 18.
#include <algorithm>
#include <set>

#include "data/checks/like_answers.h"
#include "data/checks/value_places.h"

namespace afina {

namespace {

constexpr size_t neighbours = 10, least_voters = 3;
constexpr double least_like = 0.15;

}  // namespace

std::vector<ValuePlaces::Lacking> ValuePlaces::lacking() {
  std::vector<Lacking> out;
  // Where the occurrences of each answer begin; they stand in the order of answers.
  std::vector<uint32_t> first(corpus_.answers().size() + 1, uint32_t(all_.size()));
  for (uint32_t i = uint32_t(all_.size()); i-- > 0;)
    first[corpus_.sentences()[all_[i].sentence].answer] = i;
  for (size_t a = first.size() - 1; a-- > 0;)
    if (first[a] > first[a + 1]) first[a] = first[a + 1];
  auto has = [&](uint32_t answer, const Occurrence& like, uint64_t value) {
    for (uint32_t i = first[answer]; i < first[answer + 1]; ++i)
      if (all_[i].kind == like.kind && all_[i].value == value) return true;
    return false;
  };
  LikeAnswers like(corpus_);
  std::vector<std::pair<double, uint32_t>> near;
  for (uint32_t a = 0; a + 1 < first.size(); ++a) {
    bool looked = false;
    for (uint32_t i = first[a]; i < first[a + 1]; ++i) {
      const Occurrence& own = all_[i];
      if (own.settled || own.type == ValueType::count) continue;
      if (!looked) like.nearest(a, least_like, neighbours, near);
      looked = true;
      if (near.size() < least_voters) break;
      std::map<uint64_t, std::vector<uint32_t>> others;  // value -> an occurrence of each answer
      bool known = false;
      for (auto& [unused, b] : near) {
        std::set<uint64_t> seen;
        for (uint32_t j = first[b]; !known && j < first[b + 1]; ++j) {
          if (all_[j].kind != own.kind) continue;
          known = all_[j].value == own.value;
          if (seen.insert(all_[j].value).second) others[all_[j].value].push_back(j);
        }
      }
      if (known) continue;
      const std::pair<const uint64_t, std::vector<uint32_t>>* best = nullptr;
      for (const auto& one : others)
        if ((!best || one.second.size() > best->second.size()) && !has(a, own, one.first))
          best = &one;
      if (!best || best->second.size() < least_voters || best->second.size() * 2 < near.size() ||
          is_asked(i))
        continue;
      out.push_back({i, best->first, best->second, double(best->second.size()) / near.size()});
    }
  }
  return out;
}

}  // namespace afina
