// Counts phrases, and measures by samples of their questions how far they spread.
#include "data/checks/phrases.h"

#include <algorithm>
#include <unordered_map>

#include "data/checks/neighbours.h"
#include "data/checks/topics.h"

namespace afina {

namespace {

constexpr size_t sampled = 12;     // records of a phrase whose questions are compared
constexpr double least_tie = 3;    // standard deviations
constexpr double related = 0.12;   // what two records about one topic have in common, at least
constexpr double different = 0.6;  // spread of phrases about anything
constexpr double house_share = 0.03;
constexpr uint32_t most_lone = 3;
constexpr size_t most_phrases = 60000;  // that are looked at for others like them
constexpr double common_share = 0.1;    // says nothing about the topic

// In so many texts that it says nothing about the topic.
bool is_frequent(const Corpus& corpus, uint64_t word) {
  const WordUse& use = corpus.use(word);
  const double many = common_share * double(corpus.records()) + 3;
  return use.answers > many || use.questions > many;
}

void add_stems(const Corpus& corpus, std::string_view text, std::vector<uint64_t>& stems) {
  std::vector<Word> words;
  split_words(text, words);
  for (const Word& word : words)
    if (word.kind == WordKind::word && !is_function_word(word.id) &&
        !(word.capital && corpus.is_name(word.id)) && !is_frequent(corpus, word.id))
      stems.push_back(stem_of(text.substr(word.begin, word.end - word.begin)));
}

std::vector<uint64_t> stems_asked(const Corpus& corpus, const Answer& answer) {
  std::vector<uint64_t> stems;
  for (uint32_t t = corpus.record(answer.record).first_turn; t < answer.turn; ++t)
    if (corpus.turns()[t].role == TurnRole::question) add_stems(corpus, corpus.text(t), stems);
  sort_unique(stems);
  return stems;
}

// What question and answer are about, but for one sentence and for those that many answers have.
template <class IsCommon>
std::vector<uint64_t> stems_without(const Corpus& corpus, uint32_t a, uint64_t key,
                                    IsCommon&& is_common) {
  const Answer& answer = corpus.answers()[a];
  std::vector<uint64_t> stems = stems_asked(corpus, answer), own, rest;
  for (const Sentence& sentence : corpus.sentences(answer))
    if (sentence.key == key || !is_common(sentence))
      add_stems(corpus, corpus.text(sentence), sentence.key == key ? own : stems);
  sort_unique(stems);
  sort_unique(own);
  std::set_difference(stems.begin(), stems.end(), own.begin(), own.end(), std::back_inserter(rest));
  return rest;
}

}  // namespace

Phrases::Phrases(const Corpus& corpus) : corpus_(corpus) {
  number();
  const auto& sentences = corpus.sentences();
  auto is_common = [&](const Sentence& sentence) {
    return of(sentence).records > common_share * double(corpus.records());
  };
  std::vector<uint32_t> some;  // answers that have it
  std::vector<std::vector<uint64_t>> stems;
  for (size_t p = 1; p < all_.size(); ++p) {
    Phrase& phrase = all_[p];
    if (phrase.records < 2) continue;
    some.clear();
    uint32_t last = no_turn, records = 0;
    const Sentence& first = sentences[order_[starts_[p]]];
    for (uint32_t s : list_of(first)) {
      const uint32_t record = corpus.answers()[sentences[s].answer].record;
      if (last == record) continue;
      last = record;
      ++records;
      // Every record of the first ones, then rarer and rarer ones.
      if (some.size() < sampled) some.push_back(sentences[s].answer);
      else if ((records & (records - 1)) == 0) some[records % sampled] = sentences[s].answer;
    }
    if (const float spread = spread_by_topics(some, first); spread >= 0) {
      phrase.spread = spread;
      continue;
    }
    int unlike = 0, pairs = 0;
    stems.clear();
    for (uint32_t a : some) stems.push_back(stems_without(corpus, a, first.key, is_common));
    for (size_t i = 0; i < stems.size(); ++i)
      for (size_t j = 0; j < i; ++j) {
        unlike += jaccard(stems[i], stems[j]) < related;
        ++pairs;
      }
    phrase.spread = float(unlike) / float(std::max(pairs, 1));
  }
  find_near();
  uint32_t repeated = 0;
  for (const Answer& answer : corpus.answers())
    for (const Sentence& sentence : corpus.sentences(answer))
      if (of(sentence).records > 1) {
        ++repeated;
        break;
      }
  if (!corpus.answers().empty()) templated_ = double(repeated) / double(corpus.answers().size());
}

// Numbers the phrases, and counts the records of each.
void Phrases::number() {
  const auto& sentences = corpus_.sentences();
  std::vector<uint32_t> order(sentences.size());
  for (uint32_t s = 0; s < order.size(); ++s) order[s] = s;
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return sentences[a].key != sentences[b].key ? sentences[a].key < sentences[b].key : a < b;
  });
  numbers_.assign(sentences.size(), 0);
  all_.assign(1, {1, 0, 0});
  starts_.assign(1, 0);
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && sentences[order[end]].key == sentences[order[begin]].key) ++end;
    if (end - begin > 1) {
      starts_.push_back(uint32_t(order_.size()));
      Phrase& phrase = all_.emplace_back();
      uint32_t last = no_turn;
      for (size_t i = begin; i < end; ++i) {
        const uint32_t record = corpus_.answers()[sentences[order[i]].answer].record;
        phrase.records += record != last;
        last = record;
        numbers_[order[i]] = uint32_t(all_.size() - 1);
        order_.push_back(order[i]);
      }
    }
    begin = end;
  }
  starts_.push_back(uint32_t(order_.size()));
  order_.shrink_to_fit();
}

