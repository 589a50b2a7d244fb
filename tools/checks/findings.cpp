// Findings as JSON and on a terminal.
#include "tools/checks/findings.h"

#include <algorithm>
#include <map>
#include <set>

#include "data/tokenizer/utf8.h"
#include "tools/text/format.h"
#include "tools/text/table.h"

namespace afina {

namespace {

constexpr uint32_t around = 60;  // bytes shown on either side of a piece

const char* role_name(TurnRole role) {
  switch (role) {
    case TurnRole::system: return "system";
    case TurnRole::question: return "question";
    case TurnRole::answer: return "answer";
    case TurnRole::text: return "text";
    case TurnRole::other: return "other";
  }
  return "";
}

// The nearest byte at or before `at` where a character begins.
uint32_t whole(std::string_view text, uint32_t at) {
  while (at > 0 && at < text.size() && (uint8_t(text[at]) & 0xC0) == 0x80) --at;
  return std::min(at, uint32_t(text.size()));
}

std::string one_line(const std::string& text, size_t most) {
  std::string line = squeezed(text);
  if (line.size() <= most) return line;
  return line.substr(0, whole(line, uint32_t(most))) + "…";
}

}  // namespace

ShownPiece shown_piece(const Corpus& corpus, const PiecePlace& place) {
  ShownPiece shown;
  shown.place = corpus.place(place.record);
  uint32_t index = place.turn;
  if (index == no_turn) {
    // The whole record: its last answer, or its text.
    const auto turns = corpus.turns(place.record);
    if (turns.empty()) return shown;
    index = corpus.record(place.record).first_turn + uint32_t(turns.size()) - 1;
    for (const Turn& turn : turns)
      shown.before += (shown.before.empty() ? "" : "\n") + std::string(corpus.text(turn));
    shown.text.swap(shown.before);
    shown.before.clear();
    return shown;
  }
  const std::string_view text = corpus.text(index);
  shown.role = role_name(corpus.turns()[index].role);
  uint32_t begin = place.begin, end = place.end;
  if (begin >= end) {
    begin = 0;
    end = uint32_t(text.size());
  }
  const uint32_t left = whole(text, begin > around ? begin - around : 0),
                 right = whole(text, std::min(end + around, uint32_t(text.size())));
  shown.before = (left > 0 ? "…" : "") + std::string(text.substr(left, begin - left));
  shown.text = std::string(text.substr(begin, end - begin));
  shown.after = std::string(text.substr(end, right - end)) + (right < text.size() ? "…" : "");
  return shown;
}

Json finding_json(const Corpus& corpus, const Finding& finding, const RecordLosses& losses) {
  Json json = Json::object();
  json["check"] = finding.check->name;
  json["group"] = finding.check->group;
  json["severity"] = word_of_severity(finding.check->severity);
  json["score"] = double(int64_t(finding.score * 1000 + 0.5)) / 1000;
  json["found"] = valid_utf8(finding.found);
  if (!finding.expected.empty()) json["expected"] = valid_utf8(finding.expected);
  auto put = [&](Json& to, const PiecePlace& place) {
    const ShownPiece shown = shown_piece(corpus, place);
    to["file"] = corpus.file(place.record);
    to["row"] = corpus.record(place.record).number;
    to["place"] = shown.place;
    if (place.turn != no_turn) {
      to["turn"] = place.turn - corpus.record(place.record).first_turn + 1;
      to["role"] = shown.role;
    }
    to["text"] = shown.text.size() > 2000
                     ? std::string(shown.text, 0, whole(shown.text, 2000)) + "…"
                     : shown.text;
    if (!shown.before.empty()) to["before"] = shown.before;
    if (!shown.after.empty()) to["after"] = shown.after;
  };
  put(json, finding.places[0]);
  if (auto found = losses.find(finding.places[0].record); found != losses.end()) {
    const RecordMeasures& one = found->second;
    for (auto [key, value] :
         {std::pair("loss", one.loss), std::pair("loss_without_question", one.without_question),
          std::pair("loss_elsewhere", one.elsewhere), std::pair("loss_warmed", one.warmed),
          std::pair("loss_trained", one.trained)})
      if (value >= 0) json[key] = double(int64_t(value * 10000 + 0.5)) / 10000;
  }
  Json against = Json::array();
  for (size_t i = 1; i < finding.places.size(); ++i) {
    Json one = Json::object();
    put(one, finding.places[i]);
    against.push_back(std::move(one));
  }
  if (against.size()) json["against"] = std::move(against);
  json["why"] = finding.check->why;
  json["advice"] = finding.check->advice;
  return json;
}

std::vector<CheckCount> counted_checks(const std::vector<Finding>& findings) {
  std::vector<CheckCount> counts;
  std::map<const Check*, std::set<uint32_t>> records;
  for (const Finding& finding : findings) {
    auto found = std::find_if(counts.begin(), counts.end(),
                              [&](const CheckCount& one) { return one.check == finding.check; });
    if (found == counts.end()) found = counts.insert(counts.end(), {finding.check});
    ++found->findings;
    records[finding.check].insert(finding.places[0].record);
  }
  for (CheckCount& one : counts) one.records = int64_t(records[one.check].size());
  std::stable_sort(counts.begin(), counts.end(), [](const CheckCount& a, const CheckCount& b) {
    if (a.check->severity != b.check->severity) return a.check->severity > b.check->severity;
    return a.records > b.records;
  });
  return counts;
}

void print_findings(std::ostream& out, const Corpus& corpus, const std::vector<Finding>& findings,
                    int64_t worst, size_t width) {
  const std::vector<CheckCount> counts = counted_checks(findings);
  std::set<uint32_t> records;
  for (const Finding& finding : findings) records.insert(finding.places[0].record);
  Table table("llrrw");
  table.add({"check", "severity", "findings", "records", "what it finds"});
  for (const CheckCount& one : counts)
    table.add({one.check->name, word_of_severity(one.check->severity), format_grouped(one.findings),
               format_grouped(one.records), one.check->summary});
  if (!counts.empty()) table.print(out, width);
  for (const CheckCount& one : counts) {
    if (worst == 0) break;
    out << "\n" << one.check->name << "\n";
    int64_t shown = 0;
    for (const Finding& finding : findings) {
      if (finding.check != one.check) continue;
      if (++shown > worst) break;
      const ShownPiece first = shown_piece(corpus, finding.places[0]);
      std::string line = "  " + first.place + ": " + one_line(finding.found, 120);
      if (!finding.expected.empty()) line += "; most others: " + one_line(finding.expected, 120);
      out << harmless(line) << "\n";
      for (size_t i = 0; i < finding.places.size() && i < 3; ++i) {
        const ShownPiece piece = shown_piece(corpus, finding.places[i]);
        if (i == 0 && squeezed(piece.before + piece.text + piece.after).empty()) continue;
        out << harmless("    " + (i ? piece.place + ": " : std::string()) + "\"" +
                        one_line(piece.before + piece.text + piece.after, 150) + "\"")
            << "\n";
      }
    }
  }
  out << (counts.empty() ? "" : "\n") << format_grouped(int64_t(findings.size())) << " findings in "
      << format_grouped(int64_t(records.size())) << " of "
      << format_grouped(int64_t(corpus.records())) << " records\n";
}

}  // namespace afina
