// value-conflict: a number, price, time or date that differs from the one most similar sentences
// have in the same place. Neighbours vote: occurrences with the same words around the value, those
// whose sentence and question are most alike counting most.
#include <algorithm>
#include <map>
#include <set>

#include "data/checks/check.h"
#include "data/checks/neighbours.h"

namespace afina {

namespace {

constexpr int levels = 5;
constexpr size_t most_compared = 64;

struct Occurrence {
  uint64_t value;
  uint32_t sentence, begin, end;  // bytes of the turn
  uint32_t record;
  bool settled;
};

// Words on either side of the value that an occurrence must share, from strict to loose.
constexpr std::pair<int, int> windows[levels] = {{5, 5}, {3, 2}, {2, 3}, {4, 0}, {2, 1}};

struct Place {
  uint64_t key;
  uint32_t occurrence;
  bool operator<(const Place& o) const {
    return key != o.key ? key < o.key : occurrence < o.occurrence;
  }
};

class Votes {
 public:
  Votes(const Corpus& corpus, std::vector<Finding>& out) : corpus_(corpus), out_(out) {}

  void run() {
    collect();
    for (int level = 0; level < levels; ++level) vote(level);
    // Where few values have neighbours that agree on one, values are no procedures: then only
    // what nearly all agree on counts.
    size_t settled = 0;
    for (const Occurrence& one : all_) settled += one.settled;
    if (settled * 5 < all_.size())
      std::erase_if(out_, [](const Finding& finding) { return finding.score < 0.9; });
  }

 private:
  // Is the value part of a computation? Such numbers are no facts.
  static bool computed(const Reading& reading, const Value& value) {
    auto sign = [&](uint32_t at) {
      if (at >= reading.words.size() || reading.words[at].kind != WordKind::mark) return false;
      const Word& word = reading.words[at];
      const std::string_view mark = reading.text.substr(word.begin, word.end - word.begin);
      return mark == "\xC3\x97" || mark == "\xC3\xB7" ||
             (mark.size() == 1 && std::string_view("=+*/<>^").find(mark) != mark.npos);
    };
    return (value.first > 0 && sign(value.first - 1)) || sign(value.last);
  }
  // Each value in the bodies of answers. keys: when given, of the windows of this level.
  template <class Take>
  void each(Take&& take) {
    Reading reading;
    std::vector<uint64_t> words;
    for (uint32_t s = 0; s < corpus_.sentences().size(); ++s) {
      const Sentence& sentence = corpus_.sentences()[s];
      if (!sentence.valued) continue;
      Corpus::read(corpus_.text(sentence), reading);
      corpus_.skeleton(reading, 0, uint32_t(reading.words.size()), words);
      size_t value = 0;
      for (size_t i = 0; i < words.size() && value < reading.values.size(); ++i)
        if (words[i] == Corpus::value_word) {
          const Value& one = reading.values[value++];
          if (!computed(reading, one)) take(s, sentence, reading, one, words, i);
        }
    }
  }

  void collect() {
    each([&](uint32_t s, const Sentence& sentence, const Reading& reading, const Value& value,
             const std::vector<uint64_t>&, size_t) {
      all_.push_back({value.id, s, sentence.begin + reading.words[value.first].begin,
                      sentence.begin + reading.words[value.last - 1].end,
                      corpus_.answers()[sentence.answer].record, false});
    });
  }

  void vote(int level) {
    std::vector<Place> places;
    const auto [left, right] = windows[level];
    uint32_t number = 0;
    each([&](uint32_t, const Sentence&, const Reading&, const Value&,
             const std::vector<uint64_t>& words, size_t at) {
      uint64_t key = 41;
      int known = 0;
      for (int k = -left; k <= right; ++k) {
        const int64_t i = int64_t(at) + k;
        const uint64_t word = i < 0 || i >= int64_t(words.size()) ? 0 : words[size_t(i)];
        known += word > 3;
        key = hash_with(key, word);
      }
      places.push_back({known >= 2 ? key : 0, number++});
    });
    std::sort(places.begin(), places.end());
    for (size_t begin = 0; begin < places.size();) {
      size_t end = begin + 1;
      while (end < places.size() && places[end].key == places[begin].key) ++end;
      if (places[begin].key && end - begin >= 4) group({places.data() + begin, end - begin});
      begin = end;
    }
  }

