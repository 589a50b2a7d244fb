// Columns of text for a terminal.
#pragma once
#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "tools/text/format.h"
#include "tools/text/wrap.h"

namespace afina {

// Columns are as wide as their widest cell, two blanks apart. `align` has a letter a column: l, r,
// or w, a column of text on the left that is wrapped where the columns do not fit into `width`;
// what lies beyond it is r. A line feed in a cell begins a new line of it. Where there are more
// columns than fit all the same, those that do are printed, then the next ones beneath, each time
// behind the first column.
class Table {
 public:
  explicit Table(std::string align) : align_(std::move(align)) {}
  void add(std::vector<std::string> row) {
    std::vector<std::vector<std::string>> lines;  // of each cell
    size_t most = 0;
    for (const std::string& cell : row) {
      lines.push_back(lines_of(cell));
      for (std::string& line : lines.back()) line = harmless(line);
      most = std::max(most, lines.back().size());
    }
    add_lines(rows_, lines, most);
  }
  void print(std::ostream& out, size_t width = 0) const {
    const Rows rows = width ? wrapped_rows(width) : rows_;
    const std::vector<size_t> widths = widths_of(rows);
    for (size_t begin = 1, end = 0; begin == 1 || begin < widths.size(); begin = end) {
      size_t taken = widths.empty() ? 0 : widths[0];
      for (end = begin; end < widths.size(); ++end) {
        if (width && end > begin && taken + 2 + widths[end] > width) break;
        taken += 2 + widths[end];
      }
      if (begin > 1) out << "\n";
      print_columns(out, rows, widths, begin, end);
      end = std::max(end, begin + 1);
    }
  }

 private:
  using Rows = std::vector<std::vector<std::string>>;
  static constexpr size_t narrowest = 16;  // that a column is wrapped to

  static std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines(1);
    for (char letter : text) {
      if (letter == '\n') lines.emplace_back();
      else lines.back() += letter;
    }
    return lines;
  }
  // One row for each line of its cells; a cell of fewer lines has empty ones.
  static void add_lines(Rows& rows, const std::vector<std::vector<std::string>>& cells,
                        size_t most) {
    for (size_t line = 0; line < most; ++line) {
      std::vector<std::string> row;
      for (const auto& lines : cells) row.push_back(line < lines.size() ? lines[line] : "");
      rows.push_back(std::move(row));
    }
  }
  static std::vector<size_t> widths_of(const Rows& rows) {
    std::vector<size_t> widths;
    for (auto& row : rows)
      for (size_t i = 0; i < row.size(); ++i) {
        if (i == widths.size()) widths.push_back(0);
        widths[i] = std::max(widths[i], display_width(row[i]));
      }
    return widths;
  }
  bool wraps(size_t column) const { return column < align_.size() && align_[column] == 'w'; }

  // With the columns of text as narrow as the others ask: the widest gives first.
  Rows wrapped_rows(size_t width) const {
    std::vector<size_t> widths = widths_of(rows_);
    auto taken = [&] {
      size_t sum = widths.empty() ? 0 : 2 * (widths.size() - 1);
      for (size_t one : widths) sum += one;
      return sum;
    };
    while (taken() > width) {
      size_t widest = widths.size();
      for (size_t i = 0; i < widths.size(); ++i)
        if (wraps(i) && widths[i] > narrowest &&
            (widest == widths.size() || widths[i] > widths[widest]))
          widest = i;
      if (widest == widths.size()) break;
      --widths[widest];
    }
    Rows rows;
    for (auto& row : rows_) {
      std::vector<std::vector<std::string>> cells;
      size_t most = 0;
      for (size_t i = 0; i < row.size(); ++i) {
        cells.push_back(wraps(i) ? lines_of(filled(row[i], widths[i]))
                                 : std::vector<std::string>{row[i]});
        most = std::max(most, cells.back().size());
      }
      add_lines(rows, cells, most);
    }
    return rows;
  }

  // The first column, and those from begin to end.
  void print_columns(std::ostream& out, const Rows& rows, const std::vector<size_t>& widths,
                     size_t begin, size_t end) const {
    for (auto& row : rows) {
      std::string line;
      for (size_t i = 0; i < std::min(row.size(), end); i = i ? i + 1 : begin) {
        std::string gap(widths[i] - display_width(row[i]), ' ');
        line +=
            (i ? "  " : "") + (i < align_.size() && align_[i] != 'r' ? row[i] + gap : gap + row[i]);
      }
      out << line.substr(0, line.find_last_not_of(' ') + 1) << "\n";
    }
  }

  std::string align_;
  Rows rows_;
};

}  // namespace afina
