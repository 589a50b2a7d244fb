// Pairs sentences by words that two answers have and no other, names among them: "The copper pan
// takes nine litres", "The copper dye pan holds five litres".
#include "data/checks/one_thing.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <unordered_map>

#include "data/checks/neighbours.h"
#include "data/checks/phrases.h"
#include "data/checks/topics.h"
#include "engine/math.h"

namespace afina {

namespace {

constexpr double least_within = 0.3, least_alike = 0.1;  // of the shorter one, and of both
constexpr size_t least_shared = 2;                       // words
constexpr size_t most_digits = 6;                        // more are a number of somebody's

// What is free costs nothing, and "free of" something has none of it.
bool is_free(std::string_view word) {
  return word == "free" || word == "gratis" || word.starts_with("gratuit");
}

struct Said {
  std::vector<std::pair<uint64_t, uint32_t>> words;  // stem, clause
  std::vector<uint64_t> stems, names;                // sorted
  std::vector<uint32_t> denials;                     // by clause
  struct Amount {
    ValueType type;
    uint64_t unit, id;
  };
  std::vector<Amount> amounts;
  bool personal = false;  // a question, or what belongs to one person
};

class Pairs {
 public:
  Pairs(const Corpus& corpus, const LoneSentences& lone) : corpus_(corpus), lone_(lone) {}

  std::vector<OneThing> find() {
    std::vector<std::pair<uint64_t, uint32_t>> by_word;
    for (uint32_t i = 0; i < lone_.size(); ++i) {
      const std::string_view text = corpus_.text(sentence(i));
      split_words(text, words_);
      for (const Word& word : words_) {
        if (word.kind != WordKind::word || is_function_word(word.id)) continue;
        if (corpus_.use(word.id).answers > 2) continue;
        const uint64_t stem = stem_of(text.substr(word.begin, word.end - word.begin));
        if (is_name(word) || corpus_.topics().said(stem) <= 2) by_word.emplace_back(stem, i);
      }
    }
    std::sort(by_word.begin(), by_word.end());
    by_word.erase(std::unique(by_word.begin(), by_word.end()), by_word.end());
    std::vector<std::pair<uint32_t, uint32_t>> pairs;
    for (size_t begin = 0, end = 0; begin < by_word.size(); begin = end) {
      while (end < by_word.size() && by_word[end].first == by_word[begin].first) ++end;
      // The same word in two sentences of one answer, and in one of another.
      if (end - begin > 4) continue;
      for (size_t a = begin; a < end; ++a)
        for (size_t b = a + 1; b < end; ++b)
          pairs.emplace_back(by_word[a].second, by_word[b].second);
    }
    std::sort(pairs.begin(), pairs.end());
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    std::vector<OneThing> out;
    for (auto [one, other] : pairs) compare(one, other, out);
    return out;
  }

 private:
  const Sentence& sentence(uint32_t i) const { return corpus_.sentences()[lone_[i].sentence]; }
  bool is_name(const Word& word) const { return word.capital && corpus_.is_name(word.id); }

  Said read(uint32_t i) {
    Said said;
    Corpus::read(corpus_.text(sentence(i)), reading_);
    const std::string_view text = reading_.text;
    said.denials.push_back(0);
    size_t value = 0, digits = 0;
    for (uint32_t at = 0; at < reading_.words.size(); ++at) {
      const Word& word = reading_.words[at];
      const std::string_view own = text.substr(word.begin, word.end - word.begin);
      for (char c : own) digits += c >= '0' && c <= '9';
      while (value < reading_.values.size() && reading_.values[value].last <= at) ++value;
      const bool in_value = value < reading_.values.size() && reading_.values[value].first <= at;
      if (word.kind == WordKind::mark && !in_value) {
        if (own == "," || own == ";" || own == ":") said.denials.push_back(0);
        said.personal |= std::string_view("?=+<>*#@").find(own) != std::string_view::npos;
      }
      said.personal |= word.kind == WordKind::identifier;
      if (word.kind != WordKind::word || in_value) continue;
      const std::string low = lower_text(own);
      const bool denies = is_negation(low) || is_free(low);
      said.denials.back() += denies;
      if (denies || is_function_word(word.id)) continue;
      const uint64_t stem = stem_of(own);
      said.words.emplace_back(stem, uint32_t(said.denials.size() - 1));
      said.stems.push_back(stem);
      if (is_name(word)) said.names.push_back(stem);
      weights_.emplace(stem, is_name(word) ? corpus_.use(word.id).answers
                                           : corpus_.topics().share_said(stem) *
                                                 double(corpus_.answers().size()));
    }
    said.personal |= digits > most_digits;
    auto stem_at = [&](uint32_t at) {
      if (at >= reading_.words.size()) return uint64_t(0);
      const Word& word = reading_.words[at];
      return stem_of(text.substr(word.begin, word.end - word.begin));
    };
    for (const Value& one : reading_.values) {
      const uint64_t unit = one.type == ValueType::count     ? stem_at(one.last)
                            : one.type == ValueType::measure ? stem_at(one.last - 1)
                                                             : 0;
      said.amounts.push_back({one.type, unit, one.id});
    }
    sort_unique(said.stems);
    sort_unique(said.names);
    return said;
  }

