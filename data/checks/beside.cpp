// Compares a sentence with those of the answers that are nearest to its own.
#include "data/checks/beside.h"

#include <algorithm>
#include <cmath>

#include "data/checks/applied.h"
#include "data/checks/neighbours.h"
#include "data/checks/phrases.h"
#include "data/checks/topics.h"

namespace afina {

namespace {

constexpr double same_thing = 0.4;    // share of the words
constexpr size_t most_compared = 40;  // sentences of an answer

}  // namespace

const std::vector<Saying>& BesideMeasures::said(uint32_t answer) {
  auto [at, fresh] = said_.try_emplace(answer);
  if (!fresh) return at->second;
  const Answer& one = corpus_.answers()[answer];
  at->second.resize(std::min<size_t>(one.sentences, most_compared));
  for (size_t k = 0; k < at->second.size(); ++k)
    read_saying(corpus_, corpus_.sentences(one)[k], at->second[k]);
  return at->second;
}

BesideFeatures BesideMeasures::of(const Neighbourhood& near, uint32_t answer, uint32_t k) {
  if (k >= most_compared) return {};
  near.nearest_answers(near_);
  const std::vector<Saying>& all = said(answer);
  const Saying& own = all[k];
  const Topics& topics = corpus_.topics();
  std::vector<double> weights;
  double whole = 0;
  for (uint64_t stem : own.stems) {
    weights.push_back(topics.rarity(stem));
    whole += weights.back();
  }
  double alike = 0, covered = 0, denied = 0, denied_words = 0, other_value = 0, all_or_none = 0;
  double denied_by = 0, backed_by = 0, replaced = 0, replaced_denied = 0, said_value = 0;
  size_t answers = 0;
  const bool asks = corpus_.text(corpus_.sentences(corpus_.answers()[answer])[k]).ends_with('?');
  if (at_ != answer) find_applied(corpus_, corpus_.answers()[answer], applied_);
  at_ = answer;
  for (uint32_t other : near_) {
    if (other == answer || whole == 0) continue;
    ++answers;
    double denies = 0, backs = 0;
    for (const Saying& one : said(other)) {
      double shared = 0;
      for (size_t i = 0, j = 0; i < own.stems.size() && j < one.stems.size();) {
        if (own.stems[i] == one.stems[j]) {
          shared += weights[i++];
          ++j;
        } else if (own.stems[i] < one.stems[j]) ++i;
        else ++j;
      }
      if (shared < 0.15 * whole) continue;
      double theirs = 0;
      for (uint64_t stem : one.stems) theirs += topics.rarity(stem);
      const double both = shared / (whole + theirs - shared), part = shared / whole;
      const bool valued = !own.values.empty() && !one.values.empty();
      const bool apart = valued && jaccard(own.values, one.values) == 0;
      // Is it said in this answer too?
      double here = 0;
      for (size_t j = 0; j < all.size(); ++j)
        if (j != k) here = std::max(here, jaccard(all[j].stems, one.stems));
      if (own.denies != one.denies) {
        denied = std::max(denied, both);
        denied_words = std::max(denied_words, part);
        denies = std::max(denies, part);
        if (here < 0.5) replaced_denied = std::max(replaced_denied, both);
      } else {
        if (apart) {
          other_value = std::max(other_value, both);
        } else {
          alike = std::max(alike, both);
          covered = std::max(covered, part);
          backs = std::max(backs, part);
          if (valued) said_value = std::max(said_value, both);
        }
        if (own.all_or_none != one.all_or_none) all_or_none = std::max(all_or_none, both);
      }
      if (here < 0.5) replaced = std::max(replaced, both);
    }
    denied_by += denies >= same_thing && denies > backs;
    backed_by += backs >= same_thing && backs >= denies;
  }
  const double among = double(std::max<size_t>(answers, 1));
  return {float(alike),
          float(covered),
          float(denied),
          float(denied_words),
          float(denied_by / among),
          float(backed_by / among),
          float(other_value),
          float(all_or_none),
          float(denied_by / (denied_by + backed_by + 1)),
          float(double(std::min<size_t>(answers, 40)) / 40),
          float(own.denies ? denied : 0),
          float(replaced),
          float(replaced_denied),
          float(said_value),
          float(applied_[k] && !asks),
          float(asks)};
}

}  // namespace afina
