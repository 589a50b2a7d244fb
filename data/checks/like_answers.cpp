// An inverted index of answers by the stems of their questions, and one by those of their bodies.
#include "data/checks/like_answers.h"

#include <algorithm>
#include <cmath>

#include "data/checks/neighbours.h"
#include "data/checks/topics.h"
#include "engine/math.h"

namespace afina {

namespace {

constexpr uint32_t most_indexed = 4000;

std::vector<uint64_t> stems_of(const Corpus& corpus, const Answer& answer, bool asked) {
  if (asked) return corpus.topics().asked(answer);
  std::vector<uint64_t> all;
  content_stems(
      corpus,
      corpus.text(answer.turn).substr(answer.body_begin, answer.body_end - answer.body_begin), all);
  return all;
}

// What a quarter of the answers have tells nothing apart, and would take most of the time.
bool is_common(uint32_t uses, size_t count) { return uses >= count / 4 + 4; }

}  // namespace

LikeAnswers::LikeAnswers(const Corpus& corpus) : corpus_(corpus) {
  const uint32_t step = 1 + uint32_t(corpus.answers().size()) / (most_indexed + 1);
  for (uint32_t a = 0; a < corpus.answers().size(); a += step) answers_.push_back(a);
  for (size_t uses = 0; uses <= answers_.size(); ++uses)
    weights_.push_back(math::log((double(answers_.size()) + 1) / (double(uses) + 1)));
  sums_.assign(answers_.size(), 0);
  likes_.assign(answers_.size(), 0);
  fill(true);
  fill(false);
}

void LikeAnswers::fill(bool asked) {
  Side& side = asked ? asked_ : said_;
  std::vector<uint64_t> all;
  std::vector<uint32_t> first{0};
  for (uint32_t a : answers_) {
    const std::vector<uint64_t> stems = stems_of(corpus_, corpus_.answers()[a], asked);
    for (uint64_t stem : stems) ++side.uses[stem].uses;
    all.insert(all.end(), stems.begin(), stems.end());
    first.push_back(uint32_t(all.size()));
  }
  uint32_t begin = 0;
  for (auto& [stem, use] : side.uses) {
    use.first = begin;
    if (!is_common(use.uses, answers_.size())) begin += use.uses;
  }
  side.list.resize(begin);
  side.norms.assign(answers_.size(), 0);
  std::unordered_map<uint64_t, uint32_t> filled;
  for (uint32_t i = 0; i < answers_.size(); ++i)
    for (uint32_t at = first[i]; at < first[i + 1]; ++at) {
      const Side::Use& use = side.uses.find(all[at])->second;
      const double w = weight(use.uses);
      side.norms[i] += w * w;
      if (!is_common(use.uses, answers_.size()))
        side.list[use.first + filled[all[at]]++] = uint16_t(i);
    }
  for (double& norm : side.norms) norm = norm > 0 ? 1 / std::sqrt(norm) : 0;
}

void LikeAnswers::nearest(uint32_t answer, double least, size_t most,
                          std::vector<std::pair<double, uint32_t>>& out) {
  out.clear();
  const Answer& own = corpus_.answers()[answer];
  std::fill(likes_.begin(), likes_.end(), 0.);
  for (const bool asked : {true, false}) {
    const Side& side = asked ? asked_ : said_;
    std::fill(sums_.begin(), sums_.end(), 0.);
    double norm = 0;
    for (uint64_t stem : stems_of(corpus_, own, asked)) {
      const auto found = side.uses.find(stem);
      const uint32_t uses = found == side.uses.end() ? 0 : found->second.uses;
      const double w = weight(uses), both = w * w;
      norm += both;
      if (uses == 0 || is_common(uses, answers_.size())) continue;
      const uint16_t* list = &side.list[found->second.first];
      for (uint32_t k = 0; k < uses; ++k) sums_[list[k]] += both;
    }
    if (norm == 0) continue;
    const double scale = 0.5 / std::sqrt(norm);
    for (size_t i = 0; i < sums_.size(); ++i) likes_[i] += scale * sums_[i] * side.norms[i];
  }
  for (uint32_t i = 0; i < answers_.size(); ++i)
    if (likes_[i] >= least && corpus_.answers()[answers_[i]].record != own.record)
      out.emplace_back(likes_[i], answers_[i]);
  auto first = [](const auto& one, const auto& other) {
    return one.first != other.first ? one.first > other.first : one.second < other.second;
  };
  const size_t kept = std::min(most, out.size());
  std::partial_sort(out.begin(), out.begin() + std::ptrdiff_t(kept), out.end(), first);
  out.resize(kept);
}

}  // namespace afina
