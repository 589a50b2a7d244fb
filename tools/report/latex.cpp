// The comparison as a table for a paper.
#include <cmath>
#include <cstdio>

#include "tools/report/tables.h"

namespace afina {

std::string latex_escaped(const std::string& text) {
  std::string safe;
  for (char letter : text) switch (letter) {
      case '\\': safe += "\\textbackslash{}"; break;
      case '~': safe += "\\textasciitilde{}"; break;
      case '^': safe += "\\textasciicircum{}"; break;
      case '<': safe += "\\textless{}"; break;
      case '>': safe += "\\textgreater{}"; break;
      case '"': safe += "\\textquotedbl{}"; break;
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}': (safe += '\\') += letter; break;
      default: safe += static_cast<unsigned char>(letter) < 32 || letter == 127 ? ' ' : letter;
    }
  return safe;
}

namespace {

std::string number(const char* form, double value) {
  char text[64];
  std::snprintf(text, sizeof text, form, value);
  return text;
}

// +0.0640; 0 of nothing at all, and no sign where rounding leaves none.
std::string change(double value) {
  if (value == 0.) return "0";
  const std::string text = number("%+.4f", value);
  return text.substr(1) == "0.0000" ? text.substr(1) : text;
}

// Figures as text of a report: "1.23 MiB", "2 min 20 s", "0.41×".
std::string words(std::string text) {
  std::string out;
  for (size_t at = 0; at < text.size(); at++) {
    if (text.compare(at, 2, "\u00d7") == 0) {
      out += "$\\times$";
      at += 1;
    } else if (text.compare(at, 2, "\u00b1") == 0) {
      out += "$\\pm$";
      at += 1;
    } else if (text.compare(at, 3, "\u2212") == 0) {
      out += "$-$";
      at += 2;
    } else if (text.compare(at, 3, "\u2013") == 0) {
      out += "--";
      at += 2;
    } else {
      out += text[at] == ' ' ? "~" : latex_escaped(std::string(1, text[at]));
    }
  }
  return out;
}

// $0.7032 \pm 0.0210$
std::string loss(const Estimate& estimate, bool changed = false) {
  if (!estimate.known()) return "--";
  if (!std::isfinite(estimate.mean)) return "diverged";
  std::string text = "$" + (changed ? change(estimate.mean) : number("%.4f", estimate.mean));
  if (estimate.has_interval()) text += " \\pm " + number("%.4f", estimate.half);
  return text + "$";
}

// $+0.0640$ {\small$[0.0418, 0.0862]$}
std::string difference(const PairedDifference* pair) {
  if (!pair) return "reference";
  const Estimate& d = pair->overall;
  if (!d.known()) return "--";
  if (!std::isfinite(d.mean)) return "diverged";
  std::string text = "$" + change(d.mean) + "$";
  if (d.has_interval()) text += " {\\small$[" + change(d.low()) + ", " + change(d.high()) + "]$}";
  return text;
}

// 3e-4 as $3 \cdot 10^{-4}$.
std::string rate(double value) {
  if (!(value > 0) || !std::isfinite(value)) return "--";
  const std::string text = format_learning_rate(value);
  const size_t e = text.find('e');
  if (e == text.npos) return "$" + text + "$";
  const std::string digits = text.substr(0, e), power = std::to_string(std::atoi(&text[e + 1]));
  return digits == "1" ? "$10^{" + power + "}$" : "$" + digits + " \\cdot 10^{" + power + "}$";
}

struct Columns {
  std::vector<std::string> heads;
  std::vector<std::vector<std::string>> rows;
  void add(const std::string& head, std::vector<std::string> cells) {
    heads.push_back(head);
    rows.resize(std::max(rows.size(), cells.size()));
    for (size_t i = 0; i < cells.size(); i++) rows[i].push_back(std::move(cells[i]));
  }
};

std::string row_of(const std::vector<std::string>& cells) {
  std::string line = "  ";
  for (size_t i = 0; i < cells.size(); i++) line += (i ? " & " : "") + cells[i];
  return line + " \\\\\n";
}

template <class Cell>
std::vector<std::string> cells(const Facts& facts, Cell cell) {
  std::vector<std::string> all;
  for (size_t method = 0; method < facts.summaries.size(); method++) all.push_back(cell(method));
  return all;
}

Columns columns_of(const Facts& facts) {
  Columns columns;
  columns.add("Method", cells(facts, [&](size_t m) { return latex_escaped(facts.label(m)); }));
  columns.add("Rate", cells(facts, [&](size_t m) {
                return rate(facts.comparison.methods[m].learning_rate);
              }));
  columns.add("Held-out loss",
              cells(facts, [&](size_t m) { return loss(facts.summaries[m].heldout); }));
  if (facts.summaries.size() > 1)
    columns.add("Difference",
                cells(facts, [&](size_t m) { return difference(facts.against_reference(m)); }));
  if (facts.has_retain)
    columns.add("Forgotten",
                cells(facts, [&](size_t m) { return loss(facts.summaries[m].forgetting, true); }));
  for (const CostRow& row : facts.costs)
    if (row.figure.key() && row.figure.unit != Unit::per_second)
      columns.add(capital(row.figure.word),
                  cells(facts, [&](size_t m) { return words(row.text(m)); }));
  return columns;
}

// Under the same heads.
std::vector<std::string> row_of(const ForeignResult& r, const std::vector<std::string>& heads) {
  auto count = [](const std::optional<int64_t>& value, Format format) {
    return value ? words(format(double(*value))) : std::string("--");
  };
  const std::vector<std::pair<std::string, std::string>> known = {
      {"Method", latex_escaped(r.name)},
      {"Rate", r.learning_rate ? rate(*r.learning_rate) : "--"},
      {"Forgotten", r.forgetting ? "$" + change(*r.forgetting) + "$" : "--"},
      {"Trained parameters", count(r.trained_parameters, format_count)},
      {"Memory", count(r.memory_peak, format_bytes)},
      {"Training time", r.training_seconds ? words(format_seconds(*r.training_seconds)) : "--"},
      {"Storage", count(r.storage_bytes, format_bytes)}};
  std::vector<std::string> cells(heads.size(), "--");
  for (auto& [head, cell] : known)
    for (size_t i = 0; i < heads.size(); i++)
      if (heads[i] == head) cells[i] = cell;
  return cells;
}

std::string caption(const Facts& facts) {
  const Comparison& c = facts.comparison;
  std::string text = latex_escaped(c.title) + ". Losses in nats per target token. " +
                     words(interval_sentence(facts));
  for (size_t at = 0; (at = text.find('~', at)) != text.npos;) text[at] = ' ';
  if (!c.foreign.empty())
    text +=
        " Rows below the line are results of other programs, of another model, other data and "
        "another machine.";
  return text;
}

}  // namespace

std::string latex_table(const Facts& facts) {
  const Columns columns = columns_of(facts);
  std::string text =
      "% made by afina report; needs \\usepackage{booktabs}\n\\begin{table}\n  \\centering\n  "
      "\\small\n  \\caption{" +
      caption(facts) + "}\n  \\label{tab:comparison}\n  \\begin{tabular}{l" +
      std::string(columns.heads.size() - 1, 'r') + "}\n  \\toprule\n" + row_of(columns.heads) +
      "  \\midrule\n";
  for (const auto& row : columns.rows) text += row_of(row);
  if (!facts.comparison.foreign.empty()) text += "  \\midrule\n";
  for (const ForeignResult& one : facts.comparison.foreign)
    text += row_of(row_of(one, columns.heads));
  return text + "  \\bottomrule\n  \\end{tabular}\n\\end{table}\n";
}

}  // namespace afina
