// What is printed at the end of a comparison: the figures, the finding, and one answer.
#include <algorithm>
#include <cmath>
#include <sstream>

#include "tools/report/facts.h"
#include "tools/report/finding.h"
#include "tools/report/judged.h"
#include "tools/report/report.h"
#include "tools/report/samples.h"
#include "tools/report/summary_rows.h"
#include "tools/report/tradeoff.h"
#include "tools/text/names.h"
#include "tools/text/table.h"

namespace afina {
namespace {

constexpr size_t most_columns = 3;  // methods that are columns; of more each is a row
constexpr size_t most_lines = 5;    // of an answer; two where there are many

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

size_t widest_line(const std::string& text) {
  size_t widest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) widest = std::max(widest, display_width(line));
  return widest;
}

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
      const double times = ratio(row, method, facts.reference);
      const bool compared = method != facts.reference && std::isfinite(times);
      cells.push_back({row.text(method)});
      cells.push_back(
          {ratio_text(row, method, facts.reference), compared ? ratio_style(row, times) : ""});
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

// A row for each figure and columns for each method, with its ratio to the reference.
std::string figures_as_rows(const Facts& facts, bool colour) {
  Grid grid;
  std::vector<Cell> header = {{plain(facts.comparison.title), bold}};
  for (const std::string& name : facts.shorts) {
    header.push_back({plain(name), cyan});
    header.push_back({});
  }
  grid.rows.push_back(std::move(header));
  add_costs(facts, grid);
  add_losses(facts, grid);
  return grid.text(colour);
}

// "5.977±0.077": three decimals tell rows apart, and four columns of them fit.
std::string compact(const Estimate& one, bool with_sign) {
  if (!one.known()) return "–";
  if (!std::isfinite(one.mean)) return "diverged";
  char text[48];
  std::snprintf(text, sizeof text, "%.3f", std::fabs(one.mean));
  std::string out = text;
  if (one.mean == 0. && with_sign) out = "0";  // nothing at all
  else if (out != "0.000") out = (one.mean < 0 ? "−" : with_sign ? "+" : "") + out;
  if (!one.has_interval()) return out;
  std::snprintf(text, sizeof text, "%.3f", one.half);
  return out + "±" + text;
}

// A row for each method: a table of losses, and one of costs: of the reference the figures, of the
// others the ratios to them.
std::string methods_as_rows(const Facts& facts, int width) {
  const bool several = facts.summaries.size() > 1;
  Table losses("l"), costs("l");
  std::vector<std::string> head = {"Losses", "rate", "held-out", "learned"};
  if (facts.has_retain) head.push_back("forgotten");
  if (several) head.push_back("difference");
  losses.add(head);
  std::vector<SummaryRow> rows;
  for (SummaryRow& row : summary_rows(facts))
    if (row.narrow != "held-out" && row.narrow != "learned" && row.narrow != "retention" &&
        row.narrow != "forgotten" && row.narrow != "rate" && row.narrow != "accuracy" &&
        row.narrow != "passes")
      rows.push_back(std::move(row));
  head = {"Costs"};
  for (const SummaryRow& row : rows) head.push_back(row.narrow);
  costs.add(head);
  for (size_t m = 0; m < facts.summaries.size(); m++) {
    const MethodSummary& summary = facts.summaries[m];
    std::vector<std::string> cells = {
        facts.shorts[m], format_learning_rate(facts.comparison.methods[m].learning_rate),
        compact(summary.heldout, false),
        compact({summary.gain.mean, 0, std::min(summary.gain.count, 1)}, true)};
    if (facts.has_retain) cells.push_back(compact(summary.forgetting, true));
    if (const PairedDifference* pair = facts.against_reference(m))
      cells.push_back(compact(pair->overall, true));
    losses.add(cells);
    cells = {facts.shorts[m]};
    for (const SummaryRow& row : rows)
      cells.push_back(m == facts.reference || row.ratios[m].empty() ? row.values[m]
                                                                    : row.ratios[m]);
    costs.add(cells);
  }
  std::ostringstream text;
  losses.print(text, size_t(width));
  text << "\n";
  costs.print(text, size_t(width));
  return text.str();
}

// Wrapped, indented by two; no control character of a label or note reaches the terminal.
std::string paragraph(const std::string& words, const char* style, bool colour, int width) {
  // A number and its percent sign stay together.
  std::string glued = plain(words);
  for (size_t at; (at = glued.find(" %")) != glued.npos;) glued.replace(at, 2, "\1%");
  std::istringstream stream(glued);
  std::string text, line;
  auto end_line = [&] {
    std::replace(line.begin(), line.end(), '\1', ' ');
    text += colour && *style ? "  " + (style + line) + "\033[0m\n" : "  " + line + "\n";
  };
  for (std::string word; stream >> word;) {
    if (!line.empty() && display_width(line) + 1 + display_width(word) > size_t(width - 2)) {
      end_line();
      line = "  ";
    }
    line += (line.empty() || line == "  " ? "" : " ") + word;
  }
  if (!line.empty()) end_line();
  return text;
}

// What was predicted: in short where it came out exactly.
std::string predicted_words(const Facts& facts) {
  std::vector<std::string> exact, others;
  for (size_t method = 0; method < facts.summaries.size(); method++)
    for (const PredictedFigure& f : predicted_figures(facts, method)) {
      auto all_exact = [&] {
        for (size_t m = 0; m < facts.summaries.size(); m++)
          for (const PredictedFigure& other : predicted_figures(facts, m))
            if (other.figure.word == f.figure.word && other.difference() != "exact") return false;
        return true;
      };
      if (all_exact()) {
        if (std::find(exact.begin(), exact.end(), f.figure.word) == exact.end())
          exact.push_back(f.figure.word);
      } else {
        others.push_back(facts.shorts[method] + " " + f.figure.word + " " + f.text(f.predicted) +
                         ", measured " + f.text(f.measured) + " (" + f.difference() + ")");
      }
    }
  std::string text;
  if (!exact.empty()) text = "As predicted (first run of each method): " + listed(exact) + ".";
  if (others.size() > 4) return text + " The report has the other predictions.";
  for (size_t i = 0; i < others.size(); i++)
    text += (i == 0 ? (text.empty() ? "Predicted: " : " Predicted: ") : "; ") + others[i];
  return others.empty() ? text : text + ".";
}

// A name and a text of any lines beside it, the first of them.
std::string beside(const std::string& name, size_t indent, const std::string& words, int width,
                   size_t most) {
  std::string text, line;
  size_t lines = 0;
  bool cut = false;
  const size_t room = size_t(std::max(20, width - int(indent) - 4));
  auto end_line = [&] {
    if (lines == most) cut = true;
    else {
      const std::string front = lines == 0 ? name : "";
      text += "  " + front + std::string(indent - std::min(indent, display_width(front)), ' ') +
              line + "\n";
      lines++;
    }
    line.clear();
  };
  std::istringstream rows(words.empty() ? "(nothing)" : words);
  for (std::string row; std::getline(rows, row);) {
    std::istringstream stream(plain(row));
    for (std::string word; stream >> word;) {
      if (!line.empty() && display_width(line) + 1 + display_width(word) > room) end_line();
      line += (line.empty() ? "" : " ") + word;
    }
    if (!line.empty()) end_line();
  }
  if (cut) text.insert(text.size() - 1, " …");
  return text;
}

std::string one_answer(const Facts& facts, bool colour, int width) {
  const std::vector<Answers> all = answers_of(facts.comparison);
  if (all.empty()) return "";
  const Answers& first = all[0];
  size_t indent = 8;
  for (size_t method : first.methods)
    indent = std::max(indent, display_width(facts.shorts[method]) + 2);
  std::string text =
      paragraph("A held-out prompt, answered before and after:", bold, colour, width);
  const size_t most = first.after.size() > most_columns + 1 ? 2 : most_lines;
  text += beside("prompt", indent, first.prompt, width, most_lines);
  text += beside("before", indent, first.before, width, most);
  for (size_t i = 0; i < first.after.size(); i++)
    text += beside(plain(facts.shorts[first.methods[i]]), indent, first.after[i], width, most);
  return text;
}

}  // namespace

