// Other programs' results and the sources of a merged comparison, as tables of a report.
#include "tools/report/page.h"
#include "tools/report/tables.h"

namespace afina {

const char* const foreign_words =
    "Made by another program, of another model, other data and another machine. They stand here to "
    "be read, and nothing is compared with them. Memory is what the accelerator had reserved, "
    "evaluation included; a dash is a figure that the program does not record.";
const char* const source_words =
    "This report was made of several comparisons: the same model, records and options, by their "
    "digests. Times compare only between runs of the same machine.";

namespace {

constexpr const char* dash = "\u2013";

template <class T, class Text>
std::string shown(const std::optional<T>& value, Text text) {
  return value ? text(*value) : dash;
}
std::string shown(const std::string& text) { return text.empty() ? dash : text; }

std::string count(int64_t value) { return format_count(double(value)); }
std::string bytes(int64_t value) { return format_bytes(double(value)); }

std::string html_table(const TextRows& rows) {
  page::Table table(rows[0][0], {rows[0].begin() + 1, rows[0].end()});
  for (size_t row = 1; row < rows.size(); row++) {
    std::vector<page::Table::Cell> cells;
    for (size_t column = 1; column < rows[row].size(); column++)
      cells.push_back({rows[row][column]});
    table.row(page::escape(rows[row][0]), cells);
  }
  return table.html();
}

std::string section(const char* id, const char* title, const char* words, const TextRows& rows) {
  if (rows.empty()) return "";
  return "<section id=\"" + std::string(id) + "\">\n<h2>" + title + "</h2>\n<p class=\"lead\">" +
         page::escape(words) + "</p>\n" + html_table(rows) + "</section>\n";
}

// Each row as a name and a paragraph of "head value", which fits 80 columns: the rows have many
// columns, and there are few of them.
std::string paragraphs(const TextRows& rows) {
  std::string text;
  for (size_t row = 1; row < rows.size(); row++) {
    text += "  " + harmless(rows[row][0]) + "\n";
    std::string line = "   ";
    for (size_t column = 1; column < rows[row].size(); column++) {
      const std::string part = rows[0][column] + " " + harmless(rows[row][column]) +
                               (column + 1 < rows[row].size() ? "," : "");
      if (display_width(line) + 1 + display_width(part) > 79 && line != "   ") {
        text += line + "\n";
        line = "   ";
      }
      line += " " + part;
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace

TextRows foreign_rows(const Comparison& comparison) {
  if (comparison.foreign.empty()) return {};
  TextRows rows = {{"experiment", "program", "model", "method", "rate", "steps", "trained",
                    "memory", "steps' time", "tokens/s", "storage", "accuracy", "forgotten"}};
  for (const ForeignResult& r : comparison.foreign)
    rows.push_back({r.name, r.program, shown(r.model), shown(r.method),
                    shown(r.learning_rate, format_learning_rate), shown(r.steps, format_grouped),
                    shown(r.trained_parameters, count), shown(r.memory_peak, bytes),
                    shown(r.training_seconds, format_seconds),
                    shown(r.tokens_per_second, format_rate), shown(r.storage_bytes, bytes),
                    shown(r.accuracy, format_percent), shown(r.forgetting, format_difference)});
  return rows;
}

TextRows source_rows(const Comparison& comparison) {
  if (comparison.sources.empty()) return {};
  TextRows rows = {
      {"comparison", "processor", "instruction set", "threads", "date", "afina", "runs"}};
  for (const Source& s : comparison.sources)
    rows.push_back({s.path, shown(s.machine.cpu), shown(s.machine.isa),
                    std::to_string(s.machine.threads), shown(s.created), s.version,
                    std::to_string(s.runs.size())});
  return rows;
}

std::string foreign_terminal(const Comparison& comparison) {
  std::string text;
  if (!comparison.sources.empty()) text += "\nMade of\n" + paragraphs(source_rows(comparison));
  if (!comparison.foreign.empty())
    text += "\nResults of other programs, on other data: not compared\n" +
            paragraphs(foreign_rows(comparison));
  return text;
}

std::string foreign_html(const Comparison& comparison) {
  return section("other", "Results of other programs", foreign_words, foreign_rows(comparison)) +
         section("sources", "Where the runs were made", source_words, source_rows(comparison));
}

}  // namespace afina
