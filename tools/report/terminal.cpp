// The table at the end of a comparison in a terminal.
#include <cmath>
#include <sstream>
#include "tools/report/facts.h"
#include "tools/report/report.h"

namespace afina {
namespace {

struct Cell {
  std::string text;
  const char* style = "";  // an ANSI sequence
};

std::string plain(std::string text) {
  for (char& letter : text)
    if (static_cast<unsigned char>(letter) < 32 || letter == 127) letter = ' ';
  return text;
}

const char* const bold = "\033[1m";
const char* const dim = "\033[2m";
const char* const green = "\033[32m";
const char* const yellow = "\033[33m";
const char* const cyan = "\033[36m";

// Rows of cells, the first column to the left and the others to the right.
struct Grid {
  std::vector<std::vector<Cell>> rows;

  std::string text(bool colour) const {
    std::vector<size_t> widths;
    for (const auto& row : rows) {
      widths.resize(std::max(widths.size(), row.size()));
      for (size_t column = 0; column < row.size(); column++)
        widths[column] = std::max(widths[column], display_width(row[column].text));
    }
    std::string text;
    for (const auto& row : rows) {
      std::string line;
      for (size_t column = 0; column < row.size(); column++) {
        const Cell& cell = row[column];
        std::string gap(widths[column] - display_width(cell.text), ' ');
        std::string shown = colour && *cell.style ? cell.style + cell.text + "\033[0m" : cell.text;
        line += column == 0 ? "  " + shown + gap : "  " + gap + shown;
      }
      text += line.erase(line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
  }
};

// A ratio below 0.8 saves, above 1.25 costs; between them neither deserves a colour.
const char* ratio_style(const CostRow& row, double times) {
  bool more_is_better = row.figure.unit == Unit::per_second;
  if (more_is_better ? times > 1.25 : times < 0.8) return green;
  return (more_is_better ? times < 0.8 : times > 1.25) ? yellow : "";
}

void add_costs(const Facts& facts, Grid& grid) {
  for (const CostRow& row : facts.costs) {
    const bool step_times = row.figure.measured_only && row.figure.unit == Unit::seconds;
    if (!row.figure.key() && !step_times) continue;
    std::vector<Cell> cells = {{full_name(row.figure)}};
    for (size_t method = 0; method < row.values.size(); method++) {
      double times = ratio(row, method, facts.reference);
      bool compared = method != facts.reference && std::isfinite(times);
      cells.push_back({row.text(method)});
      cells.push_back(
          {compared ? format_ratio(times) : "", compared ? ratio_style(row, times) : ""});
    }
    grid.rows.push_back(std::move(cells));
  }
}

template <class Text>
void add_row(const Facts& facts, Grid& grid, const std::string& name, Text text) {
  std::vector<Cell> cells = {{name}};
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    cells.push_back({text(method)});
    cells.push_back({});
  }
  grid.rows.push_back(std::move(cells));
}

void add_losses(const Facts& facts, Grid& grid) {
  add_row(facts, grid, "Learning rate", [&](size_t m) {
    return format_learning_rate(facts.comparison.methods[m].learning_rate);
  });
  for (const LossFigure& figure : facts.losses)
    add_row(facts, grid, capital(figure.name), [&](size_t m) { return facts.text(figure, m); });
  auto against = [&](size_t m, Estimate PairedDifference::*which) -> std::string {
    const PairedDifference* pair = facts.against_reference(m);
    return pair ? format_estimate(pair->*which, format_difference) : "";
  };
  bool known = false;
  for (const PairedDifference& pair : facts.paired) known |= pair.overall.known();
  if (known)
    add_row(facts, grid, "Difference",
            [&](size_t m) { return against(m, &PairedDifference::overall); });
}

// Wrapped at 100 columns, indented by two; no control character of a label or note reaches the
// terminal.
std::string paragraph(const std::string& words, const char* style, bool colour) {
  std::istringstream stream(plain(words));
  std::string text, line;
  auto end_line = [&] {
    text += colour && *style ? "  " + (style + line) + "\033[0m\n" : "  " + line + "\n";
  };
  for (std::string word; stream >> word;) {
    if (!line.empty() && display_width(line) + 1 + display_width(word) > 98) {
      end_line();
      line = "  ";
    }
    line += (line.empty() || line == "  " ? "" : " ") + word;
  }
  if (!line.empty()) end_line();
  return text;
}

}  // namespace

std::string terminal_table(const Comparison& comparison, bool colour) {
  Facts facts(comparison);
  Grid grid;
  std::vector<Cell> header = {{plain(comparison.title), bold}};
  for (const MethodResult& method : comparison.methods) {
    header.push_back({plain(method.label), cyan});
    header.push_back({});
  }
  grid.rows.push_back(std::move(header));
  add_costs(facts, grid);
  add_losses(facts, grid);
  std::string text = grid.text(colour);
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    if (method != facts.reference) text += paragraph(cost_sentence(facts, method), "", colour);
    if (facts.summaries[method].diverged)
      text += paragraph(learning_sentence(facts, method), yellow, colour);
  }
  for (const MethodResult& method : comparison.methods)
    if (!method.runs.empty())
      text += paragraph(predicted_sentence(method.label, method.runs[0]), "", colour);
  for (const std::string& note : facts.notes) text += paragraph("Note: " + note, yellow, colour);
  if (facts.seeds < 2) text += paragraph(interval_sentence(facts), dim, colour);
  return text;
}

}  // namespace afina