// Shares of right answers; below the losses, as they are another kind of figure.
static std::string judged_text(const Facts& facts, int width) {
  const TextRows rows = judged_table(facts);
  if (rows.empty()) return "";
  Table table("l" + std::string(rows[0].size() - 1, 'r'));
  std::vector<std::string> heads = {"Answers that pass", "rows", "before"};
  heads.insert(heads.end(), facts.shorts.begin(), facts.shorts.end());
  for (size_t m = 0; m < facts.shorts.size() && facts.shorts.size() > 1; m++)
    if (m != facts.reference)
      heads.push_back(facts.shorts[m] + " − " + facts.shorts[facts.reference]);
  for (std::string& head : heads) head = plain(head);
  table.add(heads);
  for (size_t line = 1; line < rows.size(); line++) {
    std::vector<std::string> cells = rows[line];
    cells[0] = plain(cells[0]);
    table.add(cells);
  }
  std::ostringstream text;
  table.print(text, size_t(width - 2));
  std::istringstream lines(text.str());
  std::string all;
  for (std::string line; std::getline(lines, line);)
    all += line.empty() ? "\n" : "  " + line + "\n";
  return "\n" + all;
}

// The words that the finding is made of, for whoever reads one for the first time.
static std::string explained(bool retention) {
  return std::string("Loss says how surprised the model is by each next token: 0 is certainty, ") +
         "lower is better. Learned: by how much the loss on answers that training never saw fell." +
         (retention ? " Forgotten: by how much the loss on general text rose." : "");
}

