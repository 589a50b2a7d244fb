// Counts pairs of stems in a sketch, so that memory does not grow with what is said.
#include "data/checks/topics.h"

#include <algorithm>

#include "data/checks/neighbours.h"
#include "engine/math.h"

namespace afina {

namespace {

constexpr uint32_t most_counted = 20000;  // records
constexpr double least_telling = 5;       // standard deviations

uint64_t pair_of(uint64_t asked, uint64_t said) { return hash_with(hash_with(71, asked), said); }

double deviations(double both, double one, double other, double all) {
  const double expected = one * other / std::max(all, 1.);
  if (both < 2 || both < 1.5 * expected) return 0;
  // A square root would do; portable sums of squares keep the bits the same everywhere.
  const double above = both - expected;
  return above * above / (expected + 1);
}

}  // namespace

void content_stems(const Corpus& corpus, std::string_view text, std::vector<uint64_t>& out) {
  out.clear();
  thread_local Reading reading;  // its lists keep their room: this runs for every sentence
  Corpus::read(text, reading);
  size_t value = 0;
  for (uint32_t i = 0; i < reading.words.size(); ++i) {
    if (value < reading.values.size() && reading.values[value].first == i) {
      const Value& one = reading.values[value++];
      // A month or a day of the week may be what is asked about.
      if (one.type != ValueType::month && one.type != ValueType::weekday) {
        i = one.last - 1;
        continue;
      }
      out.push_back(one.id);
      continue;
    }
    const Word& word = reading.words[i];
    if (word.kind != WordKind::word || is_function_word(word.id)) continue;
    if (word.capital && corpus.is_name(word.id)) continue;
    out.push_back(stem_of(text.substr(word.begin, word.end - word.begin)));
  }
  sort_unique(out);
}

Topics::Topics(const Corpus& corpus) : corpus_(corpus) {
  step_ = 1 + corpus.records() / (most_counted + 1);
  uint64_t places = 1 << 14;
  const uint64_t wanted = 96 * uint64_t(std::min(corpus.records(), most_counted));
  while (places < wanted) places *= 2;
  mask_ = places - 1;
  pairs_.assign(2 * places, 0);
  std::vector<uint64_t> asked, said;
  auto each = [&](auto&& take) {
    for (const Answer& answer : corpus_.answers()) {
      if (!sampled(answer.record) || answer.question == no_turn) continue;
      read(answer, asked, said);
      take();
    }
  };
  // What has been read, for the second time round.
  std::vector<uint64_t> flat;
  std::vector<std::pair<uint32_t, uint32_t>> sizes;
  each([&] {
    flat.insert(flat.end(), asked.begin(), asked.end());
    flat.insert(flat.end(), said.begin(), said.end());
    sizes.emplace_back(uint32_t(asked.size()), uint32_t(said.size()));
    ++counted_;
    for (uint64_t q : asked) ++uses_[q].asked;
    for (uint64_t w : said) ++uses_[w].said;
    for (uint64_t q : asked)
      for (uint64_t w : said) {
        const uint64_t pair = pair_of(q, w);
        for (uint64_t at : {pair & mask_, mask_ + 1 + (pair >> 32 & mask_)}) count(at);
      }
  });
  const uint64_t* at = flat.data();
  for (auto [asks, says] : sizes) {
    const std::span<const uint64_t> q_stems{at, asks}, w_stems{at + asks, says};
    at += asks + says;
    for (uint64_t q : q_stems) {
      Use& use = uses_[q];
      if (use.asked < 4) continue;
      for (uint64_t w : w_stems) {
        Use& other = uses_.find(w)->second;
        const double both = together(q, w);
        if (both < 0.5 * use.asked && both < 0.5 * other.said) continue;
        const float strength = float(deviations(both, use.asked, other.said, counted_));
        if (both >= 0.5 * use.asked) use.telling = std::max(use.telling, strength);
        if (other.said >= 6) other.told = std::max(other.told, strength);
      }
    }
  }
}

uint32_t Topics::together(uint64_t asked, uint64_t said) const {
  const uint64_t pair = pair_of(asked, said);
  return std::min(counted(pair & mask_), counted(mask_ + 1 + (pair >> 32 & mask_)));
}

void Topics::count(uint64_t place) {
  if (pairs_[place] < UINT8_MAX && ++pairs_[place] < UINT8_MAX) return;
  uint16_t& more = many_[uint32_t(place)];  // above 254
  if (more < UINT16_MAX - (UINT8_MAX - 1)) ++more;
}

uint32_t Topics::counted(uint64_t place) const {
  const uint8_t count = pairs_[place];
  return count < UINT8_MAX ? count : UINT8_MAX - 1u + many_.find(uint32_t(place))->second;
}

void Topics::read(const Answer& answer, std::vector<uint64_t>& asked,
                  std::vector<uint64_t>& said) const {
  asked = this->asked(answer);
  content_stems(
      corpus_,
      corpus_.text(answer.turn).substr(answer.body_begin, answer.body_end - answer.body_begin),
      said);
}

std::vector<uint64_t> Topics::asked(const Answer& answer) const {
  std::vector<uint64_t> all, some;
  for (uint32_t t = corpus_.record(answer.record).first_turn; t < answer.turn; ++t) {
    if (corpus_.turns()[t].role != TurnRole::question) continue;
    content_stems(corpus_, corpus_.text(t), some);
    all.insert(all.end(), some.begin(), some.end());
  }
  sort_unique(all);
  return all;
}

bool Topics::asked_alike(const std::vector<uint64_t>& one, const Answer& other) const {
  auto weight = [&](uint64_t stem) { return 1. / (0.01 + share_asked(stem)); };
  return weighted_overlap(one, asked(other), weight) >= 0.3;
}

bool Topics::is_telling(uint64_t stem) const {
  auto found = uses_.find(stem);
  return found != uses_.end() && found->second.telling >= least_telling * least_telling;
}

bool Topics::is_told(uint64_t stem) const {
  auto found = uses_.find(stem);
  return found != uses_.end() && found->second.told >= least_telling * least_telling;
}

uint32_t Topics::said(uint64_t stem) const {
  auto found = uses_.find(stem);
  return found == uses_.end() ? 0 : found->second.said;
}

uint32_t Topics::asked(uint64_t stem) const {
  auto found = uses_.find(stem);
  return found == uses_.end() ? 0 : found->second.asked;
}

double Topics::tie(uint64_t asked, uint64_t said, uint32_t record) const {
  const double own = sampled(record) ? 1 : 0;
  auto one = uses_.find(asked), other = uses_.find(said);
  if (one == uses_.end() || other == uses_.end()) return 0;
  return deviations(together(asked, said) - own, one->second.asked - own, other->second.said - own,
                    counted_ - own);
}

double Topics::tie(const std::vector<uint64_t>& asked, const std::vector<uint64_t>& said,
                   uint32_t record, double shared) const {
  double best = 0;
  for (uint64_t q : asked) {
    if (std::binary_search(said.begin(), said.end(), q)) best = std::max(best, shared);
    if (!is_telling(q)) continue;
    for (uint64_t w : said) best = std::max(best, tie(q, w, record));
  }
  return best;
}

double Topics::rarity(uint64_t stem) const {
  const double all = double(corpus_.records());
  return math::log((all + 1) / (share_said(stem) * all + 1)) + 1e-6;
}

}  // namespace afina