  struct Features {
    uint32_t occurrence;
    std::vector<uint64_t> sentence, asked;
  };
  Features features_of(uint32_t occurrence) {
    Features f;
    f.occurrence = occurrence;
    const Sentence& sentence = corpus_.sentences()[all_[occurrence].sentence];
    split_words(corpus_.text(sentence), words_);
    for (const Word& word : words_)
      if (word.kind == WordKind::word) f.sentence.push_back(word.id);
    sort_unique(f.sentence);
    f.asked = corpus_.asked(corpus_.answers()[sentence.answer]);
    return f;
  }
  // Shared words, rare ones counting more.
  double alike(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) const {
    return weighted_overlap(a, b, [&](uint64_t word) {
      const WordUse& use = corpus_.use(word);
      return 1. / (0.02 + double(use.answers + use.questions) / double(corpus_.records()));
    });
  }

  void group(std::span<const Place> members) {
    // How many records have each value.
    std::map<uint64_t, std::set<uint32_t>> records;
    for (const Place& place : members)
      records[all_[place.occurrence].value].insert(all_[place.occurrence].record);
    size_t greatest = 0, total = 0;
    for (auto& [value, with] : records) {
      greatest = std::max(greatest, with.size());
      total += with.size();
    }
    if (records.size() == 1 || greatest < 3) {
      if (records.size() == 1 && total >= 4)
        for (const Place& place : members) all_[place.occurrence].settled = true;
      return;
    }
    std::vector<Features> sample;
    for (const Place& place : members) {
      Occurrence& own = all_[place.occurrence];
      if (own.settled) continue;
      const size_t with = records[own.value].size();
      if (with == greatest && with * 2 > total) {
        own.settled = total >= 4;
        continue;
      }
      if (sample.empty()) {
        const size_t step = std::max<size_t>(1, members.size() / most_compared);
        for (size_t i = 0; i < members.size(); i += step)
          sample.push_back(features_of(members[i].occurrence));
      }
      ask(place.occurrence, sample);
    }
  }

  void ask(uint32_t index, const std::vector<Features>& sample) {
    Occurrence& own = all_[index];
    const Features mine = features_of(index);
    std::vector<std::pair<double, uint32_t>> near;
    for (const Features& other : sample) {
      if (all_[other.occurrence].record == own.record) continue;
      const double like =
          0.5 * jaccard(mine.sentence, other.sentence) + 0.5 * alike(mine.asked, other.asked);
      near.emplace_back(-like, other.occurrence);
    }
    std::sort(near.begin(), near.end());
    if (near.size() < 3) return;
    std::map<uint64_t, std::pair<double, std::set<uint32_t>>> votes;
    double all = 0;
    const double best = -near[0].first;
    for (size_t i = 0; i < near.size() && i < 12; ++i) {
      const double like = -near[i].first;
      if (like < 0.5 * best || like < 0.2) break;
      auto& vote = votes[all_[near[i].second].value];
      if (!vote.second.insert(all_[near[i].second].record).second) continue;
      vote.first += like * like;
      all += like * like;
    }
    uint64_t winner = 0;
    double share = 0;
    for (auto& [value, vote] : votes)
      if (vote.first / all > share && vote.second.size() >= 3) {
        share = vote.first / all;
        winner = value;
      }
    if (!winner) return;
    const double mine_share = votes.count(own.value) ? votes[own.value].first / all : 0;
    if (winner == own.value) {
      own.settled = share >= 0.5;
      return;
    }
    if (share < 0.4 || mine_share > 0.75 * share) return;
    own.settled = true;
    if (!told_.insert({own.record, own.value}).second) return;
    Finding finding{nullptr, std::min(1., share - mine_share), {place_of(index)}, piece(index), ""};
    for (auto& [unused, other] : near) {
      if (all_[other].value != winner) continue;
      if (finding.expected.empty()) finding.expected = piece(other);
      finding.places.push_back(place_of(other));
      if (finding.places.size() == 3) break;
    }
    out_.push_back(std::move(finding));
  }

  PiecePlace place_of(uint32_t index) const {
    const Occurrence& o = all_[index];
    return {o.record, corpus_.answers()[corpus_.sentences()[o.sentence].answer].turn, o.begin,
            o.end};
  }
  std::string piece(uint32_t index) const {
    const PiecePlace place = place_of(index);
    return squeezed(corpus_.text(place.turn).substr(place.begin, place.end - place.begin));
  }

  const Corpus& corpus_;
  std::vector<Finding>& out_;
  std::vector<Occurrence> all_;
  std::vector<Word> words_;
  std::set<std::pair<uint32_t, uint64_t>> told_;
};

void run(const Corpus& corpus, std::vector<Finding>& out) { Votes(corpus, out).run(); }

const RegisterCheck registered(
    {"value-conflict", "consistency", Severity::error,
     "numbers, prices, times and dates that similar records have otherwise",
     "The model learns each of the values and says one of them at random.",
     "Find out which value is right, and write it everywhere.", run});

}  // namespace

}  // namespace afina
