// term: several words for one thing. Words that stand in the same places of sentences which are
// otherwise alike, where one is the usual one; not those that the question names, nor places that
// take many different words.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "data/checks/check.h"
#include "data/checks/neighbours.h"

namespace afina {

namespace {

constexpr uint32_t most_sentences = 30000;  // different ones that are looked at
constexpr size_t most_fillers = 10;         // a place with more takes anything

// One to three words at a place.
struct Filler {
  uint64_t place, span;
  uint32_t sentence, records;  // of how many records the sentence is
  uint16_t begin;              // words without marks
  uint8_t length;
  bool operator<(const Filler& o) const {
    return place != o.place ? place < o.place
           : span != o.span ? span < o.span
                            : sentence < o.sentence;
  }
};

struct PairUse {
  uint32_t places = 0, usual = 0, other = 0;
  uint32_t usual_at = 0, other_at = 0;  // fillers
};

class Terms {
 public:
  Terms(const Corpus& corpus, std::vector<Finding>& out) : corpus_(corpus), out_(out) {}

  void run() {
    collect();
    compare();
    choose();
    tell();
  }

 private:
  // The sentence's words without marks, lower-case texts' ids, with the bytes they stand at.
  void words_of(uint32_t sentence, std::vector<uint64_t>& ids) {
    Corpus::read(corpus_.text(corpus_.sentences()[sentence]), reading_);
    corpus_.skeleton(reading_, 0, uint32_t(reading_.words.size()), ids);
    // The first word of a sentence is no name for its capital alone.
  }

  void collect() {
    std::unordered_map<uint64_t, std::pair<uint32_t, uint32_t>> known;  // key -> first, records
    const auto& all = corpus_.sentences();
    const size_t step = 1 + all.size() / (8 * most_sentences);
    for (uint32_t s = 0; s < all.size(); s += uint32_t(step)) {
      auto found = known.find(all[s].key);
      if (found != known.end()) ++found->second.second;
      else if (known.size() < most_sentences) known[all[s].key] = {s, 1};
    }
    // Most places are met once, with one filler, and tell nothing: bits by a hash of them say which
    // are met again, so that the others need no room.
    std::vector<bool> met(1 << 22), again(1 << 22);
    for (auto& [key, use] : known)
      each_filler(use, [&](const Filler& filler) {
        const size_t bit = filler.place % met.size();
        if (met[bit]) again[bit] = true;
        met[bit] = true;
      });
    for (auto& [key, use] : known)
      each_filler(use, [&](const Filler& filler) {
        if (again[filler.place % again.size()]) fillers_.push_back(filler);
      });
    std::sort(fillers_.begin(), fillers_.end());
  }

  // use: a sentence and how many records have it.
  template <class Take>
  void each_filler(std::pair<uint32_t, uint32_t> use, Take&& take) {
    words_of(use.first, ids_);
    const std::vector<uint64_t>& ids = ids_;
    const size_t n = ids.size();
    if (n < 3 || n > 60) return;
    auto at = [&](int64_t i) { return i < 0 || i >= int64_t(n) ? 0 : ids[size_t(i)]; };
    for (size_t begin = 0; begin < n; ++begin)
      for (size_t length = 1; length <= 3 && begin + length <= n; ++length) {
        bool plain = true, content = false;
        uint64_t span = 53;
        for (size_t i = begin; i < begin + length; ++i) {
          plain &= ids[i] > 3;
          content |= !is_function_word(ids[i]);
          span = hash_with(span, ids[i]);
        }
        if (!plain) break;
        // A term begins and ends with a word that means something.
        if (!content || is_function_word(ids[begin + length - 1]) || is_function_word(ids[begin]))
          continue;
        const int64_t b = int64_t(begin), e = int64_t(begin + length);
        const uint64_t around[] = {at(b - 2), at(b - 1), at(e), at(e + 1)};
        // Three of the four words around it must be there, one of them with a meaning.
        int there = 0, meaning = 0;
        for (uint64_t word : around) {
          there += word != 0;
          meaning += word > 3 && !is_function_word(word);
        }
        if (there < 3 || meaning < 1) continue;
        uint64_t place = 59;
        for (uint64_t word : around) place = hash_with(place, word);
        take({place, span, use.first, use.second, uint16_t(begin), uint8_t(length)});
      }
  }

