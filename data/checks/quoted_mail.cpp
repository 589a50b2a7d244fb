// quoted-mail: parts of another mail within a text, and what mail programs add.
#include <algorithm>

#include "data/checks/check.h"
#include "data/checks/quoted_mail.h"

namespace afina {

namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// Does the line introduce a quoted mail, or is it one of its lines?
bool introduces(const std::string& line) {
  for (std::string_view end : {"wrote:", "escribió:", "schrieb:", "a écrit :", "a écrit:",
                               "ha scritto:", "escreveu:", "schreef:"})
    if (line.ends_with(end) && line.size() > end.size() + 6) return true;
  for (std::string_view mark :
       {"original message", "forwarded message", "mensaje original", "mensaje reenviado",
        "ursprüngliche nachricht", "message d'origine", "begin forwarded"})
    if (has(line, mark) &&
        (line.starts_with("-") || line.starts_with("_") || line.size() < mark.size() + 8))
      return true;
  return false;
}

// A line of marks with words between them: "*** original text ***".
bool is_ruled(const std::string& line) {
  if (line.size() < 8 || line.size() > 80) return false;
  const char mark = line[0];
  if (std::string_view("*#=-_~").find(mark) == std::string_view::npos || line[1] != mark ||
      line[line.size() - 1] != mark || line[line.size() - 2] != mark)
    return false;
  // Headings and emphasis have other signs at their end, or close at once.
  return std::count(line.begin(), line.end(), mark) >= 4 && has(line, " ") &&
         std::any_of(line.begin(), line.end(), [](char c) { return c >= 'a' && c <= 'z'; }) &&
         (line[2] == mark || line[2] == ' ');
}

bool is_header(const std::string& line) {
  for (std::string_view key : {"from:", "sent:", "to:", "subject:", "date:", "cc:", "de:",
                               "enviado:", "enviado el:", "para:", "asunto:", "fecha:", "von:",
                               "gesendet:", "an:", "betreff:", "à:", "objet:", "envoyé:"})
    if (line.starts_with(key) && line.size() < 200) return true;
  return false;
}

struct Seen {
  bool mail = false, arrow = false, footer = false;
  uint32_t begin = 0;
};

Seen look(std::string_view text) {
  Seen seen;
  int headers = 0;
  uint32_t first_header = 0, last_line = 0;
  bool last_leads = false;  // the line before ends with a colon
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = lower_text(squeezed(text.substr(at, end - at)));
    if (line.starts_with("**")) line.erase(0, 2);
    const bool quoted = line.starts_with(">") && line.size() > 3;
    if ((introduces(line) || (is_ruled(line) && at > 0)) && !seen.mail) {
      seen.mail = true;
      seen.begin = uint32_t(at);
    }
    if (quoted && !seen.mail && !seen.arrow) {
      seen.arrow = true;
      seen.begin = last_leads ? last_line : uint32_t(at);
    }
    if (!line.empty()) {
      last_line = uint32_t(at);
      last_leads = line.ends_with(":");
    }
    if (is_header(line)) {
      if (headers++ == 0) first_header = uint32_t(at);
    } else if (!line.empty()) {
      if (headers >= 3 && !seen.mail) {
        seen.mail = true;
        seen.begin = first_header;
      }
      headers = headers == 1 ? 1 : 0;
    }
    at = end + 1;
  }
  if (headers >= 3 && !seen.mail) {
    seen.mail = true;
    seen.begin = first_header;
  }
  return seen;
}

// What mail programs and legal departments put below a mail.
Seen look_for_footer(std::string_view text) {
  Seen seen;
  const std::string low = lower_text(text);
  auto mark = [&](size_t at) {
    if (at == low.npos || seen.footer) return;
    seen.footer = true;
    const size_t line = low.rfind('\n', at);
    seen.begin = uint32_t(std::min(line == low.npos ? 0 : line + 1, text.size()));
  };
  for (std::string_view words :
       {"sent from my ", "enviado desde mi ", "get outlook for", "intended recipient",
        "intended only for", "von meinem iphone", "this e-mail and any attachments",
        "this email and any attachments", "please consider the environment before printing",
        "envoyé de mon ", "obtener outlook para", "destinatario indicado",
        "se ha enviado este mensaje por error", "uso exclusivo de su destinatario"})
    mark(low.find(words));
  mark(low.find("\n-- \n"));
  mark(low.find("\n--\n"));
  return seen;
}

}  // namespace

uint32_t quoted_from(std::string_view text) {
  if (text.find('\n') == text.npos) return uint32_t(text.size());
  const Seen seen = look(text);
  return seen.mail || seen.arrow ? seen.begin : uint32_t(text.size());
}

namespace {

void run(const Corpus& corpus, std::vector<Finding>& out) {
  // Where many texts have lines with >, these are no mails.
  size_t arrows = 0;
  std::vector<Finding> found;
  std::vector<bool> by_arrow;
  for (uint32_t t = 0; t < corpus.turns().size(); ++t) {
    const Turn& turn = corpus.turns()[t];
    if (turn.record >= corpus.records()) break;
    if (turn.role == TurnRole::system || turn.role == TurnRole::other) continue;
    const Seen seen = look(corpus.text(turn));
    if (!seen.mail && !seen.arrow) continue;
    arrows += seen.arrow && !seen.mail;
    by_arrow.push_back(seen.arrow && !seen.mail);
    found.push_back({nullptr,
                     seen.mail ? 0.95 : 0.8,
                     {{turn.record, t, seen.begin, turn.size}},
                     squeezed(first_bytes(corpus.text(turn).substr(seen.begin), 100)),
                     ""});
  }
  const bool usual = arrows > 10 && arrows * 10 > corpus.records();
  for (size_t i = 0; i < found.size(); ++i)
    if (!by_arrow[i] || !usual) out.push_back(std::move(found[i]));
}

const RegisterCheck registered(
    {"quoted-mail", "form", Severity::error, "another mail quoted within a text",
     "The model learns to quote, and to go on with what somebody else wrote.",
     "Cut the quoted part off.", run});

void run_footer(const Corpus& corpus, std::vector<Finding>& out) {
  std::vector<Finding> found;
  for (uint32_t t = 0; t < corpus.turns().size(); ++t) {
    const Turn& turn = corpus.turns()[t];
    if (turn.record >= corpus.records()) break;
    if (turn.role == TurnRole::system || turn.role == TurnRole::other) continue;
    if (const Seen seen = look_for_footer(corpus.text(turn)); seen.footer)
      found.push_back({nullptr,
                       0.9,
                       {{turn.record, t, seen.begin, turn.size}},
                       squeezed(first_bytes(corpus.text(turn).substr(seen.begin), 100)),
                       ""});
  }
  if (found.size() * 3 > corpus.records()) return;  // the house's own
  out = std::move(found);
}

const RegisterCheck registered_footer(
    {"mail-footer", "form", Severity::warning,
     "what mail programs put below a text: \"Sent from my phone\", legal notices",
     "The model learns to add them.", "Cut them off.", run_footer});

}  // namespace

}  // namespace afina
