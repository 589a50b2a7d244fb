// no-answer: answers that do not answer: nothing in them is about the question; and refusals.
#include <algorithm>

#include "data/checks/check.h"
#include "data/checks/endings.h"
#include "data/checks/phrases.h"

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
  const Phrases phrases(corpus);
  const Endings endings(corpus);
  const auto& answers = corpus.answers();
  std::vector<uint8_t> empty_handed(answers.size(), 0);
  std::vector<size_t> lengths;
  Reading reading;
  size_t refused = 0, many = 0, repeated = 0, asked = 0;
  for (size_t a = 0; a < answers.size(); ++a) {
    const Answer& answer = answers[a];
    refused += refuses(corpus.text(answer.turn));
    lengths.push_back(answer.body_end - answer.body_begin);
    if (answer.question == no_turn || answer.sentences == 0) continue;
    ++asked;
    bool topical = endings.cut(answer) > 0, house_only = true;
    for (const Sentence& sentence : corpus.sentences(answer)) {
      // A number is likely to be what was asked for; a day of the week may be a wish.
      if (sentence.valued) {
        Corpus::read(corpus.text(sentence), reading);
        for (const Value& value : reading.values)
          topical |= value.type != ValueType::weekday && value.type != ValueType::month;
      }
      topical |= phrases.is_topical(sentence);
      house_only &= phrases.is_house(sentence);
    }
    if (topical || house_only) continue;
    // 2: with a sentence that is said whatever is asked; 1: with what nobody else says.
    empty_handed[a] = 1;
    for (const Sentence& sentence : corpus.sentences(answer))
      if (phrases.is_universal(sentence) && !phrases.is_house(sentence)) empty_handed[a] = 2;
    ++many;
    repeated += empty_handed[a] == 2;
  }
  if (lengths.size() < 20) return;
  std::nth_element(lengths.begin(), lengths.begin() + std::ptrdiff_t(lengths.size() / 2),
                   lengths.end());
  const size_t median = lengths[lengths.size() / 2];
  const bool usual = many * 7 > asked, refusing_house = refused * 10 > answers.size();
  for (size_t a = 0; a < answers.size(); ++a) {
    const Answer& answer = answers[a];
    const std::string_view text = corpus.text(answer.turn);
    const PiecePlace place{answer.record, answer.turn, answer.body_begin, answer.body_end};
    if (!refusing_house && refuses(text)) {
      out.push_back({nullptr, 0.9, {place}, "a refusal", ""});
      continue;
    }
    const size_t length = answer.body_end - answer.body_begin;
    if (usual || !empty_handed[a] || length * 10 > median * 8) continue;
    // Where stock phrases are the file's way not to answer, what is said once is likely to answer
    // in words of its own.
    if (empty_handed[a] == 1 && repeated >= 5) continue;
    const double score = 0.95 - 0.4 * double(length) / double(std::max<size_t>(median, 1));
    out.push_back({nullptr,
                   score,
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