std::string terminal_table(const Comparison& comparison, bool colour, int width) {
  const Facts facts(comparison);
  std::string text;
  const bool columns = facts.summaries.size() <= most_columns &&
                       widest_line(figures_as_rows(facts, false)) <= size_t(width);
  if (columns) text = figures_as_rows(facts, colour);
  else {
    text = plain(comparison.title) + "\n\n";
    std::istringstream lines(methods_as_rows(facts, width - 2));
    for (std::string line; std::getline(lines, line);)
      text += line.empty() ? "\n" : "  " + line + "\n";
  }
  text += judged_text(facts, width);
  if (!columns && facts.summaries.size() > 1) {
    const std::string& reference = facts.shorts[facts.reference];
    text += "\n" + paragraph("difference: of the held-out loss from " + reference +
                                 "; ×: ratio to " + reference,
                             dim, colour, width);
  }
  std::vector<std::string> labels;
  for (const MethodResult& method : comparison.methods) labels.push_back(method.label);
  std::istringstream names(names_explained(facts.shorts, labels));
  for (std::string line; std::getline(names, line);) text += paragraph(line, dim, colour, width);
  text += "\n";
  for (size_t method = 0; method < facts.summaries.size(); method++)
    if (facts.summaries[method].diverged)
      text += paragraph(learning_sentence(facts, method), yellow, colour, width);
  text += paragraph(predicted_words(facts), "", colour, width);
  for (const std::string& note : facts.notes)
    text += paragraph("Note: " + note, yellow, colour, width);
  if (facts.seeds < 2) text += paragraph(interval_sentence(facts), dim, colour, width);
  text += "\n" + paragraph(finding(facts), bold, colour, width) +
          paragraph(equal_learning_sentence(facts), "", colour, width) +
          paragraph(explained(facts.has_retain), dim, colour, width);
  const std::string answer = one_answer(facts, colour, width);
  return text + (answer.empty() ? "" : "\n" + answer);
}

}  // namespace afina
