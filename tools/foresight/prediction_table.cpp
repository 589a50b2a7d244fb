// Columns of predictions: the figures of tools/results/figures.h, the key ones or all.
#include "tools/foresight/prediction_table.h"

#include <algorithm>
#include <sstream>

#include "tools/text/names.h"
#include "tools/text/table.h"
#include "tools/text/units.h"

namespace afina {

namespace {

bool is_time(const Shown& figure) {
  return figure.unit == Unit::seconds || figure.unit == Unit::per_second;
}

std::string text(const Prediction& prediction, const CostFigure& figure) {
  const Shown& shown = figure.shown;
  if (is_time(shown) && !prediction.timed) return "?";
  const bool in_part = shown.unit == Unit::flops && prediction.steps_seen < prediction.steps;
  return (!shown.exact || in_part ? "about " : "") + format_of(shown.unit)(figure.value);
}

}  // namespace

std::string prediction_table(const std::vector<Predicted>& all, bool whole, int width) {
  std::vector<std::string> head{"Predicted"}, labels;
  std::vector<std::vector<CostFigure>> columns;
  bool timed = false;
  for (const Predicted& one : all) {
    labels.push_back(one.label);
    columns.push_back(cost_figures(one.prediction));
    timed = timed || one.prediction.timed;
  }
  const std::vector<std::string> shorts = short_names(labels);
  head.insert(head.end(), shorts.begin(), shorts.end());
  Table table("l");
  table.add(head);
  for (size_t i = 0; !columns.empty() && i < columns[0].size(); i++) {
    const Shown& shown = columns[0][i].shown;
    const bool any = std::any_of(columns.begin(), columns.end(),
                                 [&](auto& column) { return column[i].value != 0; });
    if (!any || shown.measured_only || (!whole && !shown.key()) || (is_time(shown) && !timed))
      continue;
    std::vector<std::string> cells{full_name(shown)};
    for (size_t column = 0; column < all.size(); column++)
      cells.push_back(text(all[column].prediction, columns[column][i]));
    table.add(cells);
  }
  std::ostringstream out;
  table.print(out, size_t(width));
  out << names_explained(shorts, labels);
  return out.str();
}

}  // namespace afina
