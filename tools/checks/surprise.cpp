// Sentences by their loss, and pairs of surprising ones.
#include "tools/checks/surprise.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "data/checks/neighbours.h"
#include "data/checks/phrases.h"

namespace afina {

namespace {

// A word without the endings that its forms differ by, then as stem_of has it.
uint64_t root_of(std::string_view word) {
  std::string low = lower_text(word);
  for (std::string_view end : {"ings", "ing", "ies", "es", "ed", "s"})
    if (low.size() >= end.size() + 4 && low.ends_with(end)) {
      low.resize(low.size() - end.size());
      break;
    }
  return stem_of(low);
}

// Words that deny what follows without being a negation.
bool denies(std::string_view low) {
  static const std::set<std::string_view> all = {
      "forbidden", "prohibited", "closed",  "impossible", "unavailable", "unsupported", "excluded",
      "lacks",     "lack",       "only",    "prohibido",  "prohibida",   "imposible",   "cerrado",
      "cerrada",   "nobody",     "nothing", "nowhere",    "refused",     "refuses",     "rechazan"};
  return all.count(low) || low.ends_with("n't") || low.ends_with("n’t");
}

constexpr size_t of_person = 7;  // characters of a number that is a telephone's or an account's
size_t word_size(const Word& word) { return word.end - word.begin; }

}  // namespace

void Surprise::read(std::string_view text, ReadSentence& into) const {
  Reading reading;
  Corpus::read(text, reading);
  size_t value = 0, words = 0;
  into.known = true;
  for (uint32_t i = 0; i < reading.words.size(); ++i) {
    if (value < reading.values.size() && reading.values[value].first == i) {
      into.values.push_back(reading.values[value].id);
      if (word_size(reading.words[i]) >= of_person) into.known = false;
      i = reading.values[value++].last - 1;
      ++words;
      continue;
    }
    const Word& word = reading.words[i];
    const std::string_view seen = text.substr(word.begin, word.end - word.begin);
    if (word.kind == WordKind::identifier || seen == "@" || seen == "#") into.known = false;
    if (word.kind == WordKind::number && seen.size() >= of_person) into.known = false;
    if (word.kind != WordKind::word) continue;
    ++words;
    const std::string low = lower_text(seen);
    if (is_negation(low) || denies(low)) {
      // "No, you pay nothing" and "no later than" deny nothing.
      std::string next;
      if (i + 1 < reading.words.size())
        next = lower_text(text.substr(reading.words[i + 1].begin,
                                      reading.words[i + 1].end - reading.words[i + 1].begin));
      static const std::set<std::string_view> harmless_after = {
          ",", ":", "later", "longer", "more", "less", "earlier", "only", "más", "menos", "solo"};
      if (!harmless_after.count(next)) into.negated = !into.negated;
      continue;
    }
    if (is_function_word(word.id) || low.size() < 3) continue;
    into.stems.push_back(root_of(seen));
  }
  into.whole = into.known && words >= 3 && !text.empty() &&
               std::string_view(".!?").find(text.back()) != std::string_view::npos;
  sort_unique(into.stems);
}

Surprise::Surprise(const Corpus& corpus, const Reader& reader, const FoldReadings& readings) {
  const size_t n = reader.records().size();
  records_ = std::max<size_t>(1, n);
  ranges_.resize(n);
  asked_.resize(n);
  std::map<uint32_t, size_t> at;  // of a turn
  for (size_t i = 0; i < n; ++i) at[reader.turn(i)] = i;
  std::vector<std::vector<uint64_t>> all(n);
  for (size_t i = 0; i < n; ++i) {
    ReadSentence scratch;
    for (const Turn& turn : corpus.turns(reader.records()[i]))
      if (turn.role == TurnRole::question) read(corpus.text(turn), scratch);
    sort_unique(scratch.stems);
    asked_[i] = all[i] = scratch.stems;
  }
  for (const Answer& answer : corpus.answers()) {
    const auto found = at.find(answer.turn);
    if (found == at.end()) continue;
    const size_t i = found->second;
    ranges_[i].first = sentences_.size();
    for (const Sentence& sentence : corpus.sentences(answer)) {
      ReadSentence one;
      one.answer = i;
      one.record = answer.record;
      one.turn = answer.turn;
      one.begin = sentence.begin;
      one.end = sentence.end;
      one.loss = readings.own[i].loss(sentence.begin, sentence.end);
      if (one.loss < 0) continue;
      read(corpus.text(sentence), one);
      all[i].insert(all[i].end(), one.stems.begin(), one.stems.end());
      sentences_.push_back(std::move(one));
    }
    ranges_[i].second = sentences_.size();
  }
  for (auto& stems : all) {
    sort_unique(stems);
    for (uint64_t stem : stems) ++uses_[stem];
  }
  std::vector<double> losses;
  for (const ReadSentence& one : sentences_) losses.push_back(one.loss);
  if (losses.empty()) return;
  std::sort(losses.begin(), losses.end());
  middle_ = losses[losses.size() / 2];
  spread_ = std::max(losses[losses.size() * 3 / 4] - middle_, 1e-3);
}

uint32_t Surprise::uses(uint64_t stem) const {
  const auto found = uses_.find(stem);
  return found == uses_.end() ? 0 : found->second;
}
double Surprise::weight(uint64_t stem) const {
  return std::log(double(records_ + 1) / double(std::max<uint32_t>(1, uses(stem))));
}

bool Surprise::shares_rare(const ReadSentence& sentence, const std::vector<uint64_t>& with,
                           uint32_t most) const {
  for (uint64_t stem : sentence.stems)
    if (uses(stem) <= most && std::binary_search(with.begin(), with.end(), stem)) return true;
  return false;
}

}  // namespace afina
