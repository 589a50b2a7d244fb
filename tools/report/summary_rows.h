// The figures of the first look, for page and terminal: losses first, then what was forgotten, then
// the costs, each with its ratio to the reference.
#pragma once
#include "tools/report/facts.h"

namespace afina {

struct SummaryRow {
  std::string name;    // "Held-out loss"
  std::string narrow;  // where there is little room: "held-out"
  std::string before;  // of the untouched model, where it has the figure: "8.0045"
  // One a method; "–" where it is not known.
  std::vector<std::string> values;  // "0.7032", "3.2 MiB"
  std::vector<std::string> halves;  // "0.0123": half of the interval; empty: none
  std::vector<std::string> ratios;  // "0.40×"; of a loss the difference; empty for the reference
  std::vector<std::string> intervals;  // of the ratio, "[0.38, 0.42]"; empty: none
  std::vector<bool> best;  // the best of all, where there is more than one and the difference is
                           // clear
};
std::vector<SummaryRow> summary_rows(const Facts& facts);

}  // namespace afina
