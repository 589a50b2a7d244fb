// What people see at the end of a comparison: a page, a Markdown summary and a table for the
// terminal.
#pragma once
#include <string>
#include "tools/results/results.h"

namespace afina {

// One HTML file that opens offline: style, charts and data are inside.
std::string report_html(const Comparison& comparison);
std::string summary_markdown(const Comparison& comparison);
// Aligned columns, one a method, for the end of a command. `colour` adds ANSI colours: ask
// stdout_has_colour() (tools/text/colour.h).
std::string terminal_table(const Comparison& comparison, bool colour);
// What was found in plain words, and one prompt with its answers before and after, within 80
// columns; empty where there is one method without answers.
std::string terminal_finding(const Comparison& comparison, bool colour);

}  // namespace afina
