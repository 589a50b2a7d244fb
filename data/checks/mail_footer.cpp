// mail-footer: what mail programs add to a text, and what else stands below its farewell.
#include <algorithm>

#include "data/checks/check.h"
#include "data/checks/quoted_mail.h"

namespace afina {

// What mail programs and legal departments put below a mail.
// Where it begins; the text's size: nowhere.
uint32_t footer_from(std::string_view text) {
  uint32_t begin = uint32_t(text.size());
  const std::string low = lower_text(text);
  auto mark = [&](size_t at) {
    if (at == low.npos || begin < text.size()) return;
    const size_t line = low.rfind('\n', at);
    begin = uint32_t(std::min(line == low.npos ? 0 : line + 1, text.size()));
  };
  for (std::string_view words :
       {"sent from my ", "sent from outlook", "enviado desde mi ", "enviado desde outlook",
        "get outlook for", "intended recipient", "intended only for", "von meinem iphone",
        "this e-mail and any attachments", "this email and any attachments",
        "please consider the environment before printing", "envoyé de mon ", "obtener outlook para",
        "destinatario indicado", "se ha enviado este mensaje por error",
        "uso exclusivo de su destinatario"})
    mark(low.find(words));
  mark(low.find("\n-- \n"));
  mark(low.find("\n--\n"));
  return begin;
}

namespace {

// Where lines begin that stand below the whole farewell of the house, and are no postscript.
uint32_t below_farewell(const Corpus& corpus, const Answer& answer) {
  const std::string_view text = corpus.text(answer.turn);
  const std::string& sign = corpus.forms()[answer.group].sign_text;
  if (!answer.signs || sign.find('\n') == sign.npos ||
      answer.body_end + sign.size() >= text.size() ||
      text.substr(answer.body_end, sign.size()) != sign)
    return uint32_t(text.size());
  const size_t begin = text.find_first_not_of(" \r\n", answer.body_end + sign.size());
  if (begin == text.npos) return uint32_t(text.size());
  const std::string first = lower_text(text.substr(begin, 6));
  for (std::string_view postscript : {"ps", "p.s", "p. s", "pd", "p.d", "p. d", "nb", "n.b"})
    if (first.starts_with(postscript)) return uint32_t(text.size());
  return uint32_t(begin);
}

void run(const Corpus& corpus, std::vector<Finding>& out) {
  std::vector<Finding> found;
  size_t next = 0;  // answer
  for (uint32_t t = 0; t < corpus.turns().size(); ++t) {
    const Turn& turn = corpus.turns()[t];
    if (turn.record >= corpus.records()) break;
    if (turn.role == TurnRole::system || turn.role == TurnRole::other) continue;
    uint32_t begin = footer_from(corpus.text(turn));
    while (next < corpus.answers().size() && corpus.answers()[next].turn < t) ++next;
    if (begin == turn.size && next < corpus.answers().size() && corpus.answers()[next].turn == t) {
      begin = below_farewell(corpus, corpus.answers()[next]);
      if (begin >= quoted_from(corpus.text(turn))) begin = turn.size;
    }
    if (begin < turn.size)
      found.push_back({nullptr,
                       0.9,
                       {{turn.record, t, begin, turn.size}},
                       squeezed(first_bytes(corpus.text(turn).substr(begin), 100)),
                       ""});
  }
  if (found.size() * 3 > corpus.records()) return;  // the house's own
  out = std::move(found);
}

const RegisterCheck registered(
    {"mail-footer", "form", Severity::warning,
     "what stands below a letter: \"Sent from my phone\", legal notices, a second signature",
     "The model learns to add them.", "Cut them off.", run});

}  // namespace

}  // namespace afina
