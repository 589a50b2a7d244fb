// Answers by the stems of their questions and bodies, and what neighbours say.
#include "data/checks/company.h"

#include <algorithm>
#include <cmath>

#include "data/checks/neighbours.h"
#include "data/checks/phrases.h"
#include "data/checks/topics.h"

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
  step_ = 1 + uint32_t(corpus.answers().size()) / (most_indexed + 1);
  std::vector<uint64_t> said, own;
  for (uint32_t a = 0; a < corpus.answers().size(); a += step_) {
    const Answer& answer = corpus.answers()[a];
    answers_.push_back(a);
    own.clear();
    for (const Sentence& sentence : corpus.sentences(answer)) {
      content_stems(corpus, corpus.text(sentence), said);
      own.insert(own.end(), said.begin(), said.end());
    }
    sort_unique(own);
    asking_.add(corpus.topics().asked(answer));
    saying_.add(own);
  }
  asking_.finish(4);
  saying_.finish(6);
  sums_.assign(answers_.size(), 0);
}

double Neighbourhood::answers_with(uint64_t stem) const {
  return double(saying_.uses(stem)) * step_;
}

void Neighbourhood::nearest(std::span<const uint64_t> stems, bool asked, Near& out) {
  out.clear();
  const StemIndex& index = asked ? asking_ : saying_;
  const double norm = index.add_shared(stems, sums_);
  const uint32_t record = corpus_.answers()[answer_].record;
  const double least = asked ? least_asked : least_said;
  // Without a root, and with room for rounding: what is not near at all, as most are.
  const double bound = 0.99 * least * least * norm;
  for (uint32_t i = 0; i < index.size(); ++i) {
    const double sum = sums_[i];
    if (sum * sum < bound * index.norm(i) || sum == 0) continue;
    const double cosine = sum / (std::sqrt(norm * index.norm(i)) + 1e-9);
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
    const uint32_t uses = saying_.uses(stem);
    double have = 0;
    if (uses > own)
      for (auto& [cosine, i] : near) {
        const std::span<const uint64_t> body = saying_.stems(i);
        have += std::binary_search(body.begin(), body.end(), stem);
      }
    word = std::max(
        word, deviations(have, (uses - std::min(own, double(uses))) / answers_.size(), among));
    const double w = saying_.weight(uses);
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
      company.direct = std::max(company.direct, saying_.weight(saying_.uses(stem)));
    }
  return company;
}

}  // namespace afina
