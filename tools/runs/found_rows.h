// Findings of 'afina check' beside the losses of the rows that are trained on.
#pragma once
#include "tools/runs/workbench.h"

namespace afina {

// What --findings takes, for --help.
inline constexpr const char* findings_help =
    "what 'afina check' found in --data: its --out, or a findings.jsonl; the losses of such rows "
    "before and after training are shown in report.html";
// What --findings names, and what the untouched model says of each record that is trained on.
struct FoundBench {
  std::string path;
  FoundRows rows;
  std::vector<double> before;  // by record, as Sample::example counts in `train`; NaN: no row
};
// Reads the findings into the bench; does nothing for an empty path. An Error where none is about a
// record that is trained on.
void open_found(Workbench& bench, const std::string& path);
// Of each record that is trained on, the mean loss over its target tokens; NaN where it has none.
std::vector<double> record_losses(Model& model, const Workbench& bench);
// Both losses of the rows; the bench has findings.
RowFindings found_losses(Model& model, const Workbench& bench);
// What a reader of the run's findings must know, as a sentence without a full stop: that it was
// finished without --findings or with others. Empty: nothing, or the bench has no findings.
std::string found_note(const Workbench& bench, const RunResult& run);

}  // namespace afina
