// cut: answers and texts that stop in the middle of a sentence.
#include "data/checks/check.h"
#include "data/checks/endings.h"

namespace afina {

static void run(const Corpus& corpus, std::vector<Finding>& out) {
  const Endings endings(corpus);
  auto put = [&](uint32_t record, uint32_t turn, double score) {
    const std::string_view text = corpus.text(turn);
    uint32_t begin = uint32_t(text.size() > 60 ? text.size() - 60 : 0);
    while (begin > 0 && (uint8_t(text[begin]) & 0xC0) == 0x80) --begin;
    out.push_back({nullptr,
                   score,
                   {{record, turn, begin, uint32_t(text.size())}},
                   "ends with: " + squeezed(text.substr(begin)),
                   ""});
  };
  for (const Answer& answer : corpus.answers())
    if (const double score = endings.cut(answer); score > 0) put(answer.record, answer.turn, score);
  for (uint32_t t = 0; t < corpus.turns().size(); ++t) {
    const Turn& turn = corpus.turns()[t];
    if (turn.record >= corpus.records()) break;
    if (turn.role != TurnRole::text) continue;
    if (const double score = endings.cut_text(corpus.text(turn)); score > 0)
      put(turn.record, t, score);
  }
}

static const RegisterCheck registered(
    {"cut", "form", Severity::error, "answers that stop in the middle of a sentence",
     "The model learns to stop there too: the token that ends an answer is a target like the "
     "others.",
     "Complete the answer, or remove the record.", run});

}  // namespace afina
