// Columns of text for a terminal.
#pragma once
#include <ostream>
#include <string>
#include <vector>

#include "tools/text/format.h"

namespace afina {

// Columns are as wide as their widest cell, two blanks apart. `align` has a letter a column: l or
// r; what lies beyond it is r.
class Table {
 public:
  explicit Table(std::string align) : align_(std::move(align)) {}
  void add(std::vector<std::string> row) {
    for (std::string& cell : row) cell = harmless(cell);
    rows_.push_back(std::move(row));
  }
  void print(std::ostream& out) const {
    std::vector<size_t> widths;
    for (auto& row : rows_)
      for (size_t i = 0; i < row.size(); ++i) {
        if (i == widths.size()) widths.push_back(0);
        widths[i] = std::max(widths[i], display_width(row[i]));
      }
    for (auto& row : rows_) {
      std::string line;
      for (size_t i = 0; i < row.size(); ++i) {
        std::string gap(widths[i] - display_width(row[i]), ' ');
        line +=
            (i ? "  " : "") + (i < align_.size() && align_[i] == 'l' ? row[i] + gap : gap + row[i]);
      }
      out << line.substr(0, line.find_last_not_of(' ') + 1) << "\n";
    }
  }

 private:
  std::string align_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace afina
