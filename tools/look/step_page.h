// Steps that were seen, as one page that opens offline, and as text.
#pragma once
#include <iosfwd>

#include "tools/look/seen.h"

namespace afina {

// What the steps have in common, for the page's head.
struct StepConditions {
  std::string model, data;
  std::vector<std::pair<std::string, std::string>> facts;  // "batch" and "8 x 1 rows of 256 tokens"
};

// One HTML page with everything in it, the steps side by side.
std::string step_page(const std::vector<SeenStep>& steps, const StepConditions& conditions);
// What the page shows: JSON of one line, in which "<" is escaped.
std::string step_data(const std::vector<SeenStep>& steps, const StepConditions& conditions);
// Tables for a terminal. Of each row of equal layers the first is listed and the others are summed
// up, unless `all`.
void print_steps(std::ostream& out, const std::vector<SeenStep>& steps,
                 const StepConditions& conditions, bool all);

}  // namespace afina
