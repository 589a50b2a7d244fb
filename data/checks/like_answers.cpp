// One index of answers by the stems of their questions, and one by those of their bodies.
#include "data/checks/like_answers.h"

#include <algorithm>
#include <cmath>

#include "data/checks/neighbours.h"
#include "data/checks/topics.h"

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

}  // namespace

LikeAnswers::LikeAnswers(const Corpus& corpus) : corpus_(corpus) {
  const uint32_t step = 1 + uint32_t(corpus.answers().size()) / (most_indexed + 1);
  for (uint32_t a = 0; a < corpus.answers().size(); a += step) {
    answers_.push_back(a);
    asked_.add(stems_of(corpus, corpus.answers()[a], true));
    said_.add(stems_of(corpus, corpus.answers()[a], false));
  }
  asked_.finish(4);
  said_.finish(4);
  sums_.assign(answers_.size(), 0);
  likes_.assign(answers_.size(), 0);
}

void LikeAnswers::nearest(uint32_t answer, double least, size_t most,
                          std::vector<std::pair<double, uint32_t>>& out) {
  out.clear();
  const Answer& own = corpus_.answers()[answer];
  std::fill(likes_.begin(), likes_.end(), 0.);
  for (const bool asked : {true, false}) {
    const StemIndex& side = asked ? asked_ : said_;
    std::fill(sums_.begin(), sums_.end(), 0.);
    const double norm = side.add_shared(stems_of(corpus_, own, asked), sums_);
    if (norm == 0) continue;
    const double scale = 0.5 / std::sqrt(norm);
    for (uint32_t i = 0; i < side.size(); ++i)
      if (sums_[i] > 0) likes_[i] += scale * sums_[i] * (1 / std::sqrt(side.norm(i)));
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
