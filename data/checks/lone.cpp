// Reads the features of lone sentences, and finds pairs of them by their rare words.
#include "data/checks/lone.h"

#include <algorithm>

#include "data/checks/phrases.h"
#include "data/checks/sentence_form.h"
#include "data/checks/topics.h"

namespace afina {

namespace {

constexpr double least_tie = 4;      // standard deviations
constexpr uint32_t most_rare = 2;    // answers that have a rare stem
constexpr uint32_t most_shared = 6;  // lone sentences that have one stem in common
constexpr size_t house_share = 200;  // what fewer answers than this part of all have is not usual

// How often answers have marks that make a voice: at the end of sentences.
struct House {
  explicit House(const Corpus& corpus) {
    for (const Sentence& s : corpus.sentences()) {
      const std::string_view text = corpus.text(s);
      ++all;
      exclaims += text.find('!') != text.npos;
    }
  }
  size_t all = 0, exclaims = 0;
};

// What is denied in front of it costs nothing.
bool is_price_word(std::string_view word) {
  for (std::string_view one : {"cost", "costs", "charge", "charges", "fee", "coste", "costo",
                               "costes", "cargo", "cargos", "gastos", "recargo", "pagar"})
    if (word == one) return true;
  return false;
}

}  // namespace

LoneSentences::LoneSentences(const Corpus& corpus) {
  read(corpus);
  pair(corpus);
}

void LoneSentences::read(const Corpus& corpus) {
  const Phrases& phrases = corpus.phrases();
  const Topics& topics = corpus.topics();
  const House house(corpus);
  std::vector<Word> words;
  std::vector<uint64_t> stems;
  const size_t few = corpus.answers().size() / house_share;
  uint32_t last_answer = no_turn;
  std::vector<uint64_t> asked;
  for (uint32_t s = 0; s < corpus.sentences().size(); ++s) {
    const Sentence& sentence = corpus.sentences()[s];
    if (!phrases.is_lone(sentence)) continue;
    const Answer& answer = corpus.answers()[sentence.answer];
    if (last_answer != sentence.answer) asked = topics.asked(answer);
    last_answer = sentence.answer;
    Lone lone{s, uint32_t(stems_.size()), 0, 0, 0, false, false, false, false, false};
    const std::string_view text = corpus.text(sentence);
    content_stems(corpus, text, stems);
    if (stems.size() > UINT16_MAX) stems.resize(UINT16_MAX);
    lone.stems = uint16_t(stems.size());
    stems_.insert(stems_.end(), stems.begin(), stems.end());
    lone.untied = topics.tie(asked, stems, answer.record) < least_tie * least_tie;
    for (uint64_t stem : stems) {
      lone.told |= topics.is_told(stem);
      lone.rare += topics.said(stem) <= most_rare;
      lone.usual += topics.share_said(stem) > 0.015;
    }
    lone.other_register = text.find('!') != text.npos && house.exclaims * 50 < house.all;
    split_words(text, words);
    lone.orders = is_order(text, words);
    uint32_t denials = 0, last_denied = 0, at = 0;  // of the words just before
    for (const Word& word : words) {
      if (word.kind != WordKind::word) continue;
      const std::string_view one = text.substr(word.begin, word.end - word.begin);
      const std::string low = lower_text(one);
      // "At no extra cost" is "free", and denies nothing.
      if (++at > last_denied + 2) denials = 0;
      if (is_price_word(low)) lone.negated ^= denials % 2 == 1;
      // "No, no card is needed" denies once.
      const bool reply = &word == &words[0] && words.size() > 1 &&
                         text.substr(words[1].begin, 1) == "," && is_yes_or_no(low);
      if (is_negation(low) && !reply) {
        lone.negated = !lone.negated;
        ++denials;
        last_denied = at;
      }
      const bool usual = corpus.use(word.id).answers > few + 2;
      lone.other_register |=
          !usual && (is_function_word(word.id) || (has_apostrophe(one) && !low.ends_with("'s")));
    }
    all_.push_back(lone);
  }
  all_.shrink_to_fit();
  stems_.shrink_to_fit();
}

void LoneSentences::pair(const Corpus& corpus) {
  const Topics& topics = corpus.topics();
  std::vector<std::pair<uint64_t, uint32_t>> by_stem;
  for (uint32_t i = 0; i < all_.size(); ++i)
    for (uint64_t stem : stems(i))
      if (topics.said(stem) <= most_shared) by_stem.emplace_back(stem, i);
  std::sort(by_stem.begin(), by_stem.end());
  auto record = [&](uint32_t i) {
    return corpus.answers()[corpus.sentences()[all_[i].sentence].answer].record;
  };
  // One sentence that two records have says nothing against itself, but with another value it does.
  auto key = [&](uint32_t i) {
    const Sentence& s = corpus.sentences()[all_[i].sentence];
    return s.valued ? text_hash(corpus.text(s)) : s.key;
  };
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  for (size_t begin = 0; begin < by_stem.size();) {
    size_t end = begin;
    while (end < by_stem.size() && by_stem[end].first == by_stem[begin].first) ++end;
    if (end - begin >= 2 && end - begin <= most_shared)
      for (size_t a = begin; a < end; ++a)
        for (size_t b = begin; b < end; ++b) {
          const uint32_t one = by_stem[a].second, other = by_stem[b].second;
          if (record(one) != record(other) && key(one) != key(other))
            pairs.emplace_back(one, other);
        }
    begin = end;
  }
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  first_partner_.assign(all_.size() + 1, 0);
  partners_.reserve(pairs.size());
  for (auto [one, other] : pairs) {
    ++first_partner_[one + 1];
    partners_.push_back(other);
  }
  for (size_t i = 0; i < all_.size(); ++i) first_partner_[i + 1] += first_partner_[i];
}

}  // namespace afina
