// Collects values, and compares what stands around two of them.
#include "data/checks/value_places.h"

#include <algorithm>

#include "data/checks/neighbours.h"
#include "data/checks/topics.h"

namespace afina {

namespace {

// Words on either side of the value that an occurrence must share, from strict to loose.
constexpr std::pair<int, int> windows[ValuePlaces::levels] = {
    {5, 5}, {3, 2}, {2, 3}, {4, 0}, {2, 1}};
// Bytes of a text that has so many values that it is read once for all of them.
constexpr size_t long_text = 8192;
// The same of conversations, and how many of these are kept.
constexpr uint32_t many_turns = 40;
constexpr size_t most_chats = 50;

}  // namespace

bool ValuePlaces::computed(const Reading& reading, const Value& value) {
  auto sign = [&](uint32_t at) {
    if (at >= reading.words.size() || reading.words[at].kind != WordKind::mark) return false;
    const Word& word = reading.words[at];
    const std::string_view mark = reading.text.substr(word.begin, word.end - word.begin);
    return mark == "\xC3\x97" || mark == "\xC3\xB7" ||
           (mark.size() == 1 && std::string_view("=+*/<>^").find(mark) != mark.npos);
  };
  return (value.first > 0 && sign(value.first - 1)) || sign(value.last);
}

void ValuePlaces::collect() {
  each([&](uint32_t s, const Sentence& sentence, const Reading& reading, const Value& value,
           const std::vector<uint64_t>&, size_t) {
    uint64_t kind = uint64_t(value.type) + 1;
    if (value.type == ValueType::count && value.last < reading.words.size())
      kind = hash_with(kind, reading.words[value.last].id);
    // Kilos are no miles.
    if (value.type == ValueType::measure) {
      const Word& unit = reading.words[value.last - 1];
      kind = hash_with(kind, stem_of(reading.text.substr(unit.begin, unit.end - unit.begin)));
    }
    all_.push_back({value.id, kind, s, sentence.begin + reading.words[value.first].begin,
                    sentence.begin + reading.words[value.last - 1].end,
                    corpus_.answers()[sentence.answer].record, value.type, false});
  });
  all_.shrink_to_fit();
}

void ValuePlaces::add_stems(std::string_view text, std::vector<uint64_t>& out) {
  Corpus::read(text, reading_);
  size_t value = 0;
  for (uint32_t i = 0; i < reading_.words.size(); ++i) {
    if (value < reading_.values.size() && reading_.values[value].first == i) {
      i = reading_.values[value++].last - 1;
      continue;
    }
    const Word& word = reading_.words[i];
    if (word.kind == WordKind::word && !is_function_word(word.id))
      out.push_back(stem_of(text.substr(word.begin, word.end - word.begin)));
  }
  sort_unique(out);
}

ValuePlaces::Features ValuePlaces::features_of(uint32_t occurrence) {
  Features f;
  f.occurrence = occurrence;
  const uint32_t index = all_[occurrence].sentence;
  const Sentence& sentence = corpus_.sentences()[index];
  const Answer& answer = corpus_.answers()[sentence.answer];
  add_stems(corpus_.text(sentence), f.sentence);
  if (index > answer.first_sentence)
    add_stems(corpus_.text(corpus_.sentences()[index - 1]), f.before);
  add_asked(answer, f.asked);
  f.all = f.asked;
  add_stems_of(
      answer.turn,
      corpus_.text(answer.turn).substr(answer.body_begin, answer.body_end - answer.body_begin),
      f.all);
  return f;
}

void ValuePlaces::add_asked(const Answer& answer, std::vector<uint64_t>& out) {
  const RecordPlace& record = corpus_.record(answer.record);
  auto is_question = [&](uint32_t t) { return corpus_.turns()[t].role == TurnRole::question; };
  if (record.turns <= many_turns) {
    for (uint32_t t = record.first_turn; t < answer.turn; ++t)
      if (is_question(t)) add_stems_of(t, corpus_.text(t), out);
    return;
  }
  if (of_chats_.size() > most_chats) of_chats_.clear();
  auto& asked = of_chats_[answer.record];
  if (asked.empty()) {
    std::vector<uint64_t> stems;
    for (uint32_t t = record.first_turn; t < record.first_turn + record.turns; ++t) {
      stems.clear();
      if (is_question(t)) add_stems(corpus_.text(t), stems);
      for (uint64_t stem : stems) asked.emplace_back(stem, t);
    }
    std::sort(asked.begin(), asked.end());
    const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
    asked.erase(std::unique(asked.begin(), asked.end(), same), asked.end());
  }
  for (auto& [stem, turn] : asked)
    if (turn < answer.turn) out.push_back(stem);
}

void ValuePlaces::add_stems_of(uint32_t turn, std::string_view text, std::vector<uint64_t>& out) {
  if (text.size() < long_text) return add_stems(text, out);
  std::vector<uint64_t>& stems = of_long_[turn];
  if (stems.empty()) add_stems(text, stems);
  out.insert(out.end(), stems.begin(), stems.end());
  sort_unique(out);
}

bool ValuePlaces::other_thing(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b,
                              double alike) {
  const double like = jaccard(a, b);
  return like >= alike && like < 1 && !std::includes(a.begin(), a.end(), b.begin(), b.end()) &&
         !std::includes(b.begin(), b.end(), a.begin(), a.end());
}

double ValuePlaces::alike(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) const {
  const Topics& topics = corpus_.topics();
  return weighted_overlap(a, b, [&](uint64_t stem) {
    return 1. / (0.02 + double(topics.said(stem) + topics.asked(stem)) / double(corpus_.records()));
  });
}

bool ValuePlaces::other_beside(uint32_t a, uint32_t b) const {
  auto around = [&](uint32_t at, std::map<uint64_t, std::set<uint64_t>>& values) {
    const Occurrence& own = all_[at];
    const uint32_t answer = corpus_.sentences()[own.sentence].answer;
    auto take = [&](uint32_t i) {
      const Occurrence& one = all_[i];
      if (corpus_.sentences()[one.sentence].answer != answer || one.sentence + 1 < own.sentence ||
          one.sentence > own.sentence + 1)
        return false;
      values[one.kind].insert(one.value);
      return true;
    };
    for (uint32_t i = at; i-- > 0 && take(i);) {}
    for (uint32_t i = at + 1; i < all_.size() && take(i); ++i) {}
  };
  std::map<uint64_t, std::set<uint64_t>> mine, theirs;
  around(a, mine);
  around(b, theirs);
  for (auto& [kind, values] : mine) {
    auto other = theirs.find(kind);
    if (other == theirs.end()) continue;
    bool common = false;
    for (uint64_t value : values) common |= other->second.count(value) > 0;
    if (!common) return true;
  }
  return false;
}

void ValuePlaces::count_words() {
  std::vector<uint64_t> stems;
  uint32_t last = no_turn;
  with_word_.reserve(12 * all_.size());  // room that is not written to costs nothing
  for (const Occurrence& one : all_) {
    if (one.sentence != last) {
      stems.clear();
      add_stems(corpus_.text(corpus_.sentences()[one.sentence]), stems);
      last = one.sentence;
    }
    for (uint64_t stem : stems)
      with_word_.push_back(hash_with(hash_with(one.kind, stem), one.value));
  }
  std::sort(with_word_.begin(), with_word_.end());
}

bool ValuePlaces::one_of_several(const Occurrence& own, const std::vector<uint64_t>& stems,
                                 uint64_t winner) const {
  bool any = false;
  for (uint64_t stem : stems) {
    auto times = [&](uint64_t value) {
      const auto [first, last] = std::equal_range(with_word_.begin(), with_word_.end(),
                                                  hash_with(hash_with(own.kind, stem), value));
      return uint32_t(last - first);
    };
    const uint32_t theirs = times(winner), mine = times(own.value);
    if (theirs < 2) continue;
    if (mine < 3 || mine * 10 < theirs * 6) return false;
    any = true;
  }
  return any;
}

PiecePlace ValuePlaces::place_of(uint32_t index) const {
  const Occurrence& o = all_[index];
  return {o.record, corpus_.answers()[corpus_.sentences()[o.sentence].answer].turn, o.begin, o.end};
}

std::string ValuePlaces::piece(uint32_t index) const {
  const PiecePlace place = place_of(index);
  return squeezed(corpus_.text(place.turn).substr(place.begin, place.end - place.begin));
}

void ValuePlaces::find_keys() {
  std::vector<std::array<uint64_t, levels>> windows_of;
  windows_of.reserve(all_.size());
  each([&](uint32_t, const Sentence&, const Reading&, const Value&,
           const std::vector<uint64_t>& words, size_t at) {
    std::array<uint64_t, levels>& keys = windows_of.emplace_back();
    for (int level = 0; level < levels; ++level) {
      uint64_t key = 41;
      int known = 0;
      for (int k = -windows[level].first; k <= windows[level].second; ++k) {
        const int64_t i = int64_t(at) + k;
        const uint64_t word = i < 0 || i >= int64_t(words.size()) ? 0 : words[size_t(i)];
        known += word > 3;
        key = hash_with(key, word);
      }
      keys[size_t(level)] = known >= 2 ? key : 0;
    }
  });
  // Their ranks take half the room, and sort in the same order.
  keys_.resize(windows_of.size());
  std::vector<uint64_t> known;
  for (size_t level = 0; level < levels; ++level) {
    known.assign(1, 0);
    for (const auto& keys : windows_of) known.push_back(keys[level]);
    sort_unique(known);
    for (size_t i = 0; i < keys_.size(); ++i)
      keys_[i][level] = uint32_t(
          std::lower_bound(known.begin(), known.end(), windows_of[i][level]) - known.begin());
  }
}

}  // namespace afina