  double weight(uint64_t stem) const {
    return math::log((double(corpus_.answers().size()) + 1) /
                     std::max(weights_.find(stem)->second, 1.));
  }

  // Is what they share denied in one of them? In the clauses that have most of it, or half as much.
  static bool denied(const Said& said, const std::vector<uint64_t>& shared) {
    std::vector<uint32_t> have(said.denials.size());
    for (auto [stem, clause] : said.words)
      have[clause] += std::binary_search(shared.begin(), shared.end(), stem);
    const uint32_t most = *std::max_element(have.begin(), have.end());
    uint32_t denials = 0;
    for (size_t clause = 0; clause < have.size(); ++clause)
      if (have[clause] > 0 && 2 * have[clause] >= most) denials += said.denials[clause];
    return denials % 2 == 1;
  }

  // Has each an amount of one kind that the other has otherwise?
  static bool other_amounts(const Said& one, const Said& other) {
    using Entry = std::tuple<ValueType, uint64_t, uint64_t>;  // the kind, and what it is
    auto sorted = [](const Said& said) {
      std::vector<Entry> all;
      for (const Said::Amount& a : said.amounts) all.emplace_back(a.type, a.unit, a.id);
      std::sort(all.begin(), all.end());
      return all;
    };
    const std::vector<Entry> mine = sorted(one), theirs = sorted(other);
    std::vector<Entry> both;
    std::set_intersection(mine.begin(), mine.end(), theirs.begin(), theirs.end(),
                          std::back_inserter(both));
    auto has_kind = [](const std::vector<Entry>& all, const Entry& of) {
      const auto [type, unit, id] = of;
      auto at = std::lower_bound(all.begin(), all.end(), Entry(type, unit, 0));
      return at != all.end() && std::get<0>(*at) == type && std::get<1>(*at) == unit;
    };
    return std::any_of(mine.begin(), mine.end(),
                       [&](const Entry& a) { return has_kind(theirs, a) && !has_kind(both, a); });
  }

  void compare(uint32_t i, uint32_t j, std::vector<OneThing>& out) {
    const Sentence &a = sentence(i), &b = sentence(j);
    if (corpus_.answers()[a.answer].record == corpus_.answers()[b.answer].record || a.key == b.key)
      return;
    weights_.clear();
    const Said one = read(i), other = read(j);
    if (one.personal || other.personal) return;
    std::vector<uint64_t> shared;
    std::set_intersection(one.stems.begin(), one.stems.end(), other.stems.begin(),
                          other.stems.end(), std::back_inserter(shared));
    if (shared.size() < least_shared) return;
    auto sum = [&](const std::vector<uint64_t>& stems) {
      double all = 0;
      for (uint64_t stem : stems) all += weight(stem);
      return all;
    };
    const double both = sum(shared), first = sum(one.stems), second = sum(other.stems),
                 within = both / std::min(first, second);
    if (within < least_within || both / (first + second - both) < least_alike) return;
    if (other_amounts(one, other))
      out.push_back({i, j, within, "another value for the same", false});
    else if (denied(one, shared) != denied(other, shared))
      out.push_back({i, j, within, "one says yes, the other no", false});
    else if (!one.names.empty() && !other.names.empty() && jaccard(one.names, other.names) == 0)
      out.push_back({i, j, within, "another name for the same", true});
  }

  const Corpus& corpus_;
  const LoneSentences& lone_;
  Reading reading_;
  std::vector<Word> words_;
  std::unordered_map<uint64_t, double> weights_;  // of the words of a pair: answers that have them
};

}  // namespace

std::vector<OneThing> differing_pairs(const Corpus& corpus, const LoneSentences& lone) {
  return Pairs(corpus, lone).find();
}

}  // namespace afina
