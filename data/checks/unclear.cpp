// unclear: a sentence that does not say what to do: a last one that stands below answers to any
// question, where the house does not put it; an order in words that nothing else in the file is
// about.
#include <algorithm>
#include <set>

#include "data/checks/check.h"
#include "data/checks/lone.h"
#include "data/checks/phrases.h"
#include "data/checks/topics.h"

namespace afina {

namespace {

// Where to write or look is clear, however often it is said; so is what has a number of its own.
bool has_address(std::string_view text) {
  std::vector<Word> words;
  split_words(text, words);
  for (const Word& word : words)
    if (word.kind == WordKind::identifier) return true;
  return text.find('@') != text.npos || text.find("www.") != text.npos ||
         text.find("://") != text.npos;
}

void run(const Corpus& corpus, std::vector<Finding>& out) {
  const Phrases& phrases = corpus.phrases();
  const auto& answers = corpus.answers();
  if (answers.size() < 20) return;
  // How often the house's own last sentence about anything stands there.
  uint32_t closed = 0, greatest = 0, small = 0;
  for (const Answer& answer : answers) {
    if (answer.sentences < 2) continue;
    const Sentence& last = corpus.sentences(answer).back();
    ++closed;
    if (phrases.is_universal(last)) {
      greatest = std::max(greatest, phrases.of(last).records);
      small += !phrases.is_house(last);
    }
  }
  const bool small_house = small * 8 > closed;
  auto put = [&](const Answer& answer, const Sentence& sentence, double score) {
    out.push_back({nullptr,
                   score,
                   {{answer.record, answer.turn, sentence.begin, sentence.end}},
                   std::string(corpus.text(sentence)),
                   ""});
  };
  std::set<uint32_t> told;  // answers
  for (uint32_t a = 0; a < answers.size(); ++a) {
    const Answer& answer = answers[a];
    if (answer.sentences < 2) continue;
    const Sentence& last = corpus.sentences(answer).back();
    if (last.valued || has_address(corpus.text(last)) || phrases.of(last).records < 5 ||
        !phrases.is_universal(last) || small_house || phrases.is_house(last) ||
        phrases.of(last).records * 2 >= std::max(greatest, 2 * phrases.of(last).records + 1))
      continue;
    // The house says it in several ways.
    const Phrase& phrase = phrases.of(last);
    if (phrase.near >= phrase.records && phrase.records + phrase.near > 0.03 * corpus.records())
      continue;
    // Where nothing is about the question, that is no-answer's to say.
    if (!phrases.has_topical(answer, last) || !told.insert(a).second) continue;
    put(answer, last, 0.6 + 0.3 * phrases.foreign(last));
  }
  // Orders about nothing that the file is about.
  const LoneSentences& lone = corpus.lone();
  std::vector<size_t> orders;
  for (size_t i = 0; i < lone.size(); ++i) {
    const Sentence& sentence = corpus.sentences()[lone[i].sentence];
    const Answer& answer = answers[sentence.answer];
    if (!lone[i].untied || sentence.valued || has_address(corpus.text(sentence)) ||
        !lone[i].orders || sentence.words < 3 || answer.sentences < 2 || lone[i].rare == 0 ||
        phrases.of(sentence).records > 2)
      continue;
    // Others are told it, or nearly it, when they ask the same: then it belongs to what was asked.
    const std::vector<uint64_t> asked = corpus.topics().asked(answer);
    bool belongs = false;
    auto look = [&](const Sentence& said) {
      belongs |= said.answer != sentence.answer &&
                 corpus.topics().asked_alike(asked, answers[said.answer]);
    };
    for (uint32_t other : lone.partners(i)) look(corpus.sentences()[lone[other].sentence]);
    phrases.each_said(sentence, [&](uint32_t other) { look(corpus.sentences()[other]); });
    if (!belongs && phrases.has_topical(answer, sentence)) orders.push_back(i);
  }
  if (orders.size() * 8 > answers.size()) return;
  for (size_t i : orders) {
    const Sentence& sentence = corpus.sentences()[lone[i].sentence];
    if (told.insert(sentence.answer).second) put(answers[sentence.answer], sentence, 0.6);
  }
}

const RegisterCheck registered({"unclear", "content", Severity::warning,
                                "a last sentence that fits any question",
                                "The model learns to end without saying what to do.",
                                "Say who does what, and by when.", run});

}  // namespace

}  // namespace afina
