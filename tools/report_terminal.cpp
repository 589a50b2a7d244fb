// The table at the end of a comparison in a terminal.
#include <unistd.h>
#include <cmath>
#include <cstdlib>
#include "tools/format.h"
#include "tools/report.h"
#include "tools/report_facts.h"

namespace afina {
namespace {

struct Cell {
  std::string text;
  const char* style = "";  // an ANSI sequence
};

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
      for (size_t column = 0; column < row.size(); column++) widths[column] = std::max(widths[column], display_width(row[column].text));
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
  bool more_is_better = row.label == "tokens per second";
  if (more_is_better ? times > 1.25 : times < 0.8) return green;
  return (more_is_better ? times < 0.8 : times > 1.25) ? yellow : "";
}

void add_costs(const Facts& facts, Grid& grid) {
  for (const CostRow& row : facts.costs) {
    if (!row.key) continue;
    std::vector<Cell> cells = {{row.label == "tokens per second" ? "Tokens per second" : row.group + ", " + row.label}};
    for (size_t method = 0; method < row.values.size(); method++) {
      double times = ratio(row, method, facts.reference);
      bool compared = method != facts.reference && std::isfinite(times);
      cells.push_back({row.format(row.values[method])});
      cells.push_back({compared ? format_ratio(times) : "", compared ? ratio_style(row, times) : ""});
    }
    grid.rows.push_back(std::move(cells));
  }
}

template <class Text>
void add_row(const Facts& facts, Grid& grid, const char* name, Text text) {
  std::vector<Cell> cells = {{name}};
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    cells.push_back({text(method)});
    cells.push_back({});
  }
  grid.rows.push_back(std::move(cells));
}

void add_losses(const Facts& facts, Grid& grid) {
  auto& all = facts.summaries;
  add_row(facts, grid, "Learning rate", [&](size_t m) { return format_learning_rate(facts.comparison.methods[m].learning_rate); });
  add_row(facts, grid, "Held-out loss", [&](size_t m) { return format_estimate(all[m].heldout); });
  add_row(facts, grid, "Learnt", [&](size_t m) { return format_estimate(all[m].gain); });
  if (facts.has_retain) add_row(facts, grid, "Forgotten", [&](size_t m) { return format_estimate(all[m].forgetting, format_difference); });
  if (facts.has_accuracy) add_row(facts, grid, "Answers right", [&](size_t m) { return format_estimate(all[m].accuracy, format_percent); });
}

}  // namespace

std::string terminal_table(const Comparison& comparison, bool colour) {
  Facts facts(comparison);
  Grid grid;
  std::vector<Cell> header = {{comparison.title, bold}};
  for (const MethodResult& method : comparison.methods) {
    header.push_back({method.label, cyan});
    header.push_back({});
  }
  grid.rows.push_back(std::move(header));
  add_costs(facts, grid);
  add_losses(facts, grid);
  std::string text = grid.text(colour);
  auto say = [&](const char* style, const std::string& words) {
    text += colour ? style + ("  " + words) + "\033[0m\n" : "  " + words + "\n";
  };
  text += "\n";
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    if (method == facts.reference) continue;
    say("", cost_sentence(facts, method));
    say("", learning_sentence(facts, method));
  }
  for (const std::string& note : comparison.notes) say(yellow, "Note: " + note);
  if (facts.seeds < 2) say(dim, interval_sentence(facts));
  return text;
}

bool stdout_has_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
}

}  // namespace afina
