// Findings of 'afina check' beside the losses of their rows: a section of report.html, a page of
// its own, and a table for the terminal.
#pragma once
#include <string>

#include "tools/results/results.h"

namespace afina {

// For a terminal of `width` columns (0: unlimited); empty where there are no findings.
std::string row_findings_table(const RowFindings& findings, int width);
// The page of one run, complete in itself; `label` is what its method is called.
std::string row_findings_page(const RunResult& run, const std::string& label,
                              const std::string& command, const std::string& created);

namespace page {
// Of the first run of each method that has findings; empty where none has.
std::string row_findings(const Comparison& comparison);
}  // namespace page

}  // namespace afina
