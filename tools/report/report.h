// What people see at the end of a comparison: a page, a Markdown summary and a table for the
// terminal.
#pragma once
#include <string>
#include "tools/results/results.h"

namespace afina {

// One HTML file that opens offline: style, charts and data are inside.
std::string report_html(const Comparison& comparison);
std::string summary_markdown(const Comparison& comparison);
// For the end of a command: a table of at most `width` columns, with a column for each method or,
// where they do not fit, a row; what was predicted and the notes; the finding; one answer before
// and after. `colour` adds ANSI colours: ask stdout_has_colour() (tools/text/colour.h).
std::string terminal_table(const Comparison& comparison, bool colour, int width = 80);

}  // namespace afina
