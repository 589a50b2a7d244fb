// Reads findings, and groups the losses of rows by them.
#include "tools/results/row_findings.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "engine/error.h"
#include "engine/files/atomic_file.h"
#include "engine/files/json.h"

namespace afina {

namespace {

constexpr std::string_view no_finding = "none";  // in tables: the rows without one

}  // namespace

FoundRows read_found(const std::string& path) {
  const std::string file = std::filesystem::is_directory(path) ? path + "/findings.jsonl" : path;
  const std::string text = read_text_file(file);
  FoundRows rows;
  int64_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    const std::string where = file + ", line " + std::to_string(number);
    JsonLimits limits;
    limits.first_line = number;
    const Json json = parse_json(line, file, limits);
    const auto kind = get<std::string>(json, "check", where),
               place = get<std::string>(json, "place", where);
    require(kind != no_finding, where, ": the check is named '", kind,
            "', as rows without a finding are in the table; give it another name");
    std::string words = get_or<std::string>(json, "found", where, "");
    if (const auto expected = get_or<std::string>(json, "expected", where, ""); !expected.empty())
      words += "; most others: " + expected;
    rows[place].push_back({kind, words});
  }
  return rows;
}

RowFindings row_findings(const std::string& path, const FoundRows& found,
                         std::vector<FoundRow> rows) {
  RowFindings all;
  all.path = path;
  std::erase_if(rows, [](const FoundRow& row) {
    return !std::isfinite(row.before) || !std::isfinite(row.after);
  });
  auto add = [](FoundKind& kind, const FoundRow& row) {
    ++kind.rows;
    kind.before += row.before;
    kind.after += row.after;
  };
  std::map<std::string, FoundKind> kinds;
  for (FoundRow& row : rows) {
    ++all.rows;
    const auto at = found.find(row.place);
    if (at == found.end()) {
      add(all.without, row);
      continue;
    }
    ++all.found;
    row.found = at->second;
    std::set<std::string> told;
    for (const RowFound& one : row.found)
      if (told.insert(one.kind).second) add(kinds[one.kind], row);
  }
  require(all.found > 0 || found.empty() || rows.empty(), path,
          ": no finding is about a row that is trained on; one is about ",
          found.empty() ? "" : found.begin()->first, ", and the first row is ",
          rows.empty() ? "" : rows[0].place, ". Check the file by the path that --data has here");
  auto mean = [](FoundKind& kind) {
    if (kind.rows == 0) return;
    kind.before /= double(kind.rows);
    kind.after /= double(kind.rows);
  };
  mean(all.without);
  for (auto& [name, kind] : kinds) {
    mean(kind);
    kind.kind = name;
    all.kinds.push_back(kind);
  }
  std::stable_sort(all.kinds.begin(), all.kinds.end(),
                   [](const FoundKind& a, const FoundKind& b) { return a.rows > b.rows; });
  std::erase_if(rows, [](const FoundRow& row) { return row.found.empty(); });
  std::stable_sort(rows.begin(), rows.end(),
                   [](const FoundRow& a, const FoundRow& b) { return a.after > b.after; });
  if (rows.size() > most_worst) rows.resize(most_worst);
  all.worst = std::move(rows);
  return all;
}

}  // namespace afina
