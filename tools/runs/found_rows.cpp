// Measures training rows for their findings.
#include "tools/runs/found_rows.h"

#include <cmath>
#include <limits>

#include "data/tokenizer/utf8.h"
#include "engine/error.h"
#include "tools/runs/evaluate.h"

namespace afina {

namespace {

constexpr size_t most_bytes = 600;  // of an answer that is shown

// The beginning of a record's target tokens as text.
std::string answer_of(const Workbench& bench, const std::string& place) {
  for (const Sample& row : bench.train.rows) {
    if (bench.train_places[size_t(row.example)] != place) continue;
    std::vector<int32_t> targets;
    for (size_t t = 0; t < row.tokens.size(); ++t)
      if (row.trained[t]) targets.push_back(row.tokens[t]);
    std::string text = valid_utf8(bench.tokenizer.decode(targets, true));
    if (text.size() <= most_bytes) return text;
    size_t end = most_bytes;
    while (end > 0 && (uint8_t(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end) + "…";
  }
  return "";
}

}  // namespace

void open_found(Workbench& bench, const std::string& path) {
  if (path.empty()) return;
  bench.found = std::make_shared<FoundBench>();
  bench.found->path = path;
  bench.found->rows = read_found(path);
  std::vector<FoundRow> rows;  // refused now, and not when the run is done
  for (const Sample& row : bench.train.rows)
    rows.push_back({bench.train_places[size_t(row.example)], "", 0, 0, {}});
  if (row_findings(path, bench.found->rows, std::move(rows)).found == 0)
    bench.notes.push_back(path + " has no findings about the rows that are trained on");
}

std::vector<double> record_losses(Model& model, const Workbench& bench) {
  const Evaluation e = evaluate(model, bench.train, bench.run.batch, bench.data.length);
  std::vector<double> sums(bench.train_places.size(), 0), tokens(sums.size(), 0);
  for (size_t i = 0; i < e.losses.size(); ++i) {
    const size_t record = size_t(bench.train.rows[i].example);
    if (e.tokens[i] == 0) continue;
    sums[record] += e.losses[i] * double(e.tokens[i]);
    tokens[record] += double(e.tokens[i]);
  }
  for (size_t i = 0; i < sums.size(); ++i)
    sums[i] = tokens[i] > 0 ? sums[i] / tokens[i] : std::numeric_limits<double>::quiet_NaN();
  return sums;
}

RowFindings found_losses(Model& model, const Workbench& bench) {
  const FoundBench& found = *bench.found;
  const std::vector<double> after = record_losses(model, bench);
  std::vector<FoundRow> rows;
  for (size_t i = 0; i < after.size(); ++i)
    rows.push_back({bench.train_places[i], "", found.before.at(i), after[i], {}});
  RowFindings all = row_findings(found.path, found.rows, std::move(rows));
  for (FoundRow& row : all.worst) row.answer = answer_of(bench, row.place);
  return all;
}

std::string found_note(const Workbench& bench, const RunResult& run) {
  if (!bench.found) return "";
  if (!run.row_findings)
    return "the run was finished without --findings: its folder says nothing of them";
  const RowFindings& shown = *run.row_findings;
  if (shown.path != bench.found->path)
    return "the run was finished with the findings of " + shown.path +
           ", and those are shown, not those of " + bench.found->path;
  return "";
}

}  // namespace afina
