// quoted-mail: parts of another mail within a text.
#include <algorithm>
#include <cctype>
#include <initializer_list>

#include "data/checks/check.h"
#include "data/checks/quoted_mail.h"

namespace afina {

namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// A subject that was answered or forwarded twice or more: "Re: Fwd: Re: our visit".
bool repeats_subject(std::string_view line) {
  for (int prefixes = 0;; ++prefixes) {
    const size_t colon = line.find(':');
    if (colon == line.npos || colon == 0) return prefixes >= 2;
    bool known = false;
    for (std::string_view prefix : {"re", "fw", "fwd", "aw", "wg", "rv", "res", "enc", "tr", "rif",
                                    "i", "sv", "vs", "antw", "doorst"})
      known |= line.substr(0, colon) == prefix;
    if (!known) return prefixes >= 2;
    line.remove_prefix(colon + 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  }
}

// Does the line introduce a quoted mail, or is it one of its lines? "On 3 May, Ann wrote:", "Ann
// replied on 3 May:"; `above` is the line above it, where the first is broken in two.
bool introduces(const std::string& line, const std::string& above) {
  const bool leads = line.ends_with(":");
  const bool dated = line.find_first_of("0123456789") != line.npos;
  for (std::string_view verb :
       {"wrote", "replied", "writes", "escribió", "respondió", "contestó", "schrieb", "antwortete",
        "a écrit", "a répondu", "ha scritto", "ha risposto", "escreveu", "respondeu", "schreef"}) {
    if (!leads) break;
    const size_t at = line.rfind(verb);
    if (at == line.npos) continue;
    const size_t end = at + verb.size();
    if (at > 0 && line[at - 1] != ' ' && line[at - 1] != '>') continue;
    if (end + 2 >= line.size() && line.find_first_not_of(" :", end) == line.npos) {
      if (at > 5 || (!above.empty() && above.find_first_of("0123456789@") != above.npos))
        return true;
    } else if (line[end] == ' ' && at > 1 && dated && line.size() < 120) {
      return true;
    }
  }
  // The marks are short, and so are the lines that have them for their own.
  const bool ruled = line.starts_with("-") || line.starts_with("_");
  for (std::string_view mark :
       {"original message", "forwarded message", "mensaje original", "mensaje reenviado",
        "ursprüngliche nachricht", "weitergeleitete nachricht", "message d'origine",
        "message original", "message transféré", "messaggio originale", "messaggio inoltrato",
        "mensagem original", "mensagem encaminhada", "oorspronkelijk bericht", "begin forwarded"})
    if ((ruled || line.size() < mark.size() + (leads ? 16 : 8)) && has(line, mark)) return true;
  return repeats_subject(line);
}

// A line of a chat that was copied: "[17:47] Ann: ...", "Ann (14:48): ...".
bool is_stamped(const std::string& line) {
  const size_t open = line.find_first_of("[(");
  if (open == line.npos || open > 40) return false;
  const size_t close = line.find(line[open] == '[' ? ']' : ')', open);
  if (close == line.npos || close - open < 5 || close - open > 24) return false;
  // A time of day stands last within the brackets.
  auto digit = [&](size_t at) { return line[at] >= '0' && line[at] <= '9'; };
  size_t colon = line.rfind(':', close);
  if (colon < open + 2 || colon + 2 >= close || !digit(colon - 1) || !digit(colon + 1))
    return false;
  // Opening hours have two.
  const size_t first = line.find(':', open);
  if (std::string_view(line).substr(first, colon - first).find(' ') != line.npos) return false;
  if (line[open] == '[') {
    const size_t said = line.find(':', close);
    return open == 0 && said != line.npos && said > close + 2 && said < close + 40;
  }
  return open > 1 && line[open - 1] == ' ' && close + 1 < line.size() && line[close + 1] == ':';
}

bool names_mail(const std::string& line) {
  for (std::string_view word :
       {"message", "mail", "letter", "transcript", "chat", "mensaje", "correo", "conversación",
        "nachricht", "verlauf", "courriel", "messaggio", "conversazione", "mensagem", "bericht"})
    if (has(line, word)) return true;
  return false;
}

// Is the line a rule: four marks or more and nothing else?
bool is_rule(const std::string& line) {
  return line.size() >= 4 && line.find_first_not_of("-_=*") == line.npos;
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

bool begins_with(std::string_view line, std::initializer_list<std::string_view> keys) {
  // Most lines have no colon, or one behind more than a key.
  const size_t colon = line.find(':');
  if (colon == line.npos || colon == 0 || line.size() >= 200) return false;
  const std::string_view own = line.substr(0, colon);
  for (std::string_view key : keys)
    if (own.starts_with(key) && (own.size() == key.size() || own.substr(key.size()) == " "))
      return true;
  return false;
}
// Headers that only mails have; those that other lists have as well.
bool is_mail_header(std::string_view line) {
  return begins_with(line, {"message-id", "in-reply-to", "sent", "subject", "enviado", "enviado el",
                            "asunto", "gesendet", "betreff", "objet", "envoyé", "inviato",
                            "oggetto", "assunto", "verzonden", "onderwerp"});
}
bool is_header(std::string_view line) {
  return is_mail_header(line) ||
         begins_with(line, {"priority", "prioridad", "importance", "cco", "from",  "to",  "date",
                            "cc",       "bcc",       "reply-to",   "re",  "fw",    "fwd", "de",
                            "para",     "fecha",     "von",        "an",  "datum", "à",   "da",
                            "a",        "data",      "van",        "aan"});
}

// Does what stands behind a bar read as people write? Trees of folders, cases of programs and pipes
// of a shell have no sentences: a line of those from `at` on that begin with one ends as they do,
// or is a mail's subject.
bool is_quoted_by_bars(std::string_view text, size_t at) {
  bool sentence = false;
  while (at < text.size()) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    line.remove_prefix(std::min(line.find_first_not_of(" *"), line.size()));
    if (!line.starts_with("|") || line.find('|', 1) != line.npos) break;
    line.remove_prefix(std::min(line.find_first_not_of("| "), line.size()));
    line = line.substr(0, line.find_last_not_of(" \r") + 1);
    if (line.starts_with("--") || has(line, "->") || has(line, "=>")) return false;
    sentence |= is_mail_header(lower_text(line));
    for (size_t i = 1; i < line.size(); ++i) {
      const bool last = i + 1 == line.size(), ends = last || line[i + 1] == ' ';
      const auto before = uint8_t(line[i - 1]);
      sentence |=
          ends &&
          std::string_view(last ? ".?!,:" : ".?!").find(line[i]) != std::string_view::npos &&
          (before >= 0x80 || std::isalnum(before) || before == ')');
    }
  }
  return sentence;
}

struct Seen {
  bool mail = false, arrow = false;
  uint32_t begin = 0;
};

Seen look(std::string_view text) {
  Seen seen;
  int headers = 0;
  uint32_t first_header = 0, last_line = 0;
  bool last_leads = false;  // the line before ends with a colon
  bool mail_header = false, ruled = false;
  uint32_t first_bar = 0, bars = 0;  // of the lines above that have one
  bool by_bars = false, fenced = false;
  std::string above;
  auto put_headers = [&] {
    // Below a rule, or with one that only mails have, two are enough.
    if ((headers >= 3 || (headers == 2 && (mail_header || ruled))) && !seen.mail) {
      seen.mail = true;
      seen.begin = first_header;
    }
  };
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = lower_text(squeezed(text.substr(at, end - at)));
    const bool ruled_line = is_ruled(line);
    if (line.starts_with("**")) line.erase(0, 2);
    // A table has its bars at both ends of a line.
    const bool barred = line.starts_with("|") && line.find('|', 1) == line.npos;
    if (barred && bars == 0) {
      first_bar = uint32_t(at);
      by_bars = is_quoted_by_bars(text, at);
    }
    bars = barred ? bars + 1 : 0;
    fenced ^= line.starts_with("```");
    const bool quoted =
        (line.starts_with(">") || (barred && by_bars && (last_leads || bars > 1))) &&
        line.size() > 3 && !fenced;
    if ((introduces(line, above) || (ruled_line && (at > 0 || names_mail(line)))) && !seen.mail) {
      seen.mail = true;
      seen.begin = headers > 0                   ? first_header
                   : line.find(' ') == line.npos ? last_line
                                                 : uint32_t(at);
    }
    if (is_stamped(line) && !seen.mail && !seen.arrow) {
      seen.arrow = true;
      seen.begin = uint32_t(at);
    }
    if (quoted && !seen.mail && !seen.arrow) {
      seen.arrow = true;
      seen.begin = bars > 1 ? first_bar : last_leads ? last_line : uint32_t(at);
    }
    // Within a quotation too.
    std::string_view bare = line;
    bare.remove_prefix(std::min(bare.find_first_not_of("|> "), bare.size()));
    if (is_header(bare)) {
      if (headers++ == 0) {
        first_header = ruled ? last_line : uint32_t(at);
        mail_header = false;
      }
      mail_header |= is_mail_header(bare);
    } else if (!line.empty()) {
      put_headers();
      headers = 0;
      ruled = is_rule(line);
    }
    if (!line.empty()) {
      last_line = uint32_t(at);
      // "Ann wrote:", "[quoted text]"
      last_leads = line.ends_with(":") || (line.starts_with("[") && line.ends_with("]"));
      above = std::move(line);
    }
    at = end + 1;
  }
  put_headers();
  return seen;
}

}  // namespace

