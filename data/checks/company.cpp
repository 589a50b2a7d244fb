// An inverted index of answers by the stems of their questions and bodies, and what neighbours say.
#include "data/checks/company.h"

#include <algorithm>
#include <cmath>

#include "data/checks/neighbours.h"
#include "data/checks/phrases.h"
#include "data/checks/topics.h"
#include "engine/math.h"

namespace afina {

namespace {

constexpr uint32_t most_indexed = 4000;
constexpr size_t neighbours = 20;
constexpr uint32_t most_around = 64;  // sentences before and behind, the rest of a long answer
constexpr double least_asked = 0.15, least_said = 0.1;  // cosines of what is near at all

// Of `among` neighbours so many have what a part of all has.
double deviations(double have, double part, double among) {
  const double expected = part * among;
  return (have - expected) / std::sqrt(expected + 0.5);
}

}  // namespace

Neighbourhood::Neighbourhood(const Corpus& corpus) : corpus_(corpus) {
  const Topics& topics = corpus.topics();
  step_ = 1 + uint32_t(corpus.answers().size()) / (most_indexed + 1);
  std::vector<uint64_t> asked, said, own;
  std::vector<uint64_t> all_asked;
  std::vector<uint32_t> first_asked{0};
  first_stem_.push_back(0);
  for (uint32_t a = 0; a < corpus.answers().size(); a += step_) {
    const Answer& answer = corpus.answers()[a];
    answers_.push_back(a);
    asked = topics.asked(answer);
    own.clear();
    for (const Sentence& sentence : corpus.sentences(answer)) {
      content_stems(corpus, corpus.text(sentence), said);
      own.insert(own.end(), said.begin(), said.end());
    }
    sort_unique(own);
    for (uint64_t stem : asked) ++uses_[stem].asked;
    for (uint64_t stem : own) ++uses_[stem].said;
    all_asked.insert(all_asked.end(), asked.begin(), asked.end());
    first_asked.push_back(uint32_t(all_asked.size()));
    body_.insert(body_.end(), own.begin(), own.end());
    first_stem_.push_back(uint32_t(body_.size()));
  }
  const uint32_t count = uint32_t(answers_.size());
  for (uint32_t uses = 0; uses <= count; ++uses)
    weights_.push_back(math::log((double(count) + 1) / (double(uses) + 1)));
  norm_asked_.assign(count, 0);
  norm_said_.assign(count, 0);
  sums_.assign(count, 0);
  // What a quarter of the questions, or a sixth of the answers, have tells nothing apart.
  uint32_t asking = 0, saying = 0;
  for (auto& [stem, use] : uses_) {
    use.first_asked = asking;
    use.first_said = saying;
    if (use.asked < count / 4 + 4) asking += use.asked;
    if (use.said < count / 6 + 4) saying += use.said;
  }
  asking_.resize(asking);
  saying_.resize(saying);
  std::unordered_map<uint64_t, std::pair<uint32_t, uint32_t>> filled;
  for (uint32_t i = 0; i < count; ++i) {
    for (uint32_t at = first_asked[i]; at < first_asked[i + 1]; ++at) {
      const Use& use = uses_.find(all_asked[at])->second;
      const double w = weight(use.asked);
      norm_asked_[i] += w * w;
      if (use.asked < count / 4 + 4)
        asking_[use.first_asked + filled[all_asked[at]].first++] = uint16_t(i);
    }
    for (uint32_t at = first_stem_[i]; at < first_stem_[i + 1]; ++at) {
      const Use& use = uses_.find(body_[at])->second;
      const double w = weight(use.said);
      norm_said_[i] += w * w;
      if (use.said < count / 6 + 4)
        saying_[use.first_said + filled[body_[at]].second++] = uint16_t(i);
    }
  }
}

const Neighbourhood::Use* Neighbourhood::use(uint64_t stem) const {
  auto found = uses_.find(stem);
  return found == uses_.end() ? nullptr : &found->second;
}

double Neighbourhood::answers_with(uint64_t stem) const {
  const Use* found = use(stem);
  return found ? double(found->said) * step_ : 0;
}

void Neighbourhood::nearest(std::span<const uint64_t> stems, bool asked, Near& out) {
  out.clear();
  const uint32_t count = uint32_t(answers_.size());
  double norm = 0;
  for (uint64_t stem : stems) {
    const Use* found = use(stem);
    const uint32_t uses = !found ? 0 : asked ? found->asked : found->said;
    const double w = weight(uses), both = w * w;
    norm += both;
    if (uses == 0 || uses >= count / (asked ? 4 : 6) + 4) continue;
    const uint16_t* list = asked ? &asking_[found->first_asked] : &saying_[found->first_said];
    for (uint32_t k = 0; k < uses; ++k) sums_[list[k]] += both;
  }
  const uint32_t record = corpus_.answers()[answer_].record;
  const double* norms = (asked ? norm_asked_ : norm_said_).data();
  const double least = asked ? least_asked : least_said;
  // Without a root, and with room for rounding: what is not near at all, as most are.
  const double bound = 0.99 * least * least * norm;
  for (uint32_t i = 0; i < count; ++i) {
    const double sum = sums_[i];
    if (sum * sum < bound * norms[i] || sum == 0) continue;
    const double cosine = sum / (std::sqrt(norm * norms[i]) + 1e-9);
    if (cosine >= least && corpus_.answers()[answers_[i]].record != record)
      out.emplace_back(cosine, i);
  }
  std::fill(sums_.begin(), sums_.end(), 0.);
  auto first = [](const auto& one, const auto& other) {
    return one.first != other.first ? one.first > other.first : one.second < other.second;
  };
  const size_t kept = std::min(neighbours, out.size());
  std::partial_sort(out.begin(), out.begin() + std::ptrdiff_t(kept), out.end(), first);
  out.resize(kept);
}

void Neighbourhood::look_at(uint32_t answer) {
  answer_ = answer;
  const Answer& one = corpus_.answers()[answer];
  asked_ = corpus_.topics().asked(one);
  nearest(asked_, true, by_question_);
  stems_.resize(one.sentences);
  universal_.resize(one.sentences);
  for (uint32_t k = 0; k < one.sentences; ++k) {
    const Sentence& sentence = corpus_.sentences(one)[k];
    content_stems(corpus_, corpus_.text(sentence), stems_[k]);
    universal_[k] = corpus_.phrases().is_universal(sentence);
  }
}

void Neighbourhood::measure(uint32_t k, const Near& near, double& word, double& phrase,
                            double& share) const {
  word = phrase = share = 0;
  if (near.empty()) return;
  const Sentence& sentence = corpus_.sentences(corpus_.answers()[answer_])[k];
  const double all = double(corpus_.answers().size()), among = double(near.size());
  double same = 0;
  for (auto& [cosine, i] : near)
    same += corpus_.phrases().is_said_in(sentence, corpus_.answers()[answers_[i]]);
  phrase = deviations(same, (corpus_.phrases().of(sentence).records - 1.) / all, among);
  const double own = answer_ % step_ == 0 ? 1 : 0;
  double weights = 0;
  for (uint64_t stem : stems_[k]) {
    const Use* found = use(stem);
    const uint32_t uses = found ? found->said : 0;
    double have = 0;
    if (uses > own)
      for (auto& [cosine, i] : near)
        have += std::binary_search(body_.begin() + first_stem_[i],
                                   body_.begin() + first_stem_[i + 1], stem);
    word = std::max(
        word, deviations(have, (uses - std::min(own, double(uses))) / answers_.size(), among));
    const double w = weight(uses);
    share += w * have / among;
    weights += w;
  }
  share = weights > 0 ? share / weights : 0;
}

void Neighbourhood::nearest_answers(std::vector<uint32_t>& out) const {
  out.clear();
  for (const Near* near : {&by_question_, &by_rest_})
    for (auto& [cosine, i] : *near) out.push_back(answers_[i]);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

void Neighbourhood::find_nearest(uint32_t k) {
  const Answer& answer = corpus_.answers()[answer_];
  others_.clear();
  const uint32_t begin = k > most_around ? k - most_around : 0,
                 end = std::min(answer.sentences, k + most_around + 1);
  for (uint32_t j = begin; j < end; ++j)
    if (j != k && !universal_[j]) others_.insert(others_.end(), stems_[j].begin(), stems_[j].end());
  sort_unique(others_);
  std::erase_if(others_, [&](uint64_t stem) {
    return std::binary_search(stems_[k].begin(), stems_[k].end(), stem);
  });
  nearest(others_, false, by_rest_);
}

Company Neighbourhood::of(uint32_t k) {
  Company company;
  find_nearest(k);
  measure(k, by_question_, company.asked, company.asked_phrase, company.asked_share);
  measure(k, by_rest_, company.rest, company.rest_phrase, company.rest_share);
  for (uint64_t stem : stems_[k])
    if (std::binary_search(asked_.begin(), asked_.end(), stem)) {
      const Use* found = use(stem);
      company.direct = std::max(company.direct, weight(found ? found->said : 0));
    }
  return company;
}

}  // namespace afina
