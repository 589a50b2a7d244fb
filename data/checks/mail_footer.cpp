// mail-footer: what mail programs add to a text, and what else stands below its farewell.
#include <algorithm>

#include "data/checks/check.h"
#include "data/checks/quoted_mail.h"

namespace afina {

// What mail programs and legal departments put below a mail: the first of it. A phrase that may
// stand in a sentence, as "sent from my sister", begins its line.
uint32_t footer_from(std::string_view text) {
  uint32_t begin = uint32_t(text.size());
  const std::string low = lower_in_place(text);
  auto mark = [&](std::string_view words, bool leads) {
    for (size_t at = 0; (at = low.find(words, at)) != low.npos; ++at) {
      const size_t newline = low.rfind('\n', at), line = newline == low.npos ? 0 : newline + 1;
      if (leads && low.find_first_not_of(" \t\r*_-–—>\n", line) < at) continue;
      begin = uint32_t(std::min<size_t>(begin, words[0] == '\n' ? at + 1 : line));
      break;
    }
  };
  for (std::string_view words : {"sent from my ", "sent from outlook", "enviado desde mi ",
                                 "enviado desde outlook", "get outlook for", "von meinem iphone",
                                 "envoyé de mon ", "obtener outlook para", "intended only for"})
    mark(words, true);
  for (std::string_view words :
       {"intended recipient", "this e-mail and any attachments", "this email and any attachments",
        "please consider the environment before printing", "destinatario indicado",
        "se ha enviado este mensaje por error", "uso exclusivo de su destinatario"})
    mark(words, false);
  mark("\n-- \n", false);
  mark("\n--\n", false);
  return begin;
}

namespace {

// Does it begin as what belongs to a letter though it stands below it: "P.P.S.", "(PD: ...)",
// "Enc. 1 form", a table?
bool is_postscript(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n*_-(¡"), text.size()));
  if (text.empty() || text[0] == '|') return true;
  std::string letters;
  for (char c : lower_in_place(text.substr(0, 14))) {
    if (c >= 'a' && c <= 'z') letters += c;
    else if (std::string_view(" .-").find(c) == std::string_view::npos) break;
  }
  for (std::string_view one : {"ps", "pps", "pd", "ppd", "nb", "cc"})
    if (letters == one || (letters.starts_with(one) && text[one.size()] == '.')) return true;
  for (std::string_view one : {"postscript", "postdata", "posdata", "enc", "attach", "adjunt"})
    if (letters.starts_with(one)) return true;
  return letters.starts_with("ps") && text[1] == '.';
}

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
  if (is_postscript(text.substr(begin))) return uint32_t(text.size());
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