uint32_t quoted_from(std::string_view text) {
  if (text.find('\n') == text.npos) return uint32_t(text.size());
  const Seen seen = look(text);
  return seen.mail || seen.arrow ? seen.begin : uint32_t(text.size());
}

namespace {

// Where the question, or its longest line, stands again below the answer; the text's size: nowhere.
uint32_t question_again(const Corpus& corpus, const Answer& answer) {
  const std::string_view text = corpus.text(answer.turn);
  if (answer.question == no_turn || answer.body_end >= text.size()) return uint32_t(text.size());
  std::string_view asked = corpus.text(answer.question), longest;
  while (!asked.empty()) {
    std::string_view line = asked.substr(0, asked.find('\n'));
    asked.remove_prefix(std::min(asked.size(), line.size() + 1));
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    if (line.size() > longest.size()) longest = line;
  }
  if (std::count(longest.begin(), longest.end(), ' ') < 3) return uint32_t(text.size());
  const size_t at = text.find(longest, answer.body_end);
  if (at == text.npos) return uint32_t(text.size());
  // From the first line below the house's farewell on.
  const std::string& sign = corpus.forms()[answer.group].sign_text;
  const size_t own = sign.empty() ? text.npos : text.find(sign, answer.body_end);
  const size_t from = own == text.npos ? text.rfind('\n', at) : own + sign.size();
  return uint32_t(std::min(at, from == text.npos ? 0 : text.find_first_not_of(" \r\n", from)));
}

// Does the line end as a sentence does, or as what leads to the next one? Not what programs write:
// "[External]", "Bcc:".
bool is_prose(std::string_view line) {
  if (std::string_view("[>|").find(line.front()) != std::string_view::npos) return false;
  if (line.back() == ':') return line.find(' ') != line.npos && !is_header(lower_text(line));
  return std::string_view(".!?").find(line.back()) != std::string_view::npos;
}

// Does the answer begin as the house's do, but below lines of something else? Below sentences alone
// it is a letter that the answer drafts: "You could write: Dear Ann, ...".
bool greets_below(const Corpus& corpus, const Answer& answer) {
  const HouseForm& form = corpus.forms()[answer.group];
  if (answer.greets || form.greetings.empty() || form.greeting_end == 0) return false;
  const std::string_view text = corpus.text(answer.turn);
  std::vector<Word> words;
  bool prose = true, leads = false;  // all lines above, and the last one to what follows
  size_t at = 0;
  for (int lines = 0; lines < 13 && at < text.size(); ++lines) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    line = line.substr(0, line.find_last_not_of(" \r") + 1);
    if (line.empty()) continue;
    if (lines > 0 && line.size() <= 60 && line.back() == form.greeting_end) {
      split_words(line, words);
      for (uint64_t greeting : form.greetings)
        if (words.size() > 2 && words[0].id == greeting) return !prose && !leads;
    }
    prose &= is_prose(line);
    leads = line.back() == ':' && is_prose(line);
  }
  return false;
}

void run(const Corpus& corpus, std::vector<Finding>& out) {
  // Where many texts have lines with >, these are no mails.
  size_t arrows = 0;
  std::vector<Finding> found;
  std::vector<bool> by_arrow;
  size_t next = 0;  // answer
  for (uint32_t t = 0; t < corpus.turns().size(); ++t) {
    const Turn& turn = corpus.turns()[t];
    if (turn.record >= corpus.records()) break;
    if (turn.role == TurnRole::system || turn.role == TurnRole::other) continue;
    Seen seen = look(corpus.text(turn));
    while (next < corpus.answers().size() && corpus.answers()[next].turn < t) ++next;
    if (!seen.mail && !seen.arrow && next < corpus.answers().size() &&
        corpus.answers()[next].turn == t) {
      const bool below = greets_below(corpus, corpus.answers()[next]);
      seen.begin = below ? 0 : question_again(corpus, corpus.answers()[next]);
      seen.mail = seen.begin < turn.size;
    }
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

}  // namespace

}  // namespace afina
