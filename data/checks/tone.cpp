// tone: answers in another register than the file's: a first sentence, greeting or farewell that
// only such answers have, words and marks that the house does not use.
#include <algorithm>
#include <unordered_map>

#include "data/checks/check.h"
#include "data/checks/personal_patterns.h"
#include "data/checks/phrases.h"
#include "data/checks/quoted_mail.h"
#include "data/checks/stray.h"

namespace afina {

namespace {

// Loud writing: several exclamation marks in a row, whole phrases in capitals, letters drawn out
// ("sooo"), symbols. Abbreviations are not loud (USB, AAA, VIII, IBANs), nor is www. Where the
// first of it begins; the text's size: nowhere.
size_t loud_from(std::string_view text) {
  std::vector<Word> words;
  split_words(text, words);
  for (size_t i = 1; i < text.size(); ++i)
    if (text[i] == '!' && text[i - 1] == '!') return i;
  size_t shouted = 0, in_a_row = 0;
  for (const Word& word : words) {
    const std::string_view one = text.substr(word.begin, word.end - word.begin);
    // Smileys and the like.
    if (word.kind == WordKind::mark && uint8_t(one[0]) >= 0xF0) return word.begin;
    const bool loud = word.shouted && word.kind == WordKind::word;
    in_a_row = loud ? in_a_row + 1 : 0;
    shouted += loud && one.size() >= 5;
    if (shouted >= 2 || in_a_row >= 4) return word.begin;
    for (size_t i = 2; !word.shouted && i < one.size(); ++i)
      if (one[i] == one[i - 1] && one[i] == one[i - 2] && one[i] >= 'a' && one[i] <= 'z' &&
          one[i] != 'w')
        return word.begin;
  }
  return text.size();
}

// The line that byte `at` of the text is in, or its sentence where the body has one there.
PiecePlace place_around(const Corpus& corpus, const Answer& answer, size_t at) {
  for (const Sentence& sentence : corpus.sentences(answer))
    if (sentence.begin <= at && at < sentence.end)
      return {answer.record, answer.turn, sentence.begin, sentence.end};
  const std::string_view text = corpus.text(answer.turn);
  const size_t before = text.substr(0, at).rfind('\n'), behind = text.find('\n', at);
  return {answer.record, answer.turn, uint32_t(before == text.npos ? 0 : before + 1),
          uint32_t(std::min(behind, text.size()))};
}

constexpr double least_certain = 0.5;

void run(const Corpus& corpus, std::vector<Finding>& out) {
  const Phrases& phrases = corpus.phrases();
  const auto& answers = corpus.answers();
  struct Use {
    uint32_t all = 0, deviant = 0;
  };
  std::unordered_map<uint64_t, Use> openings;
  uint32_t deviants = 0, loud = 0;
  auto own = [&](const Answer& a) { return corpus.text(a.turn).substr(0, a.body_end); };
  // Sentences in another voice.
  const Stray& stray = corpus.stray();
  // What is said of a person, or quoted, is another defect.
  std::vector<PersonalPiece> pieces;
  uint32_t last = no_turn, quoted = 0;  // an answer, and from where on it quotes
  auto is_else = [&](uint32_t s) {
    const Sentence& sentence = corpus.sentences()[s];
    find_personal(corpus.text(sentence), pieces);
    if (!pieces.empty()) return true;
    if (last != sentence.answer) quoted = quoted_from(corpus.text(answers[sentence.answer].turn));
    last = sentence.answer;
    return quoted <= sentence.begin;
  };
  std::unordered_map<uint32_t, uint32_t> voices;  // answer -> sentence
  for (uint32_t s = 0; s < corpus.sentences().size(); ++s) {
    // An answer that does not answer is another defect as well.
    if (stray.voice(s) < least_certain || is_else(s) ||
        stray.unanswered(corpus.sentences()[s].answer) >= least_unanswered)
      continue;
    auto [voice, first] = voices.emplace(corpus.sentences()[s].answer, s);
    if (!first && stray.voice(s) > stray.voice(voice->second)) voice->second = s;
  }
  const bool odd_house = voices.size() * 6 > answers.size();
  auto deviates = [&](const Answer& a) {
    const HouseForm& form = corpus.forms()[a.group];
    return (form.greeting && a.own_greeting) || (form.sign_words && a.own_sign);
  };
  // A line that ends with a comma greets; what the answer begins with stands below it.
  auto opening_of = [&](const Answer& answer) -> const Sentence& {
    const auto sentences = corpus.sentences(answer);
    return sentences[sentences.size() > 1 && corpus.text(sentences[0]).ends_with(',') ? 1 : 0];
  };
  for (const Answer& answer : answers) {
    deviants += deviates(answer);
    loud += loud_from(own(answer)) < answer.body_end;
    if (answer.sentences == 0) continue;
    const Sentence& first = opening_of(answer);
    Use& use = openings[first.key];
    ++use.all;
    use.deviant += deviates(answer);
  }
  if (answers.size() < 20) return;
  const double base = double(deviants) / double(answers.size());
  const bool loud_house = loud * 8 > answers.size();
  for (uint32_t a = 0; a < answers.size(); ++a) {
    const Answer& answer = answers[a];
    const HouseForm& form = corpus.forms()[answer.group];
    double calm = 1, most = 0;
    std::string found;
    PiecePlace place{answer.record};
    // The first that is likely by itself is shown, else the most certain.
    auto add = [&](double certain, const PiecePlace& at, std::string_view what) {
      calm *= 1 - certain;
      if (most > 0.5 || certain <= most) return;
      most = certain;
      found = std::string(what);
      place = at;
    };
    auto piece = [&](uint32_t begin, uint32_t end) {
      return PiecePlace{answer.record, answer.turn, begin, end};
    };
    const std::string_view text = corpus.text(answer.turn);
    if (form.greeting && answer.own_greeting)
      add(0.6, piece(0, answer.body_begin), squeezed(text.substr(0, answer.body_begin)));
    if (answer.sentences > 0) {
      const Sentence& first = opening_of(answer);
      const Use& use = openings[first.key];
      const bool associated =
          answer.sentences > 1 && use.all >= 3 && use.deviant * 5 >= use.all * 4 && base < 0.6;
      if (associated)
        add(phrases.is_universal(first) ? 0.65 : 0.35, piece(first.begin, first.end),
            corpus.text(first));
    }
    if (auto voice = voices.find(a); !odd_house && voice != voices.end()) {
      const Sentence& sentence = corpus.sentences()[voice->second];
      add(0.6 + 0.4 * (stray.voice(voice->second) - least_certain),
          piece(sentence.begin, sentence.end), corpus.text(sentence));
    }
    if (form.sign_words && answer.own_sign)
      add(0.3, piece(answer.body_end, uint32_t(text.size())),
          squeezed(text.substr(answer.body_end)));
    if (const size_t at = loud_from(own(answer)); !loud_house && at < answer.body_end)
      add(0.6, place_around(corpus, answer, at), "louder than the others");
    if (1 - calm < 0.6) continue;
    out.push_back({nullptr, 1 - calm, {place}, found, ""});
  }
}

const RegisterCheck registered({"tone", "form", Severity::warning,
                                "answers in another register than the file's",
                                "The model learns a mixture of voices and changes between them.",
                                "Write the answer in the voice of the others.", run});

}  // namespace

}  // namespace afina
