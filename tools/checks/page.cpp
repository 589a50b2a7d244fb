// report.html of the checks: counts by kind, and every finding with its texts side by side.
#include "tools/checks/findings.h"
#include "tools/text/format.h"

namespace afina {

namespace {

constexpr const char* head = R"html(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>afina check</title><style>
:root{--ink:#1c2330;--soft:#5b6577;--line:#d9dee7;--back:#fff;--card:#f6f8fb;--mark:#ffe08a;
--error:#b3261e;--warning:#8a5a00;--note:#2d5fa8;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#a2abba;--line:#394050;--back:#14181f;
--card:#1c222c;--mark:#6b5310;--error:#ff8f86;--warning:#f0b955;--note:#8fb8f5}}
body{margin:0 auto;max-width:72rem;padding:1.5rem;background:var(--back);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .7rem;
border-bottom:1px solid var(--line);vertical-align:top}td.n,th.n{text-align:right}
.soft{color:var(--soft)}.error{color:var(--error)}.warning{color:var(--warning)}
.note{color:var(--note)}details{border-bottom:1px solid var(--line);padding:.4rem 0}
summary{cursor:pointer}mark{background:var(--mark);color:inherit}
.pair{display:flex;flex-wrap:wrap;gap:.8rem;margin:.5rem 0}
.pair>div{flex:1 1 18rem;min-width:0;background:var(--card);padding:.6rem .8rem;
border-radius:.4rem;white-space:pre-wrap;overflow-wrap:anywhere}
a{color:var(--note)}</style></head><body>
)html";

constexpr size_t most_shown = 300;  // findings of a check on the page; the file has all

std::string escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else if (uint8_t(c) < 0x20 && c != '\n' && c != '\t') out += "\xEF\xBF\xBD";
    else out += c;
  }
  return out;
}

std::string short_text(const std::string& text) {
  if (text.size() <= 1200) return escape(text);
  size_t end = 1200;
  while (end > 0 && (uint8_t(text[end]) & 0xC0) == 0x80) --end;
  return escape(std::string_view(text).substr(0, end)) + "…";
}

std::string finding_html(const Corpus& corpus, const Finding& finding, const RecordLosses& losses) {
  std::string out = "<details><summary>" + escape(corpus.place(finding.places[0].record)) +
                    ": <b>" + escape(finding.found) + "</b>";
  if (!finding.expected.empty())
    out += " <span class=\"soft\">most others:</span> " + escape(finding.expected);
  char score[16];
  std::snprintf(score, sizeof score, "%.2f", finding.score);
  out += std::string(" <span class=\"soft\">score ") + score;
  if (auto found = losses.find(finding.places[0].record); found != losses.end()) {
    const RecordMeasures& one = found->second;
    if (one.loss >= 0) out += ", loss " + format_loss(one.loss);
    if (one.trained >= 0) out += ", " + format_loss(one.trained) + " after training";
    if (one.warmed >= 0) out += ", " + format_loss(one.warmed) + " after a warm-up on the others";
  }
  out += "</span></summary><div class=\"pair\">";
  for (const PiecePlace& place : finding.places) {
    const ShownPiece piece = shown_piece(corpus, place);
    out += "<div><span class=\"soft\">" + escape(piece.place) +
           (piece.role.empty() ? "" : ", " + piece.role) + "</span>\n" + short_text(piece.before) +
           "<mark>" + short_text(piece.text) + "</mark>" + short_text(piece.after) + "</div>";
  }
  return out + "</div></details>\n";
}

}  // namespace

std::string findings_page(const Corpus& corpus, const std::vector<Finding>& findings,
                          const std::vector<std::string>& files, const std::string& command,
                          const RecordLosses& losses) {
  const std::vector<CheckCount> counts = counted_checks(findings);
  std::string out = head;
  out += "<h1>Data check</h1>\n<p>";
  for (const std::string& file : files) out += (&file == &files[0] ? "" : ", ") + escape(file);
  out += ": " + format_grouped(int64_t(corpus.records())) + " records, " +
         format_grouped(int64_t(findings.size())) + " findings.</p>\n<p class=\"soft\"><code>" +
         escape(command) + "</code></p>\n";
  if (counts.empty()) return out + "<p>Nothing was found.</p></body></html>\n";
  out +=
      "<table><tr><th>check</th><th>severity</th><th class=\"n\">findings</th>"
      "<th class=\"n\">records</th><th>what it finds</th></tr>\n";
  for (const CheckCount& one : counts) {
    const char* severity = word_of_severity(one.check->severity);
    out += "<tr><td><a href=\"#" + one.check->name + "\">" + one.check->name +
           "</a></td><td class=\"" + severity + "\">" + severity + "</td><td class=\"n\">" +
           format_grouped(one.findings) + "</td><td class=\"n\">" + format_grouped(one.records) +
           "</td><td>" + escape(one.check->summary) + "</td></tr>\n";
  }
  out += "</table>\n";
  for (const CheckCount& one : counts) {
    out += "<section id=\"" + one.check->name + "\"><h2>" + one.check->name + "</h2>\n<p>" +
           escape(one.check->why) + " " + escape(one.check->advice) + "</p>\n";
    size_t shown = 0;
    for (const Finding& finding : findings)
      if (finding.check == one.check && shown++ < most_shown)
        out += finding_html(corpus, finding, losses);
    if (shown > most_shown)
      out += "<p class=\"soft\">" + format_grouped(int64_t(shown - most_shown)) +
             " more are in findings.jsonl.</p>\n";
    out += "</section>\n";
  }
  return out + "</body></html>\n";
}

}  // namespace afina
