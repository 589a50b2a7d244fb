// term: several words for one thing. Words that stand in the same places of sentences which are
// otherwise alike, where one is the usual one; not those that the question names, nor places that
// take many different words. Where the whole rest of the sentence is the same, one place is enough.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "data/checks/check.h"
#include "data/checks/phrases.h"
#include "data/checks/term_places.h"
#include "data/checks/topics.h"

namespace afina {

namespace {

constexpr size_t most_fillers = 10;  // a place with more takes anything
// The same where the place is all of a sentence but the words, and how many the answer's question
// must be alike for.
constexpr size_t most_whole_fillers = 4, most_unlike_fillers = 2;

struct PairUse {
  uint32_t places = 0, usual = 0, other = 0;
  uint32_t usual_at = 0, other_at = 0;  // fillers
  // The same of places that are whole sentences, and the fewest words that one of them takes.
  uint32_t whole_usual = 0, whole_other = 0, fewest = 0;
};

class Terms {
 public:
  Terms(const Corpus& corpus, std::vector<Finding>& out) : corpus_(corpus), out_(out) {}

  void run() {
    fillers_ = fillers_of(corpus_);
    compare();
    choose();
    tell();
  }

 private:
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
      const bool whole = fillers_[begin].whole;
      begin = end;
      if (spans.size() < 2 || spans.size() > most_fillers) continue;
      if (whole) {
        if (spans.size() > most_whole_fillers) continue;
        for (const Span& usual : spans)
          for (const Span& other : spans) {
            if (usual.records <= other.records || same_edge(usual.at, other.at)) continue;
            PairUse& use = pairs_[{usual.id, other.id}];
            use.whole_usual += usual.records;
            use.whole_other += other.records;
            if (use.fewest == 0 || spans.size() < use.fewest) {
              use.fewest = uint32_t(spans.size());
              use.usual_at = usual.at;
              use.other_at = other.at;
            }
          }
        continue;
      }
      uint32_t total = 0;
      size_t top = 0;
      for (size_t i = 0; i < spans.size(); ++i) {
        total += spans[i].records;
        if (spans[i].records > spans[top].records) top = i;
      }
      if (spans[top].records < 2 || spans[top].records * 5 < total * 2) continue;
      for (size_t i = 0; i < spans.size(); ++i) {
        if (i == top || spans[i].records >= spans[top].records) continue;
        if (same_edge(spans[top].at, spans[i].at)) continue;
        PairUse& use = pairs_[{spans[top].id, spans[i].id}];
        ++use.places;
        use.usual += spans[top].records;
        use.other += spans[i].records;
        if (use.fewest > 0) continue;
        use.usual_at = spans[top].at;
        use.other_at = spans[i].at;
      }
    }
  }

  // Only what differs: not "the parcel" for "the package".
  bool same_edge(uint32_t usual_at, uint32_t other_at) const {
    const Filler &usual = fillers_[usual_at], &other = fillers_[other_at];
    return usual.first == other.first || usual.last == other.last;
  }

  std::string text_of(const Filler& filler) {
    skeleton_of(corpus_, filler.sentence, reading_, ids_);
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
    bool whole;
  };

  // How many answers have the words, and how many of those questions name them.
  struct Echo {
    uint32_t answers = 0, asked = 0;
    std::set<std::pair<uint64_t, uint64_t>> phrases;  // words before and behind, some of them
  };

  // Is the one said where nearly the same is asked as where the other is?
  bool asked_alike(const PairUse& use) {
    const auto& all = corpus_.sentences();
    std::vector<uint32_t> usual;
    corpus_.phrases().each_said(all[fillers_[use.usual_at].sentence], [&](uint32_t s) {
      if (usual.size() < 50) usual.push_back(all[s].answer);
    });
    bool alike = false;
    uint32_t looked = 0;
    corpus_.phrases().each_said(all[fillers_[use.other_at].sentence], [&](uint32_t s) {
      if (alike || ++looked > 8) return;
      const std::vector<uint64_t> asked = corpus_.topics().asked(corpus_.answers()[all[s].answer]);
      for (uint32_t answer : usual)
        alike |= corpus_.topics().asked_alike(asked, corpus_.answers()[answer]);
    });
    return alike;
  }

  // How many questions have that of its words which the fewest have.
  uint32_t times_asked(const Term& term) const {
    uint32_t fewest = UINT32_MAX;
    for (uint64_t word : term.words)
      if (!is_function_word(word)) fewest = std::min(fewest, corpus_.use(word).questions);
    return fewest;
  }

  void choose() {
    std::vector<Term> candidates;
    for (auto& [spans, use] : pairs_) {
      // A variant is rare where the usual word stands; two words that are said as often are a
      // choice of words.
      const bool rare = use.usual >= 5 && use.other * 5 <= use.usual;
      const bool whole = use.fewest > 0 && use.whole_usual >= 2 * use.whole_other &&
                         (use.fewest <= most_unlike_fillers || asked_alike(use));
      if (!whole && ((use.places < 2 && !rare) || use.other * 2 > use.usual)) continue;
      Term term;
      term.whole = whole;
      const Filler& other = fillers_[use.other_at];
      skeleton_of(corpus_, other.sentence, reading_, ids_);
      term.words.assign(ids_.begin() + other.begin, ids_.begin() + other.begin + other.length);
      term.text = text_of(other);
      const Filler& usual = fillers_[use.usual_at];
      skeleton_of(corpus_, usual.sentence, reading_, ids_);
      term.usual_words.assign(ids_.begin() + usual.begin,
                              ids_.begin() + usual.begin + usual.length);
      term.usual = text_of(usual);
      // Forms of one word are no two words.
      const size_t blank = std::min(term.text.rfind(' ') + 1, term.text.size()),
                   usual_blank = std::min(term.usual.rfind(' ') + 1, term.usual.size());
      if (stem_of(term.text.substr(blank)) == stem_of(term.usual.substr(usual_blank))) continue;
      term.score = whole ? 0.8 * use.whole_usual / (use.whole_usual + use.whole_other)
                         : double(use.places) / double(use.places + 2) * double(use.usual) /
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
      if (echo.asked * 4 > echo.answers || candidates[i].text.size() < 3 ||
          candidates[i].usual.size() < 3)
        continue;
      // A word that is more often elsewhere has a meaning of its own: sums find, divide and add.
      const PairUse& use = uses_[i];
      if (candidates[i].whole) {
        if (usual.answers < 4 * echo.answers || use.whole_other * 3 < echo.answers) continue;
        if (times_asked(candidates[i]) > std::max(1u, 2 * echo.answers)) continue;
        // A word that several say in one sentence is how that may be said.
        if (echo.answers >= 3 && echo.phrases.size() < 2) continue;
      } else if (use.other * 2 < echo.answers) {
        continue;
      }
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
    std::vector<uint64_t> asked;
    uint32_t asked_before = no_turn;
    each_match(terms, [&](size_t t, const Answer& answer, uint32_t, uint32_t) {
      if (echoes[t].phrases.size() < 8) echoes[t].phrases.insert({before_, behind_});
      if (last[t] == answer.turn) return;
      last[t] = answer.turn;
      ++echoes[t].answers;
      if (asked_before != answer.turn) asked = corpus_.asked(answer);
      asked_before = answer.turn;
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
