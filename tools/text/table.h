// Columns of text for a terminal.
#pragma once
#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "tools/text/format.h"

namespace afina {

// Columns are as wide as their widest cell, two blanks apart. `align` has a letter a column: l or
// r; what lies beyond it is r. Where there are more columns than fit into `width`, those that do
// are printed, then the next ones beneath, each time behind the first column.
class Table {
 public:
  explicit Table(std::string align) : align_(std::move(align)) {}
  void add(std::vector<std::string> row) {
    for (std::string& cell : row) cell = harmless(cell);
    rows_.push_back(std::move(row));
  }
  void print(std::ostream& out, size_t width = 0) const {
    std::vector<size_t> widths;
    for (auto& row : rows_)
      for (size_t i = 0; i < row.size(); ++i) {
        if (i == widths.size()) widths.push_back(0);
        widths[i] = std::max(widths[i], display_width(row[i]));
      }
    for (size_t begin = 1, end = 0; begin == 1 || begin < widths.size(); begin = end) {
      size_t taken = widths.empty() ? 0 : widths[0];
      for (end = begin; end < widths.size(); ++end) {
        if (width && end > begin && taken + 2 + widths[end] > width) break;
        taken += 2 + widths[end];
      }
      if (begin > 1) out << "\n";
      print_columns(out, widths, begin, end);
      end = std::max(end, begin + 1);
    }
  }

 private:
  // The first column, and those from begin to end.
  void print_columns(std::ostream& out, const std::vector<size_t>& widths, size_t begin,
                     size_t end) const {
    for (auto& row : rows_) {
      std::string line;
      for (size_t i = 0; i < std::min(row.size(), end); i = i ? i + 1 : begin) {
        std::string gap(widths[i] - display_width(row[i]), ' ');
        line +=
            (i ? "  " : "") + (i < align_.size() && align_[i] == 'l' ? row[i] + gap : gap + row[i]);
      }
      out << line.substr(0, line.find_last_not_of(' ') + 1) << "\n";
    }
  }

  std::string align_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace afina
