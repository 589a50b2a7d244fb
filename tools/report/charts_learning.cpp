// Curves over training: held-out, training and retention loss, a line a method.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/report/charts.h"
#include "tools/report/plot.h"

namespace afina::chart {

namespace {

using namespace svg;

constexpr double width = 440, height = 340, text_size = 12;
constexpr size_t most_points = 160;  // more than a line of this width shows

struct Line {
  size_t method;
  std::vector<Point> mean, low, high, faint;  // over seeds; faint: as measured, before smoothing
};
struct Curves {
  std::string title, x_title, y_title;
  std::vector<Line> lines;
};

// One value of each run at every point that all of them have: means and extremes.
template <class List, class X, class Y>
Line over_seeds(const MethodResult& method, size_t which, List list, X x, Y y) {
  Line line{which, {}, {}, {}, {}};
  size_t length = std::numeric_limits<size_t>::max(), runs = 0;
  for (const RunResult& run : method.runs)
    if (!list(run).empty()) {
      length = std::min(length, list(run).size());
      runs++;
    }
  for (size_t i = 0; runs && i < length; i++) {
    double at = 0, sum = 0, low = HUGE_VAL, high = -HUGE_VAL;
    for (const RunResult& run : method.runs) {
      if (list(run).empty()) continue;
      const double value = y(list(run)[i]);
      at += x(list(run)[i]) / double(runs);
      sum += value / double(runs);
      low = std::min(low, value);
      high = std::max(high, value);
    }
    if (!std::isfinite(sum) || !std::isfinite(at)) continue;
    line.mean.push_back({at, sum});
    line.low.push_back({at, low});
    line.high.push_back({at, high});
  }
  return line;
}

// A centred moving average over a twentieth of the points: training loss jumps from batch to batch.
std::vector<Point> smoothed(const std::vector<Point>& points) {
  const size_t half = points.size() / 40;
  std::vector<Point> out;
  for (size_t i = 0; i < points.size(); i++) {
    const size_t begin = i - std::min(i, half), end = std::min(points.size(), i + half + 1);
    double sum = 0;
    for (size_t j = begin; j < end; j++) sum += points[j].y;
    out.push_back({points[i].x, sum / double(end - begin)});
  }
  return out;
}
std::vector<Point> thinned(const std::vector<Point>& points) {
  const size_t stride = (points.size() + most_points - 1) / most_points;
  if (stride < 2) return points;
  std::vector<Point> out;
  for (size_t i = 0; i < points.size(); i++)
    if (i % stride == 0 || i + 1 == points.size()) out.push_back(points[i]);
  return out;
}

struct Range {
  double low = HUGE_VAL, high = -HUGE_VAL;
  void take(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool known() const { return low <= high; }
};

void draw_lines(Drawing& drawing, const Panel& panel, const Curves& curves) {
  for (const Line& line : curves.lines) {
    const std::string colour = colour_name(line.method);
    if (!line.faint.empty()) draw_line(drawing, panel, line.faint, {colour, 0.8, 0.35});
    std::vector<std::vector<Point>> low = clipped(panel, line.low),
                                    high = clipped(panel, line.high);
    if (low.size() == 1 && high.size() == 1) {
      low[0].insert(low[0].end(), high[0].rbegin(), high[0].rend());
      drawing.area(low[0], colour, 0.15);
    }
    draw_line(drawing, panel, line.mean,
              {colour, 2, 1, line.method >= method_colours ? "5 3" : ""});
    if (line.mean.size() <= 25)
      for (const Point& value : line.mean) {
        const Point at = panel.place(value);
        const Box& box = panel.box;
        if (at.x >= box.left - 0.5 && at.x <= box.right + 0.5 && at.y >= box.top - 0.5 &&
            at.y <= box.bottom + 0.5)
          drawing.marker(line.method, at, 2.6, 1, "");
      }
  }
}

// The name and last value of each line beside its end.
void label_ends(Drawing& drawing, const Facts& facts, const Panel& panel, const Curves& curves,
                double room) {
  std::vector<double> wanted;
  for (const Line& line : curves.lines)
    wanted.push_back(std::clamp(panel.y(line.mean.back().y), panel.box.top, panel.box.bottom));
  const std::vector<double> places =
      spread(wanted, text_size + 3, panel.box.top + 2, panel.box.bottom);
  for (size_t i = 0; i < curves.lines.size(); i++) {
    const Line& line = curves.lines[i];
    char value[32];
    std::snprintf(value, sizeof value, "%.3f", line.mean.back().y);
    const double x = panel.box.right, value_room = text_width(value, 11);
    drawing.line({x + 2, wanted[i]}, {x + 11, places[i]}, {colour_name(line.method), 1, 0.7});
    drawing.text(x + 14, places[i] + 4,
                 fitted(facts.shorts[line.method], 11, room - 22 - value_room),
                 {Anchor::start, "ink", 11});
    drawing.text(x + room - 2, places[i] + 4, value, {Anchor::end, "soft", 11});
  }
}

double label_room(const Facts& facts, const Curves& curves) {
  double widest = 0;
  for (const Line& line : curves.lines)
    widest = std::max(widest, text_width(facts.shorts[line.method], 11));
  return std::min(widest, 118.) + text_width("0.000", 11) + 26;
}

// Are the ends too close to be told apart on this axis?
bool crowded(const Panel& panel, const Curves& curves) {
  if (curves.lines.size() < 2) return false;
  std::vector<double> ends;
  for (const Line& line : curves.lines) ends.push_back(panel.y(line.mean.back().y));
  std::sort(ends.begin(), ends.end());
  for (size_t i = 1; i < ends.size(); i++)
    if (ends[i] - ends[i - 1] < 5) return true;
  return false;
}

// The last part of training on an axis of its own: the last two fifths, and no less than two
// evaluations.
Panel close_up(const Box& box, const Curves& curves, const Range& xs) {
  Range x, y;
  double begin = xs.high - 0.4 * (xs.high - xs.low);
  for (const Line& line : curves.lines)
    if (line.mean.size() >= 2) begin = std::min(begin, line.mean[line.mean.size() - 2].x);
  x.take(begin);
  x.take(xs.high);
  for (const Line& line : curves.lines) {
    y.take(line.mean.back().y);
    y.take(line.low.empty() ? line.mean.back().y : line.low.back().y);
    y.take(line.high.empty() ? line.mean.back().y : line.high.back().y);
    if (line.mean.size() >= 2) y.take(line.mean[line.mean.size() - 2].y);
  }
  // No more than four times what lies between the ends, or they would be one line again.
  Range ends;
  for (const Line& line : curves.lines) ends.take(line.mean.back().y);
  const double most = 3 * std::max(ends.high - ends.low, 1e-6);
  y.high = std::min(y.high, ends.high + most);
  y.low = std::max(y.low, ends.low - most);
  return {box, Scale(x.low, x.high, false, box.left, box.right),
          Scale(y.low, y.high, false, box.bottom, box.top)};
}

std::string description(const Facts& facts, const Curves& curves) {
  std::string text;
  for (const Line& line : curves.lines)
    text += facts.label(line.method) + ": from " + format_loss(line.mean.front().y) + " to " +
            format_loss(line.mean.back().y) + ". ";
  return text;
}

std::string draw(const Facts& facts, Curves curves, Medium medium) {
  std::erase_if(curves.lines, [](const Line& line) { return line.mean.size() < 2; });
  if (curves.lines.empty()) return "";
  Range x, y;
  for (const Line& line : curves.lines)
    for (const auto* points : {&line.mean, &line.low, &line.high})
      for (const Point& point : *points) {
        x.take(point.x);
        y.take(point.y);
      }
  const bool logarithmic = spans(y.low, y.high);
  Drawing drawing(width, height, medium, curves.title, description(facts, curves));
  const double room = label_room(facts, curves), top = 28, bottom = height - 40, begin = 44;
  const std::string y_title = curves.y_title + (logarithmic ? ", logarithmic" : "");
  auto panel_in = [&](const Box& box) {
    return Panel{box, Scale(x.low, x.high, false, box.left, box.right),
                 Scale(y.low, y.high, logarithmic, box.bottom, box.top)};
  };
  const Panel whole = panel_in({begin, top, width - room, bottom});
  if (!crowded(whole, curves)) {
    draw_axes(drawing, whole, curves.x_title, y_title);
    draw_lines(drawing, whole, curves);
    label_ends(drawing, facts, whole, curves, room);
    return drawing.done();
  }
  const double both = width - room - begin, gap = 52;
  const Panel first = panel_in({begin, top, begin + (both - gap) * 0.52, bottom});
  const Panel second =
      close_up({begin + (both - gap) * 0.52 + gap, top, width - room, bottom}, curves, x);
  draw_axes(drawing, first, curves.x_title, y_title, 3);
  draw_lines(drawing, first, curves);
  draw_axes(drawing, second, "the end, enlarged", "", 2);
  draw_lines(drawing, second, curves);
  label_ends(drawing, facts, second, curves, room);
  return drawing.done();
}

template <class X, class Y>
std::string evaluations(const Facts& facts, Medium medium, Curves curves, X x, Y y) {
  for (size_t method = 0; method < facts.summaries.size(); method++)
    curves.lines.push_back(over_seeds(
        facts.comparison.methods[method], method,
        [](const RunResult& run) -> const std::vector<EvaluationPoint>& { return run.evaluations; },
        x, y));
  for (Line& line : curves.lines)
    if (facts.comparison.methods[line.method].runs.size() < 2) line.low = line.high = {};
  return draw(facts, std::move(curves), medium);
}

double step_of(const EvaluationPoint& point) { return double(point.step); }
double seconds_of(const EvaluationPoint& point) { return point.seconds; }
double heldout_of(const EvaluationPoint& point) { return point.heldout; }
double retain_of(const EvaluationPoint& point) { return point.retain.value_or(NAN); }
double change_of(const EvaluationPoint& point) { return point.change.value_or(NAN); }
double rank_of(const EvaluationPoint& point) {
  return point.effective_rank && *point.effective_rank > 0 ? *point.effective_rank : NAN;
}

}  // namespace

std::string loss(const Facts& facts, Medium medium) {
  return evaluations(facts, medium, {"Held-out loss by step", "step", "held-out loss", {}}, step_of,
                     heldout_of);
}
std::string loss_by_time(const Facts& facts, Medium medium) {
  return evaluations(
      facts, medium,
      {"Held-out loss by time of training", "seconds of training", "held-out loss", {}}, seconds_of,
      heldout_of);
}
std::string retention(const Facts& facts, Medium medium) {
  return evaluations(facts, medium,
                     {"Loss on the retention text by step", "step", "retention loss", {}}, step_of,
                     retain_of);
}

std::string change(const Facts& facts, Medium medium) {
  return evaluations(facts, medium,
                     {"Change of the weights by step", "step", "norm of change over weights", {}},
                     step_of, change_of);
}
std::string effective_rank(const Facts& facts, Medium medium) {
  return evaluations(facts, medium,
                     {"Effective rank of the change by step", "step", "effective rank", {}},
                     step_of, rank_of);
}

// The mean over layers of each singular value as a share of the layer's largest.
std::string spectrum(const Facts& facts, Medium medium) {
  Curves curves{"Singular values of the change", "number", "share of the largest", {}};
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    Line line{method, {}, {}, {}, {}};
    const std::vector<LayerChange> all = changes_of(facts.comparison.methods[method]);
    double layers = 0;
    std::vector<double> sums;
    for (const LayerChange& one : all) {
      if (one.spectrum.empty()) continue;
      layers++;
      sums.resize(std::max(sums.size(), one.spectrum.size()));
      for (size_t i = 0; i < one.spectrum.size(); i++) sums[i] += one.spectrum[i] / one.spectrum[0];
    }
    for (size_t i = 0; i < sums.size(); i++) line.mean.push_back({double(i + 1), sums[i] / layers});
    curves.lines.push_back(std::move(line));
  }
  return draw(facts, std::move(curves), medium);
}

std::string training_loss(const Facts& facts, Medium medium) {
  Curves curves{"Training loss by step", "step", "training loss", {}};
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    Line line = over_seeds(
        facts.comparison.methods[method], method,
        [](const RunResult& run) -> const std::vector<StepPoint>& { return run.curve; },
        [](const StepPoint& point) { return double(point.step); },
        [](const StepPoint& point) { return point.loss; });
    // Where lines are few, what was measured stands faintly behind its average.
    if (facts.summaries.size() <= 3) line.faint = thinned(line.mean);
    line.mean = thinned(smoothed(line.mean));
    line.low = line.high = {};
    curves.lines.push_back(std::move(line));
  }
  return draw(facts, std::move(curves), medium);
}

}  // namespace afina::chart
