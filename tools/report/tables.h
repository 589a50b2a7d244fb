// A comparison as one table with a row for each method, for other programs: CSV for spreadsheets
// and scripts, LaTeX for papers. Results of other programs are rows as well, marked as such.
#pragma once
#include <string>
#include <vector>

#include "tools/report/facts.h"

namespace afina {

// One line for the names of the columns, one for each method. Numbers are as exact as they are
// stored, in plain units (seconds, bytes, nats); what is not known is empty. Fields are quoted
// where RFC 4180 asks for it.
std::string csv_table(const Facts& facts);

// A table environment that needs the package booktabs: losses with the halves of their 95 %
// intervals, the difference to the reference with both ends of its interval, and costs. Text is
// escaped. Its first line is a comment that says that afina made it.
std::string latex_table(const Facts& facts);
// Text for LaTeX, in which nothing is a command; control characters become blanks.
std::string latex_escaped(const std::string& text);

// Results of other programs as rows of text, the heads first; and the comparisons that a merged one
// was made of. Empty where there are none.
using TextRows = std::vector<std::vector<std::string>>;
TextRows foreign_rows(const Comparison& comparison);
TextRows source_rows(const Comparison& comparison);
// What must be known before they are read.
extern const char* const foreign_words;
extern const char* const source_words;
// Both for a terminal of 80 columns, and as sections of report.html.
std::string foreign_terminal(const Comparison& comparison);
std::string foreign_html(const Comparison& comparison);

}  // namespace afina
