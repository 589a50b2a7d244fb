// The sections of report.html, and the little they share.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tools/report/facts.h"

namespace afina::page {

// A page up to the beginning of its body: complete in itself, and no request can leave it.
std::string opening(std::string_view title);
// The end of a page: the command that made it, notes, version and time, and the file with all
// figures.
std::string closing(const std::string& command, const std::vector<std::string>& notes,
                    const std::string& version, const std::string& created, const char* file);
// The head of a page's body: what it is about, what it says, and figures with their names.
std::string titled(std::string_view kicker, std::string_view sentence,
                   const std::vector<std::pair<std::string, std::string>>& tags);
// Text for HTML, in content and in quoted attributes.
std::string escape(std::string_view text);
// The same of a sentence: a number and its percent sign stay on one line.
std::string prose(std::string_view text);
// "style" attribute that gives an element the colour of a method.
std::string method_colour(size_t method);
// The method's label behind a dot of its colour.
std::string method_name(const Facts& facts, size_t method);
// Which rows the curves of the held-out loss are of.
inline constexpr const char* curves_rows =
    "On the held-out rows for choosing the rate; the losses of the table are of the final rows, "
    "which nothing looks at during training.";
// A short explanation for students, folded.
std::string why(std::string_view question, std::string_view answer);
// A chart (tools/report/charts.h) with its title and a sentence of HTML; empty where there is
// nothing to draw.
std::string figure(const Facts& facts, const char* chart, const std::string& words = "");
// These side by side where there is room; nothing for those that are empty.
std::string side_by_side(const std::vector<std::string>& all);

// A table whose rows become blocks of "name: value" where the screen is too narrow for its
// columns, so that none is ever outside.
class Table {
 public:
  // heads: of the columns after the first, as text. kind: further classes.
  Table(std::string first_head, std::vector<std::string> heads, std::string kind = "");
  // Heads as HTML, where text is too little; the text stays the name in blocks.
  void head_html(size_t column, std::string html) { heads_html_[column] = std::move(html); }
  struct Cell {
    std::string text, small = "";  // as text
    const char* kind = "";         // a class: "best", "words", "mono"
  };
  void row(const std::string& head_html, const std::vector<Cell>& cells, const char* kind = "");
  // A heading over the rows that follow.
  void group(std::string_view name);
  bool empty() const { return rows_.empty(); }
  std::string html() const;

 private:
  std::string first_, kind_;
  std::vector<std::string> heads_, heads_html_;
  std::string rows_;
};

std::string first_screen(const Facts& facts);  // the finding, the figures, the first chart
std::string first_sample(const Facts& facts);  // one prompt, answered before and after
std::string costs(const Facts& facts);         // bars and the table
std::string learning(const Facts& facts);      // losses, curves, forgetting
std::string judged(const Facts& facts);        // answers judged by rules
std::string changes(const Facts& facts);       // of the weights
std::string search(const Facts& facts);        // of the learning rate
std::string samples(const Facts& facts);       // further generations
std::string conditions(const Facts& facts);    // all that is needed to run it again

}  // namespace afina::page