  uint64_t word_at(const Filler& filler, size_t i) {
    words_of(filler.sentence, ids_);
    return ids_[filler.begin + i];
  }

  void compare() {
    struct Span {
      uint64_t id;
      uint32_t records, at;
    };
    std::vector<Span> spans;
    for (size_t begin = 0; begin < fillers_.size();) {
      size_t end = begin;
      spans.clear();
      for (; end < fillers_.size() && fillers_[end].place == fillers_[begin].place; ++end) {
        if (spans.empty() || spans.back().id != fillers_[end].span)
          spans.push_back({fillers_[end].span, 0, uint32_t(end)});
        spans.back().records += fillers_[end].records;
      }
      begin = end;
      if (spans.size() < 2 || spans.size() > most_fillers) continue;
      uint32_t total = 0;
      size_t top = 0;
      for (size_t i = 0; i < spans.size(); ++i) {
        total += spans[i].records;
        if (spans[i].records > spans[top].records) top = i;
      }
      if (spans[top].records < 2 || spans[top].records * 5 < total * 2) continue;
      const Filler& usual = fillers_[spans[top].at];
      for (size_t i = 0; i < spans.size(); ++i) {
        const Filler& other = fillers_[spans[i].at];
        if (i == top || spans[i].records >= spans[top].records) continue;
        // Only what differs: not "the parcel" for "the package".
        if (word_at(usual, 0) == word_at(other, 0) ||
            word_at(usual, usual.length - 1u) == word_at(other, other.length - 1u))
          continue;
        PairUse& use = pairs_[{usual.span, other.span}];
        ++use.places;
        use.usual += spans[top].records;
        use.other += spans[i].records;
        use.usual_at = spans[top].at;
        use.other_at = spans[i].at;
      }
    }
  }

  std::string text_of(const Filler& filler) {
    words_of(filler.sentence, ids_);
    // The words without marks, as the skeleton counts them: values and names are one each.
    std::string text;
    uint32_t position = 0, value = 0;
    bool named = false;
    for (uint32_t i = 0; i < reading_.words.size(); ++i) {
      const Word& word = reading_.words[i];
      if (value < reading_.values.size() && reading_.values[value].first == i) {
        i = reading_.values[value++].last - 1;
        ++position;
        named = false;
        continue;
      }
      if (word.kind == WordKind::mark) continue;
      const bool name = word.kind == WordKind::word && word.capital && corpus_.is_name(word.id);
      if (name && named) continue;
      named = name;
      if (position >= filler.begin && position < uint32_t(filler.begin + filler.length))
        text += (text.empty() ? "" : " ") +
                std::string(reading_.text.substr(word.begin, word.end - word.begin));
      ++position;
    }
    return text;
  }

  struct Term {
    std::vector<uint64_t> words, usual_words;
    std::string text, usual;
    double score;
  };

  // How many answers have the words, and how many of those questions name them.
  struct Echo {
    uint32_t answers = 0, asked = 0;
    std::set<std::pair<uint64_t, uint64_t>> phrases;  // words before and behind, some of them
  };

  void choose() {
    std::vector<Term> candidates;
    for (auto& [spans, use] : pairs_) {
      // A variant is rare where the usual word stands; two words that are said as often are a
      // choice of words.
      const bool rare = use.usual >= 5 && use.other * 5 <= use.usual;
      if (use.places < 2 && !rare) continue;
      if (use.other * 2 > use.usual) continue;
      Term term;
      const Filler& other = fillers_[use.other_at];
      words_of(other.sentence, ids_);
      term.words.assign(ids_.begin() + other.begin, ids_.begin() + other.begin + other.length);
      term.text = text_of(other);
      const Filler& usual = fillers_[use.usual_at];
      words_of(usual.sentence, ids_);
      term.usual_words.assign(ids_.begin() + usual.begin,
                              ids_.begin() + usual.begin + usual.length);
      term.usual = text_of(usual);
      // Forms of one word are no two words.
      const size_t blank = std::min(term.text.rfind(' ') + 1, term.text.size()),
                   usual_blank = std::min(term.usual.rfind(' ') + 1, term.usual.size());
      if (stem_of(term.text.substr(blank)) == stem_of(term.usual.substr(usual_blank))) continue;
      term.score = double(use.places) / double(use.places + 2) * double(use.usual) /
                   double(use.usual + use.other);
      candidates.push_back(std::move(term));
      uses_.push_back(use);
    }
    decltype(fillers_)().swap(fillers_);
    decltype(pairs_)().swap(pairs_);
    std::vector<Echo> echoes(candidates.size()), usual_echoes(candidates.size());
    count(candidates, echoes);
    std::vector<Term> usual_terms = candidates;
    for (Term& term : usual_terms) term.words = term.usual_words;
    count(usual_terms, usual_echoes);
    for (size_t i = 0; i < candidates.size(); ++i) {
      const Echo& echo = echoes[i];
      // The usual word is one of several kinds of sentences, and more often said in all.
      const Echo& usual = usual_echoes[i];
      if (usual.answers < 6 || usual.answers < 2 * echo.answers || usual.phrases.size() < 2)
        continue;
      // A word that is nearly always elsewhere has a meaning of its own.
      if (echo.asked * 4 > echo.answers || uses_[i].other * 10 < echo.answers) continue;
      if (candidates[i].text.size() < 3) continue;
      chosen_.push_back(candidates[i]);
    }
  }

