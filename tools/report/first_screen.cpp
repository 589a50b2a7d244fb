// The first screen of report.html: the finding in a sentence, the figures with their ratios,
// learned against forgotten, and one prompt with its answers.
#include <cmath>

#include "tools/report/finding.h"
#include "tools/report/page.h"
#include "tools/report/samples.h"
#include "tools/report/summary_rows.h"
#include "tools/report/tradeoff.h"

namespace afina::page {
namespace {

constexpr size_t most_columns = 2;  // methods that are columns; of more each is a row

std::string plus_minus(const std::string& half) { return half.empty() ? "" : "± " + half; }
std::string ratio_name(const Facts& facts) { return "against " + facts.label(facts.reference); }

std::string figure_name(const SummaryRow& row) {
  return escape(row.name) +
         (row.before.empty() ? "" : "<small>before: " + escape(row.before) + "</small>");
}

// A row for each figure: a column for each method, and after it one of ratios to the reference.
std::string figures_as_rows(const Facts& facts, const std::vector<SummaryRow>& rows) {
  std::vector<std::string> heads;
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    heads.push_back(facts.label(method));
    if (method != facts.reference) heads.push_back(ratio_name(facts));
  }
  Table table("", heads, "figures");
  for (size_t method = 0, column = 0; method < facts.summaries.size(); method++) {
    table.head_html(column++, method_name(facts, method));
    if (method != facts.reference) column++;
  }
  for (const SummaryRow& row : rows) {
    std::vector<Table::Cell> cells;
    for (size_t method = 0; method < facts.summaries.size(); method++) {
      cells.push_back(
          {row.values[method], plus_minus(row.halves[method]), row.best[method] ? "best" : ""});
      if (method != facts.reference)
        cells.push_back({row.ratios[method], row.intervals[method], "ratio"});
    }
    table.row(figure_name(row), cells);
  }
  return table.html();
}

// A row for each method: a column for each figure, with its ratio beneath.
std::string methods_as_rows(const Facts& facts, const std::vector<SummaryRow>& rows,
                            const char* kind) {
  std::vector<std::string> heads;
  for (const SummaryRow& row : rows)
    if (&row != &rows.back()) heads.push_back(row.name);
  Table table("", heads, kind);
  for (size_t column = 0; column < heads.size(); column++)
    table.head_html(column, figure_name(rows[column]));
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    std::vector<Table::Cell> cells;
    for (const SummaryRow& row : rows) {
      if (&row == &rows.back()) continue;  // the learning rate, which stands by the name
      // What differs in a loss stands in the column beside it, as a share of what was learned.
      const bool loss = !row.before.empty();
      std::string small = loss ? "" : row.ratios[method];
      if (!loss && !row.intervals[method].empty()) small += "\n" + row.intervals[method];
      std::string half = plus_minus(row.halves[method]);
      if (!half.empty()) small = half + (small.empty() ? "" : "\n" + small);
      cells.push_back({row.values[method], small, row.best[method] ? "best" : ""});
    }
    const SummaryRow& rate = rows.back();
    table.row(method_name(facts, method) + "<small>rate " + escape(rate.values[method]) +
                  (rate.ratios[method].empty() ? "" : ", " + escape(rate.ratios[method])) +
                  "</small>",
              cells);
  }
  return table.html();
}

std::string notes_line(const Facts& facts) {
  if (facts.notes.empty()) return "";
  std::string all;
  for (const std::string& note : facts.notes) all += "<li>" + escape(note) + "</li>";
  if (facts.notes.size() == 1)
    return "<p class=\"notes\"><b>Note:</b> " + escape(facts.notes[0]) + "</p>\n";
  return "<details class=\"notes\"><summary><b>" + std::to_string(facts.notes.size()) +
         " notes:</b> " + escape(facts.notes[0]) + " …</summary><ul>" + all + "</ul></details>\n";
}

std::string table_words(const Facts& facts, const std::vector<SummaryRow>& rows) {
  std::string before;
  for (const SummaryRow& row : rows)
    if (!row.before.empty())
      before += (before.empty() ? "Before training: " : ", ") +
                std::string(before.empty() ? "held-out loss " : "retention loss ") + row.before;
  if (!before.empty()) before += ". ";
  std::string text =
      "Losses are in nats per target token, on held-out rows that were not used to choose "
      "anything. ";
  if (facts.summaries.size() > 1)
    text += "× is the ratio to " + facts.label(facts.reference) +
            ", a number with a sign the difference from it; bold is the best, where the "
            "difference is clear. ";
  return "<p class=\"soft\">" + escape(before + text + interval_sentence(facts)) + "</p>\n";
}

std::string tradeoff_words(const Facts& facts) {
  std::string words =
      "Right and low is best. Large: the rate of the table, with its interval; small: "
      "the other rates tried, with a dashed line through the best of each method.";
  const std::string equal = equal_learning_sentence(facts);
  return words + (equal.empty() ? "" : " <b>" + escape(equal) + "</b>");
}

// The chart with its words beneath, or, where `alone`, without them.
std::string tradeoff(const Facts& facts, bool alone) {
  if (!facts.has_retain)
    return "<div class=\"card\"><h3>Learned against forgotten</h3><p>Forgetting was not measured: "
           "no retention text was given. Give general text, unlike the training data, with "
           "<code>--retain</code>.</p></div>\n";
  size_t points = 0;
  for (size_t method = 0; method < facts.summaries.size(); method++)
    points += trade_points(facts, method).size();
  if (points < 2)
    return figure(
        facts, "loss",
        std::string(curves_rows) + " One rate of one method: there is nothing to compare it with.");
  return figure(facts, "learned-forgotten", alone ? "" : tradeoff_words(facts));
}

}  // namespace

std::string first_screen(const Facts& facts) {
  const std::vector<SummaryRow> rows = summary_rows(facts);
  const bool columns = facts.summaries.size() <= most_columns;
  std::string tables =
      columns ? figures_as_rows(facts, rows) + methods_as_rows(facts, rows, "only-narrow")
              : methods_as_rows(facts, rows, "methods");
  return "<section id=\"overview\">\n" + notes_line(facts) + "<div class=\"first" +
         std::string(columns ? " beside" : "") + "\">\n<div>" + tables + table_words(facts, rows) +
         "</div>\n" + (columns ? tradeoff(facts, false) : "") + "</div>\n" +
         (columns ? ""
                  : side_by_side({tradeoff(facts, true), figure(facts, "loss", curves_rows)}) +
                        (facts.has_retain ? "<p class=\"soft\">" + tradeoff_words(facts) + "</p>\n"
                                          : "")) +
         first_sample(facts) + "</section>\n";
}

}  // namespace afina::page
