// Axes, lines and labels of a chart: scales with round ticks, linear or logarithmic; lines cut at
// the edge of their panel; labels that do not cover each other.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "tools/report/svg.h"

namespace afina::svg {

// From values to places on the drawing.
class Scale {
 public:
  // Covers [low, high], widened to a little more; `from` and `to` are the places of the ends.
  // logarithmic: wanted where it makes sense, that is low > 0.
  Scale(double low, double high, bool logarithmic, double from, double to);
  double operator()(double value) const;
  bool logarithmic() const { return logarithmic_; }
  double low() const { return low_; }
  double high() const { return high_; }
  // Round values inside, at most about `most`, never fewer than two unless low equals high.
  std::vector<double> ticks(int most) const;
  // A tick as text: as many digits as tell it from its neighbours.
  std::string text(double tick, const std::vector<double>& ticks) const;

 private:
  double low_, high_;
  bool logarithmic_;
  double from_, to_;
};

// Do values from low to high need a logarithmic axis to be told apart? From a factor of 3 on.
bool spans(double low, double high);

struct Panel {
  Box box;
  Scale x, y;
  Point place(Point value) const { return {x(value.x), y(value.y)}; }
};
// Grid, ticks and titles of the axes. An empty title takes no room. The y title stands above the
// panel, where it can be read without turning the head.
void draw_axes(Drawing& drawing, const Panel& panel, const std::string& x_title,
               const std::string& y_title, int x_ticks = 5, int y_ticks = 5);
// The parts of a line (in values) that lie inside the panel, as places.
std::vector<std::vector<Point>> clipped(const Panel& panel, const std::vector<Point>& values);
void draw_line(Drawing& drawing, const Panel& panel, const std::vector<Point>& values,
               const Stroke& stroke);

// Heights near the wanted ones, at least `gap` apart and inside [top, bottom] as long as there is
// room; in the order of the wanted ones.
std::vector<double> spread(const std::vector<double>& wanted, double gap, double top,
                           double bottom);

// Puts labels beside points so that none covers another, a taken box, or the edge.
class Labels {
 public:
  explicit Labels(Box inside) : inside_(inside) {}
  void take(const Box& box) { taken_.push_back(box); }
  // The baseline's start for a text beside `at`, the nearest free place; with a line back to the
  // point (`leader`) where it is far. Nothing where there is no room.
  struct Place {
    Point text;
    Anchor anchor;
    bool leader;
  };
  std::optional<Place> find(Point at, const std::string& text, const TextStyle& style);

 private:
  Box inside_;
  std::vector<Box> taken_;
};

}  // namespace afina::svg