// The phrase of a sentence, to be changed.
Phrase& Phrases::own_phrase(uint32_t sentence) {
  if (numbers_[sentence] == 0) {
    numbers_[sentence] = uint32_t(all_.size());
    all_.push_back(all_[0]);
    starts_.push_back(starts_.back());
  }
  return all_[numbers_[sentence]];
}

// Of the records whose question has a word that decides what is answered: the part in which none of
// these goes with the words of the phrase; -1 where there are too few.
float Phrases::spread_by_topics(const std::vector<uint32_t>& answers,
                                const Sentence& phrase) const {
  const Topics& topics = corpus_.topics();
  std::vector<uint64_t> said;
  content_stems(corpus_, corpus_.text(phrase), said);
  size_t told = 0, untied = 0;
  for (uint32_t a : answers) {
    const Answer& answer = corpus_.answers()[a];
    const std::vector<uint64_t> asked = topics.asked(answer);
    bool tells = false;
    for (uint64_t stem : asked) tells |= topics.is_telling(stem);
    if (!tells) continue;
    ++told;
    untied += topics.tie(asked, said, answer.record) < least_tie * least_tie;
  }
  return told * 3 < answers.size() || told < 2 ? -1.f : float(untied) / float(told);
}

// Phrases of nearly the same words, those that few texts have counting most; a negation is another
// phrase.
void Phrases::find_near() {
  std::vector<uint32_t> firsts;  // one sentence of each phrase
  const auto& sentences = corpus_.sentences();
  for (uint32_t s = 0; s < sentences.size() && firsts.size() < most_phrases; ++s)
    if (is_first(sentences[s])) firsts.push_back(s);
  std::vector<Word> words;
  std::vector<uint64_t> flat, own;  // the words of all phrases, one behind the other
  std::vector<uint32_t> ends{0};
  std::unordered_map<uint64_t, uint32_t> uses;
  for (uint32_t first : firsts) {
    const std::string_view text = corpus_.text(sentences[first]);
    split_words(text, words);
    bool negated = false;
    own.clear();
    for (const Word& word : words) {
      if (word.kind != WordKind::word || (word.capital && corpus_.is_name(word.id))) continue;
      const std::string_view one = text.substr(word.begin, word.end - word.begin);
      negated |= is_negation(lower_text(one));
      own.push_back(is_function_word(word.id) ? word.id : stem_of(one));
    }
    if (negated) own.push_back(1);
    sort_unique(own);
    for (uint64_t word : own) ++uses[word];
    flat.insert(flat.end(), own.begin(), own.end());
    ends.push_back(uint32_t(flat.size()));
  }
  auto features = [&](uint32_t i, std::vector<uint64_t>& out) {
    out.assign(flat.begin() + ends[i], flat.begin() + ends[i + 1]);
  };
  const double all = double(firsts.size());
  auto weight = [&](uint64_t one) { return 1. / (0.02 + double(uses.find(one)->second) / all); };
  std::vector<uint64_t> a, b;
  similar_pairs(uint32_t(firsts.size()), features, {16, 2, 12}, [&](uint32_t i, uint32_t j) {
    features(i, a);
    features(j, b);
    if (std::binary_search(a.begin(), a.end(), 1) != std::binary_search(b.begin(), b.end(), 1))
      return;
    if (weighted_overlap(a, b, weight) < 0.5) return;
    const uint32_t records = of(sentences[firsts[i]]).records;
    own_phrase(firsts[i]).near += of(sentences[firsts[j]]).records;
    own_phrase(firsts[j]).near += records;
  });
}

