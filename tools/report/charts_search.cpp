// Points of the search: learned against forgotten at every rate, and the loss by rate.
#include <algorithm>
#include <cmath>

#include "tools/report/charts.h"
#include "tools/report/plot.h"
#include "tools/report/tradeoff.h"

namespace afina::chart {

namespace {

using namespace svg;

constexpr double width = 440;

struct Range {
  double low = HUGE_VAL, high = -HUGE_VAL;
  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

bool drawn(const TradePoint& point) {
  return std::isfinite(point.learned.mean) && std::isfinite(point.forgotten.mean);
}

std::string tip(const Facts& facts, size_t method, const TradePoint& point) {
  return facts.label(method) + ", rate " + format_learning_rate(point.rate) + ": learned " +
         format_estimate(point.learned, format_difference) + ", forgot " +
         format_estimate(point.forgotten, format_difference) +
         (point.chosen ? "" : " (tried, not chosen)");
}

// On a logarithmic axis what is below this stands on it: next to nothing, or less than nothing.
constexpr double least_forgotten = 0.002;

Panel trade_panel(const std::vector<std::vector<TradePoint>>& all, const Box& box) {
  Range x, y;
  for (const auto& points : all)
    for (const TradePoint& point : points)
      if (drawn(point)) {
        const double wide = point.learned.has_interval() ? point.learned.half : 0,
                     high = point.forgotten.has_interval() ? point.forgotten.half : 0;
        for (double sign : {-1., 1.}) {
          x.take(point.learned.mean + sign * wide);
          y.take(point.forgotten.mean + sign * high);
        }
      }
  if (x.low == x.high && x.low > 0) x.low = 0;
  if (y.low == y.high && y.low > 0) y.low = 0;
  // Zero is in sight where it is near: what is far from it would lie in a corner.
  if (x.low > 0 && x.low < 0.4 * x.high) x.low = 0;
  const double least = std::max(y.low, least_forgotten);
  const bool logarithmic = y.high / least > 12;
  if (logarithmic) y.low = least;
  if (!logarithmic && y.low > 0 && y.low < 0.5 * y.high) y.low = 0;
  const double more = 0.06 * (x.high - x.low);
  return {box, Scale(x.low == 0 ? 0 : x.low - more, x.high + more, false, box.left, box.right),
          Scale(y.low, y.high, logarithmic, box.bottom, box.top)};
}

Point place(const Panel& panel, const TradePoint& point) {
  const double y = point.forgotten.mean;
  return panel.place(
      {point.learned.mean, panel.y.logarithmic() ? std::max(y, least_forgotten) : y});
}

// The interval over seeds as a cross, which no label may cover.
void draw_cross(Drawing& drawing, const Panel& panel, Labels& labels, const TradePoint& point,
                const std::string& colour) {
  const Stroke stroke{colour, 1.4, 0.8};
  const double x = point.learned.mean, y = point.forgotten.mean;
  const Point at = place(panel, point);
  if (point.learned.has_interval())
    labels.take(
        {panel.x(point.learned.low()) - 2, at.y - 2, panel.x(point.learned.high()) + 2, at.y + 2});
  // What reaches below zero ends at the foot of a logarithmic axis.
  const double low = panel.y.logarithmic() ? std::max(point.forgotten.low(), panel.y.low())
                                           : point.forgotten.low();
  const bool upright = point.forgotten.has_interval() && point.forgotten.high() > low;
  if (upright)
    labels.take({at.x - 2, panel.y(point.forgotten.high()) - 2, at.x + 2, panel.y(low) + 2});
  if (point.learned.has_interval())
    draw_line(drawing, panel, {{point.learned.low(), y}, {point.learned.high(), y}}, stroke);
  if (upright) draw_line(drawing, panel, {{x, low}, {x, point.forgotten.high()}}, stroke);
}

}  // namespace

std::string learned_forgotten(const Facts& facts, Medium medium) {
  std::vector<std::vector<TradePoint>> all;
  bool any = false;
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    all.push_back(trade_points(facts, method));
    any = any || std::any_of(all.back().begin(), all.back().end(), drawn);
  }
  if (!any) return "";
  std::string described;
  for (size_t method = 0; method < all.size(); method++)
    for (const TradePoint& point : all[method])
      if (drawn(point)) described += tip(facts, method, point) + ". ";
  const double height = 340;
  Drawing drawing(width, height, medium, "Learned against forgotten", described);
  const Panel panel = trade_panel(all, {50, 28, width - 14, height - 42});
  draw_axes(drawing, panel, "learned: held-out loss before − after  →",
            std::string("↑ forgotten: retention loss after − before") +
                (panel.y.logarithmic() ? ", logarithmic" : ""));
  Labels labels({panel.box.left + 2, panel.box.top + 2, width - 2, panel.box.bottom - 2});
  const TextStyle style{Anchor::start, "ink", 12, true};
  for (size_t method = 0; method < all.size(); method++) {
    std::vector<Point> line;
    for (const TradePoint& point : frontier(all[method])) line.push_back(place(panel, point));
    drawing.path(line, {colour_name(method), 1.4, 0.55, "5 4"});
    for (const TradePoint& point : all[method]) {
      if (!drawn(point)) continue;
      const Point at = place(panel, point);
      const double around = point.chosen ? 7 : 4;
      labels.take({at.x - around, at.y - around, at.x + around, at.y + around});
      if (!point.chosen) drawing.marker(method, at, 3.6, 0.45, tip(facts, method, point));
    }
  }
  for (size_t method = 0; method < all.size(); method++)
    for (const TradePoint& point : all[method])
      if (point.chosen && drawn(point))
        draw_cross(drawing, panel, labels, point, colour_name(method));
  for (size_t method = 0; method < all.size(); method++)
    for (const TradePoint& point : all[method]) {
      if (!point.chosen || !drawn(point)) continue;
      const Point at = place(panel, point);
      drawing.marker(method, at, 6.2, 1, tip(facts, method, point));
      const std::string name = fitted(facts.shorts[method], style.size, 150);
      const auto place = labels.find(at, name, style);
      if (!place) continue;
      if (place->leader)
        drawing.line(at, {place->text.x, place->text.y - 4}, {colour_name(method), 0.8, 0.7});
      TextStyle here = style;
      here.anchor = place->anchor;
      drawing.text(place->text.x, place->text.y, name, here);
    }
  return drawing.done();
}

std::string rates(const Facts& facts, Medium medium) {
  struct Tried {
    std::vector<Point> points;
    std::vector<bool> chosen;
  };
  std::vector<Tried> all(facts.summaries.size());
  Range x, y;
  for (size_t method = 0; method < all.size(); method++) {
    std::vector<SearchRow> rows = facts.comparison.methods[method].search;
    std::stable_sort(rows.begin(), rows.end(), [](const SearchRow& a, const SearchRow& b) {
      return a.learning_rate < b.learning_rate;
    });
    for (const SearchRow& row : rows) {
      if (!std::isfinite(row.heldout) || !(row.learning_rate > 0)) continue;
      all[method].points.push_back({row.learning_rate, row.heldout});
      all[method].chosen.push_back(row.chosen);
      x.take(row.learning_rate);
      y.take(row.heldout);
    }
  }
  if (!(x.high > 0)) return "";
  std::string described;
  for (size_t method = 0; method < all.size(); method++)
    for (size_t i = 0; i < all[method].points.size(); i++)
      described += facts.label(method) + ", rate " + format_learning_rate(all[method].points[i].x) +
                   ": " + format_loss(all[method].points[i].y) +
                   (all[method].chosen[i] ? " (chosen). " : ". ");
  const double height = 340;
  Drawing drawing(width, height, medium, "Held-out loss by learning rate", described);
  const bool logarithmic = spans(y.low, y.high);
  const Box box{50, 28, width - 14, height - 42};
  const Panel panel{box, Scale(x.low / 1.3, x.high * 1.3, true, box.left, box.right),
                    Scale(y.low, y.high, logarithmic, box.bottom, box.top)};
  draw_axes(drawing, panel, "learning rate, logarithmic",
            std::string("held-out loss") + (logarithmic ? ", logarithmic" : ""), 6);
  Labels labels({box.left + 2, box.top + 2, width - 2, box.bottom - 2});
  for (size_t method = 0; method < all.size(); method++) {
    draw_line(drawing, panel, all[method].points, {colour_name(method), 1.6});
    for (size_t i = 0; i < all[method].points.size(); i++) {
      const Point at = panel.place(all[method].points[i]);
      const bool chosen = all[method].chosen[i];
      labels.take({at.x - 6, at.y - 6, at.x + 6, at.y + 6});
      drawing.marker(method, at, chosen ? 6.2 : 3.4, chosen ? 1 : 0.6,
                     facts.label(method) + ", rate " +
                         format_learning_rate(all[method].points[i].x) + ": " +
                         format_loss(all[method].points[i].y) + (chosen ? ", chosen" : ""));
    }
  }
  for (size_t method = 0; method < all.size(); method++)
    for (size_t i = 0; i < all[method].points.size(); i++) {
      const bool last = i + 1 == all[method].points.size(),
                 none = std::none_of(all[method].chosen.begin(), all[method].chosen.end(),
                                     [](bool one) { return one; });
      if (!all[method].chosen[i] && !(none && last)) continue;
      const Point at = panel.place(all[method].points[i]);
      TextStyle style{Anchor::start, "ink", 12, true};
      const std::string name = fitted(facts.shorts[method], style.size, 150);
      const auto place = labels.find(at, name, style);
      if (!place) continue;
      style.anchor = place->anchor;
      if (place->leader)
        drawing.line(at, {place->text.x, place->text.y - 4}, {colour_name(method), 0.8, 0.7});
      drawing.text(place->text.x, place->text.y, name, style);
    }
  return drawing.done();
}

}  // namespace afina::chart
