// Measures sentences by their company, then by phrases, so that all that say the same are judged
// together.
#include "data/checks/stray_measures.h"

#include <algorithm>
#include <cmath>

#include "data/checks/company.h"
#include "data/checks/neighbours.h"
#include "data/checks/phrases.h"
#include "data/checks/sentence_form.h"
#include "data/checks/topics.h"
#include "engine/math.h"

namespace afina {

namespace {

constexpr double most_deviations = 6, most_phrase = 4, most_tie = 8, most_direct = 10;
constexpr double house_rate = 0.025, common_rate = 0.1, house_mark = 0.03;

uint8_t in_steps(double value, double most) {
  return uint8_t(std::lround(std::clamp(value, 0., most) / most * 255));
}
double of_steps(uint8_t steps, double most) { return steps * most / 255; }

// Hashes of its pairs of words, the ends included, each once.
void word_pairs(const Corpus& corpus, const std::vector<Word>& words, std::vector<uint64_t>& out) {
  out.clear();
  uint64_t before = 7;
  for (const Word& word : words) {
    if (word.kind == WordKind::mark) continue;
    uint64_t id = word.id;
    if (word.kind != WordKind::word) id = Corpus::value_word;
    else if (word.capital && corpus.is_name(word.id)) id = Corpus::name_word;
    out.push_back(hash_with(before, id));
    before = id;
  }
  out.push_back(hash_with(before, 9));
  sort_unique(out);
}

bool has_figure(std::string_view text) {
  return text.find_first_of("0123456789@") != text.npos || text.find("http") != text.npos;
}

bool shortens(std::string_view text, const std::vector<Word>& words) {
  for (const Word& word : words) {
    if (word.kind != WordKind::word) continue;
    const std::string_view one = text.substr(word.begin, word.end - word.begin);
    if (has_apostrophe(one) && !lower_text(one).ends_with("'s")) return true;
  }
  return false;
}

}  // namespace

StrayMeasures::StrayMeasures(const Corpus& corpus) : corpus_(corpus) {
  measure();
  count_pairs();
  mean_by_phrase();
  look_around();
}

bool StrayMeasures::is_own(const Sentence& sentence) const {
  return corpus_.phrases().of(sentence).records <= house_rate * double(corpus_.records());
}

void StrayMeasures::measure() {
  const Topics& topics = corpus_.topics();
  Neighbourhood near(corpus_);
  small_.resize(corpus_.sentences().size());
  std::vector<uint64_t> stems;
  size_t told = 0, bound = 0;
  for (uint32_t a = 0; a < corpus_.answers().size(); ++a) {
    const Answer& answer = corpus_.answers()[a];
    near.look_at(a);
    uint8_t known = 0;
    for (uint64_t stem : near.asked()) known += topics.is_telling(stem) && known < 4;
    question_.push_back(in_steps(near.nearest_question(), 1));
    known_.push_back(known);
    for (uint32_t k = 0; k < answer.sentences; ++k) {
      const uint32_t s = answer.first_sentence + k;
      const Company company = near.of(k);
      stems.assign(near.stems(k).begin(), near.stems(k).end());
      const double tie = std::sqrt(topics.tie(near.asked(), stems, answer.record));
      small_[s] = {in_steps(company.asked, most_deviations),
                   in_steps(company.rest, most_deviations),
                   in_steps(company.asked_phrase, most_phrase),
                   in_steps(company.rest_phrase, most_phrase),
                   in_steps(company.asked_share, 1),
                   in_steps(company.rest_share, 1),
                   in_steps(company.direct, most_direct),
                   in_steps(tie, most_tie),
                   0};
      if (corpus_.phrases().is_universal(corpus_.sentences()[s])) continue;
      ++told;
      bound += std::max(company.asked, company.rest) >= 3;
    }
  }
  bound_ = told > 0 ? double(bound) / double(told) : 0;
}

void StrayMeasures::count_pairs() {
  const auto& sentences = corpus_.sentences();
  uint64_t places = 1 << 16;
  while (places < 128 * uint64_t(sentences.size()) && places < (1 << 24)) places *= 2;
  paired_.assign(places, false);
  paired_again_.assign(places, false);
  std::vector<Word> words;
  std::vector<uint64_t> pairs;
  size_t exclaiming = 0, shortening = 0;
  for (const Sentence& sentence : sentences) {
    const std::string_view text = corpus_.text(sentence);
    split_words(text, words);
    exclaiming += text.find('!') != text.npos;
    shortening += shortens(text, words);
    if (!corpus_.phrases().is_first(sentence)) continue;
    word_pairs(corpus_, words, pairs);
    for (uint64_t pair : pairs) {
      const size_t at = pair & (places - 1);
      if (paired_[at]) paired_again_[at] = true;
      paired_[at] = true;
    }
  }
  exclaims_ = double(exclaiming) >= house_mark * double(sentences.size());
  shortens_ = double(shortening) >= house_mark * double(sentences.size());
}

void StrayMeasures::mean_by_phrase() {
  const auto& sentences = corpus_.sentences();
  for (const Sentence& first : sentences) {
    if (!corpus_.phrases().is_first(first)) continue;
    uint64_t sum = 0, count = 0;
    corpus_.phrases().each_said(first, [&](uint32_t s) {
      sum += small_[s].asked;
      ++count;
    });
    corpus_.phrases().each_said(first,
                                [&](uint32_t s) { small_[s].phrase_asked = uint8_t(sum / count); });
  }
}

// Does hardly any answer say it, and those that do where something like this is asked?
bool StrayMeasures::is_asking(uint32_t s) const {
  return corpus_.phrases().of(corpus_.sentences()[s]).records <
             common_rate * double(corpus_.records()) &&
         of_steps(small_[s].asked, most_deviations) >= 3;
}

void StrayMeasures::look_around() {
  auto add = [](std::array<uint8_t, 2>& most, uint8_t value) {
    if (value > most[0]) std::swap(value, most[0]);
    most[1] = std::max(most[1], value);
  };
  around_.resize(corpus_.answers().size());
  for (uint32_t s = 0; s < corpus_.sentences().size(); ++s) {
    const Sentence& sentence = corpus_.sentences()[s];
    Around& around = around_[sentence.answer];
    if (!corpus_.phrases().is_universal(sentence)) {
      around.first_own = std::min(around.first_own, s);
      around.last_own = s;
    }
    around.asking += is_asking(s);
    if (!is_own(sentence)) continue;
    ++around.own;
    add(around.asked, small_[s].phrase_asked);
    add(around.rest, small_[s].rest);
  }
}

StrayMeasures::Place StrayMeasures::place_of(uint32_t s) const {
  const uint32_t a = corpus_.sentences()[s].answer;
  const Answer& answer = corpus_.answers()[a];
  const Around& around = around_[a];
  const uint32_t begin = answer.first_sentence, end = begin + answer.sentences;
  return {s == begin, s + 1 == end, around.last_own <= s, around.first_own >= s,
          around.asking == is_asking(s)};
}

StrayMeasures::Others StrayMeasures::others_of(uint32_t s) const {
  const Sentence& sentence = corpus_.sentences()[s];
  const Around& around = around_[sentence.answer];
  const bool own = is_own(sentence);
  auto most_but = [&](const std::array<uint8_t, 2>& most, uint8_t value) {
    return of_steps(most[own && value == most[0]], most_deviations);
  };
  return {double(around.own - own), most_but(around.asked, small_[s].phrase_asked),
          most_but(around.rest, small_[s].rest)};
}

void StrayMeasures::each(const std::function<void(uint32_t, const StrayFeatures&)>& take) const {
  const Phrases& phrases = corpus_.phrases();
  const Topics& topics = corpus_.topics();
  const auto& sentences = corpus_.sentences();
  const double all = double(corpus_.records());
  std::vector<Word> words;
  std::vector<uint64_t> pairs, stems;
  for (const Sentence& head : sentences) {
    if (!phrases.is_first(head)) continue;
    const Phrase& phrase = phrases.of(head);
    // What its sentences have on average.
    double count = 0, rest = 0, first = 0, last = 0, closing = 0, opening = 0, alone = 0;
    phrases.each_said(head, [&](uint32_t s) {
      const Place place = place_of(s);
      ++count;
      rest += of_steps(small_[s].rest, most_deviations);
      first += place.first;
      last += place.last;
      closing += place.closing;
      opening += place.opening;
      alone += place.alone;
    });
    const double rate = phrase.records / all;
    phrases.each_said(head, [&](uint32_t s) {
      const Sentence& sentence = sentences[s];
      const Small& small = small_[s];
      const std::string_view text = corpus_.text(sentence);
      split_words(text, words);
      content_stems(corpus_, text, stems);
      double rare = 0;
      for (uint64_t stem : stems)
        rare += topics.share_said(stem) * all - std::min<double>(phrase.records, all) <=
                std::max(1.5, 0.002 * all);
      word_pairs(corpus_, words, pairs);
      double unseen = 0;
      for (uint64_t pair : pairs) unseen += !paired_again_[pair & (paired_.size() - 1)];
      double function = 1, plain = 0, said = 0;
      bool denies = false;
      for (const Word& word : words) {
        if (word.kind != WordKind::word) continue;
        ++said;
        denies ^= is_negation(lower_text(text.substr(word.begin, word.end - word.begin)));
        if (!is_function_word(word.id)) continue;
        ++plain;
        const double others = double(corpus_.use(word.id).answers) - phrase.records;
        function = std::min(function, std::max(others, 0.) / all);
      }
      const double meaning = double(std::max<size_t>(stems.size(), 1));
      const Answer& answer = corpus_.answers()[sentence.answer];
      const Others others = others_of(s);
      take(s, {float(of_steps(small.phrase_asked, most_deviations) / 3),
               float(rest / count / 3),
               float(of_steps(small.asked_share, 1) * 2),
               float(of_steps(small.rest_share, 1) * 2),
               float(phrase.records <= 1),
               float(std::min(rate / 0.01, 1.)),
               float(std::clamp((rate - 0.01) / 0.015, 0., 1.)),
               float(rate > house_rate),
               float(std::min(math::log(1. + double(phrase.near)), 3.)),
               float(of_steps(small.direct, most_direct) / 4),
               float(rare / meaning),
               float(std::min<double>(double(stems.size()), 8) / 4),
               float(unseen / double(pairs.size())),
               float(math::log(function + 0.001) / math::log(10.)),
               float(!shortens_ && shortens(text, words)),
               float(!exclaims_ && text.find('!') != text.npos),
               float(sentence.valued),
               float(said > 0 ? plain / said : 0),
               float(std::min(said, 15.) / 8),
               float(is_order(text, words)),
               float(denies),
               float(first / count),
               float(last / count),
               float(closing / count),
               float(opening / count),
               float(alone / count),
               float(std::min<double>(answer.sentences, 8) / 4),
               float(phrase.spread),
               float(has_figure(text)),
               float(std::min<double>(double(std::count(text.begin(), text.end(), ',')), 2)),
               float(std::min(pronouns_in(text, words), 2)),
               float(others.asked / 3),
               float(others.rest / 3),
               float(std::min(others.count, 3.) / 3)});
    });
  }
}

AnswerFeatures StrayMeasures::of_answer(uint32_t a, std::span<const StrayKind> kinds) const {
  const Answer& answer = corpus_.answers()[a];
  double asked = 0, asked_phrase = 0, asked_share = 0, rest_phrase = 0, direct = 0, tie = 0,
         evasion = 0, evasions = 0, usual = 0, own = 0, elsewhere = 0;
  bool valued = false, yes = false, any = false;
  const auto sentences = corpus_.sentences(answer);
  for (const Sentence& sentence : sentences) any |= is_own(sentence);
  for (uint32_t k = 0; k < answer.sentences; ++k) {
    yes |= says_yes_or_no(corpus_.text(sentences[k]));
    if (any && !is_own(sentences[k])) continue;
    const Small& small = small_[answer.first_sentence + k];
    asked = std::max(asked, of_steps(small.asked, most_deviations));
    asked_phrase = std::max(asked_phrase, of_steps(small.asked_phrase, most_phrase));
    asked_share = std::max(asked_share, of_steps(small.asked_share, 1));
    rest_phrase = std::max(rest_phrase, of_steps(small.rest_phrase, most_phrase));
    direct = std::max(direct, of_steps(small.direct, most_direct));
    tie = std::max(tie, of_steps(small.tie, most_tie));
    elsewhere = std::max(elsewhere, of_steps(small.phrase_asked, most_deviations));
    evasion = std::max<double>(evasion, kinds[k].evasion);
    evasions += math::log(double(kinds[k].evasion) + 0.001);
    usual = std::max<double>(usual, kinds[k].usual);
    valued |= sentences[k].valued;
    ++own;
  }
  return {float(asked / 3),
          float(asked_phrase / 3),
          float(asked_share * 2),
          float(rest_phrase / 3),
          float(direct / 3),
          float(tie / 4),
          float(evasion),
          float(own > 0 ? evasions / own / 3 : 0),
          float(usual),
          float(question_[a] / 255.),
          float(known_[a] / 2.),
          float(valued),
          float(std::min(own, 5.) / 3),
          float(elsewhere / 3),
          float(elsewhere / 3 - asked / 3),
          float(yes)};
}

}  // namespace afina
