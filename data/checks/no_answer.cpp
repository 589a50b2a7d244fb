// no-answer: answers that do not answer: nothing in them is about the question; and refusals.
#include "data/checks/check.h"
#include "data/checks/endings.h"
#include "data/checks/stray.h"

namespace afina {

namespace {

bool refuses(std::string_view text) {
  const std::string low = lower_text(squeezed(text.substr(0, 300)));
  for (std::string_view words :
       {"as an ai", "as a language model", "i'm unable to", "i am unable to", "i cannot help with",
        "i can't help with", "i cannot assist", "i can't assist", "i'm sorry, but i can",
        "i am sorry, but i can", "como modelo de lenguaje", "como una ia",
        "como inteligencia artificial", "no puedo ayudarte con", "no puedo ayudar con",
        "lo siento, pero no puedo"})
    if (low.find(words) != low.npos) return true;
  return false;
}

void run(const Corpus& corpus, std::vector<Finding>& out) {
  const auto& answers = corpus.answers();
  if (answers.size() < 20) return;
  const Stray& stray = corpus.stray();
  const Endings endings(corpus);
  std::vector<double> certain(answers.size(), 0);
  size_t refused = 0, many = 0;
  for (uint32_t a = 0; a < answers.size(); ++a) {
    refused += refuses(corpus.text(answers[a].turn));
    const double unanswered = stray.unanswered(a);
    // What is cut had no time to answer.
    if (unanswered < least_unanswered || endings.cut(answers[a]) > 0) continue;
    certain[a] = unanswered;
    ++many;
  }
  // Where many do not, questions and answers of this file have few words in common.
  const bool usual = many * 7 > answers.size(), refusing_house = refused * 10 > answers.size();
  for (uint32_t a = 0; a < answers.size(); ++a) {
    const Answer& answer = answers[a];
    const std::string_view text = corpus.text(answer.turn);
    const PiecePlace place{answer.record, answer.turn, answer.body_begin, answer.body_end};
    if (!refusing_house && refuses(text)) {
      out.push_back({nullptr, 0.9, {place}, "a refusal", ""});
      continue;
    }
    if (usual || certain[a] == 0) continue;
    out.push_back({nullptr,
                   certain[a],
                   {place},
                   squeezed(text.substr(answer.body_begin, answer.body_end - answer.body_begin)),
                   ""});
  }
}

const RegisterCheck registered({"no-answer", "content", Severity::warning,
                                "answers that do not answer, and refusals",
                                "The model learns to put people off.",
                                "Answer the question, or remove the record.", run});

}  // namespace

}  // namespace afina
