// What 'afina check' found in training rows, beside the losses of those rows before and after
// training.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace afina {

struct RowFound {
  std::string kind, words;  // the check's name; what it found, may be empty
};
// By the place of the record that a finding names first: "train.jsonl, line 12".
using FoundRows = std::map<std::string, std::vector<RowFound>>;
// A findings.jsonl or the folder that holds it, or lines of one's own with the keys `check` and
// `place`, and `found` and `expected` where there are words. An Error for lines that are none.
FoundRows read_found(const std::string& path);

// Losses in nats per target token, the mean over the rows.
struct FoundKind {
  std::string kind;  // empty: the rows without a finding
  int64_t rows = 0;
  double before = 0, after = 0;
};
// One training row; its losses are the means over its target tokens.
struct FoundRow {
  std::string place, answer;  // answer: its target tokens as text, the beginning of them
  double before = 0, after = 0;
  std::vector<RowFound> found;
};
struct RowFindings {
  std::string path;              // of the findings
  int64_t rows = 0, found = 0;   // that were trained on; with a finding
  std::vector<FoundKind> kinds;  // those with most rows first; a row with several counts in each
  FoundKind without;
  std::vector<FoundRow> worst;  // the rows with findings by their loss after training, the highest
                                // first; most_worst at most
};
inline constexpr size_t most_worst = 40;
// rows: all that were trained on, `found` and `answer` still empty; those without a loss (NaN) are
// left out. An Error where there are findings and none is about any of them, as where the check
// was given another path.
RowFindings row_findings(const std::string& path, const FoundRows& found,
                         std::vector<FoundRow> rows);

}  // namespace afina