  template <class Take>
  void each_match(const std::vector<Term>& terms, Take&& take) {
    std::unordered_map<uint64_t, std::vector<size_t>> by_first;
    for (size_t i = 0; i < terms.size(); ++i) by_first[terms[i].words[0]].push_back(i);
    std::vector<Word> words, plain;
    for (const Answer& answer : corpus_.answers()) {
      split_words(corpus_.text(answer.turn), words);
      plain.clear();
      for (const Word& word : words)
        if (word.kind != WordKind::mark && word.begin >= answer.body_begin &&
            word.begin < answer.body_end)
          plain.push_back(word);
      for (size_t i = 0; i < plain.size(); ++i) {
        auto found = by_first.find(plain[i].id);
        if (found == by_first.end()) continue;
        for (size_t t : found->second) {
          const auto& wanted = terms[t].words;
          bool same = i + wanted.size() <= plain.size();
          for (size_t k = 1; same && k < wanted.size(); ++k) same = plain[i + k].id == wanted[k];
          if (!same) continue;
          const size_t next = i + wanted.size();
          before_ = i > 0 ? plain[i - 1].id : 0;
          behind_ = next < plain.size() ? plain[next].id : 0;
          take(t, answer, plain[i].begin, plain[next - 1].end);
        }
      }
    }
  }

  void count(const std::vector<Term>& terms, std::vector<Echo>& echoes) {
    std::vector<uint32_t> last(terms.size(), no_turn);
    each_match(terms, [&](size_t t, const Answer& answer, uint32_t, uint32_t) {
      if (echoes[t].phrases.size() < 8) echoes[t].phrases.insert({before_, behind_});
      if (last[t] == answer.turn) return;
      last[t] = answer.turn;
      ++echoes[t].answers;
      const std::vector<uint64_t> asked = corpus_.asked(answer);
      for (uint64_t word : terms[t].words)
        if (!is_function_word(word) && std::binary_search(asked.begin(), asked.end(), word)) {
          ++echoes[t].asked;
          break;
        }
    });
  }

  void tell() {
    std::set<std::pair<uint32_t, uint32_t>> told;  // turn, begin
    std::sort(chosen_.begin(), chosen_.end(),
              [](const Term& a, const Term& b) { return a.score > b.score; });
    each_match(chosen_, [&](size_t t, const Answer& answer, uint32_t begin, uint32_t end) {
      if (!told.insert({answer.turn, begin}).second) return;
      out_.push_back({nullptr,
                      chosen_[t].score,
                      {{answer.record, answer.turn, begin, end}},
                      chosen_[t].text,
                      chosen_[t].usual});
    });
  }

  const Corpus& corpus_;
  std::vector<Finding>& out_;
  Reading reading_;
  std::vector<uint64_t> ids_;
  std::vector<Filler> fillers_;
  std::map<std::pair<uint64_t, uint64_t>, PairUse> pairs_;
  std::vector<PairUse> uses_;
  std::vector<Term> chosen_;
  uint64_t before_ = 0, behind_ = 0;  // words around the last match
};

void run(const Corpus& corpus, std::vector<Finding>& out) { Terms(corpus, out).run(); }

const RegisterCheck registered(
    {"term", "consistency", Severity::warning, "several words for one thing",
     "Readers take two words for two things, and so does the model.",
     "Choose one; --fix replaces the terms that you confirm in glossary.txt.", run});

}  // namespace

}  // namespace afina
