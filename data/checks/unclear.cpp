// unclear: an order that does not say what to do: about nothing that was asked, in words that
// belong to nothing in the file, said where it fits any question.
#include <algorithm>
#include <iterator>

#include "data/checks/check.h"
#include "data/checks/stray.h"

namespace afina {

namespace {

constexpr double least_certain = 0.52;

void run(const Corpus& corpus, std::vector<Finding>& out) {
  const auto& answers = corpus.answers();
  if (answers.size() < 20) return;
  const Stray& stray = corpus.stray();
  std::vector<Finding> found;
  for (const Answer& answer : answers) {
    uint32_t vaguest = answer.first_sentence;
    for (uint32_t k = 0; k < answer.sentences; ++k)
      if (stray.vague(answer.first_sentence + k) > stray.vague(vaguest))
        vaguest = answer.first_sentence + k;
    if (answer.sentences < 2 || stray.vague(vaguest) < least_certain) continue;
    const Sentence& sentence = corpus.sentences()[vaguest];
    found.push_back({nullptr,
                     stray.vague(vaguest),
                     {{answer.record, answer.turn, sentence.begin, sentence.end}},
                     std::string(corpus.text(sentence)),
                     ""});
  }
  if (found.size() * 6 <= answers.size())
    std::move(found.begin(), found.end(), std::back_inserter(out));
}

const RegisterCheck registered({"unclear", "content", Severity::warning,
                                "an order that fits any question",
                                "The model learns to end without saying what to do.",
                                "Say who does what, and by when.", run});

}  // namespace

}  // namespace afina