bool Phrases::is_lone(const Sentence& sentence) const {
  const Phrase& phrase = of(sentence);
  return phrase.records + phrase.near <= most_lone;
}

bool Phrases::is_said_in(const Sentence& sentence, const Answer& answer) const {
  const auto all = list_of(sentence);
  const auto at = std::lower_bound(all.begin(), all.end(), answer.first_sentence);
  if (all.empty()) return index_of(sentence) - answer.first_sentence < answer.sentences;
  return at != all.end() && *at < answer.first_sentence + answer.sentences;
}

bool Phrases::is_universal(const Sentence& sentence) const {
  const Phrase& phrase = of(sentence);
  return phrase.records >= 3 && phrase.spread >= different;
}

bool Phrases::is_house(const Sentence& sentence) const {
  return is_universal(sentence) && of(sentence).records > house_share * double(corpus_.records());
}

bool Phrases::is_topical(const Sentence& sentence) const {
  const Phrase& phrase = of(sentence);
  if (is_universal(sentence)) return false;
  if (phrase.records >= 2 && phrase.spread < different) return true;
  const std::vector<uint64_t> asked = stems_asked(corpus_, corpus_.answers()[sentence.answer]);
  std::vector<Word> words;
  const std::string_view text = corpus_.text(sentence);
  split_words(text, words);
  for (const Word& word : words)
    if (word.kind == WordKind::word && !is_function_word(word.id) &&
        corpus_.use(word.id).answers * 5 < corpus_.answers().size() + 20 &&
        std::binary_search(asked.begin(), asked.end(),
                           stem_of(text.substr(word.begin, word.end - word.begin))))
      return true;
  return false;
}

bool Phrases::has_topical(const Answer& answer, const Sentence& but) const {
  for (const Sentence& sentence : corpus_.sentences(answer))
    if (&sentence != &but && (sentence.valued || is_topical(sentence))) return true;
  return false;
}

double Phrases::foreign(const Sentence& sentence) const {
  const std::string_view text = corpus_.text(sentence);
  std::vector<Word> words;
  split_words(text, words);
  const std::vector<uint64_t> asked = corpus_.asked(corpus_.answers()[sentence.answer]);
  const uint32_t own = of(sentence).records;
  const double few = std::max(2., 0.004 * double(corpus_.records()));
  double all = 0, unknown = 0;
  for (const Word& word : words) {
    if (word.kind != WordKind::word || is_function_word(word.id)) continue;
    if (word.capital && corpus_.is_name(word.id)) continue;
    ++all;
    const uint32_t uses = corpus_.use(word.id).answers;
    unknown += double(uses - std::min(uses, own)) <= few &&
               !std::binary_search(asked.begin(), asked.end(), word.id);
  }
  return all >= 1 ? unknown / all : 0;
}

bool is_negation(std::string_view w) {
  static constexpr std::string_view all[] = {
      "not",   "no",    "never", "cannot", "without", "none",    "nothing", "neither", "nor",
      "nunca", "jamás", "sin",   "ningún", "ninguna", "tampoco", "nada",    "ni"};
  for (std::string_view one : all)
    if (w == one) return true;
  return w.ends_with("n't") || w.ends_with("n\xE2\x80\x99t");
}

}  // namespace afina
