// unclear: a last sentence that does not say what to do: one that stands below answers to any
// question, where the house does not put it, or whose words no answer like it has.
#include <algorithm>

#include "data/checks/check.h"
#include "data/checks/phrases.h"

namespace afina {

namespace {

void run(const Corpus& corpus, std::vector<Finding>& out) {
  const Phrases phrases(corpus);
  const auto& answers = corpus.answers();
  if (answers.size() < 20) return;
  // How often the house's own last sentence about anything stands there.
  uint32_t closed = 0, odd = 0, greatest = 0, small = 0;
  for (const Answer& answer : answers) {
    if (answer.sentences < 2) continue;
    const Sentence& last = corpus.sentences(answer).back();
    ++closed;
    if (phrases.is_universal(last)) {
      greatest = std::max(greatest, phrases.of(last).records);
      small += !phrases.is_house(last);
    }
    odd += phrases.foreign(last) >= 0.5 && !phrases.is_topical(last);
  }
  const bool odd_house = odd * 4 > closed, small_house = small * 5 > closed * 2;
  for (const Answer& answer : answers) {
    if (answer.sentences < 2) continue;
    const Sentence& last = corpus.sentences(answer).back();
    if (last.valued) continue;
    const std::string_view text = corpus.text(last);
    const uint32_t records = phrases.of(last).records;
    double score = 0;
    if (phrases.is_universal(last) && !small_house &&
        (!phrases.is_house(last) ? records * 2 < std::max(greatest, 2 * records + 1) : false))
      score = 0.6 + 0.3 * phrases.foreign(last);
    else if (!odd_house && records < 3 && phrases.foreign(last) >= 0.5 && last.words >= 3 &&
             !phrases.is_topical(last))
      score = 0.4 + 0.4 * phrases.foreign(last);
    if (score < 0.6) continue;
    // Where nothing is about the question, that is no-answer's to say.
    bool topical = false;
    for (const Sentence& sentence : corpus.sentences(answer))
      topical |= sentence.valued || phrases.is_topical(sentence);
    if (!topical) continue;
    out.push_back({nullptr,
                   score,
                   {{answer.record, answer.turn, last.begin, last.end}},
                   std::string(text),
                   ""});
  }
}

const RegisterCheck registered({"unclear", "content", Severity::warning,
                                "a last sentence that fits any question",
                                "The model learns to end without saying what to do.",
                                "Say who does what, and by when.", run});

}  // namespace

}  // namespace afina
