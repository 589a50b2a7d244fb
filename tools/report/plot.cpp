// Scales, axes and labels.
#include "tools/report/plot.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tools/text/format.h"

namespace afina::svg {

namespace {

constexpr double tick_size = 11;

// 1, 2 or 5 times a power of ten, at least `least`.
double round_step(double least) {
  const double power = std::pow(10., std::floor(std::log10(least)));
  for (double times : {1., 2., 5.})
    if (times * power >= least * (1 - 1e-9)) return times * power;
  return 10 * power;
}

std::vector<double> multiples(double low, double high, double step) {
  std::vector<double> all;
  const double slack = (high - low) * 1e-9;
  for (double n = std::ceil((low - slack) / step); n * step <= high + slack; n++)
    all.push_back(n * step);
  return all;
}

// 1, 2, 5 of each power of ten, or the powers alone.
std::vector<double> decades(double low, double high, const std::vector<double>& times) {
  std::vector<double> all;
  for (double power = std::floor(std::log10(low)); power <= std::ceil(std::log10(high)); power++)
    for (double one : times) {
      const double value = one * std::pow(10., power);
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) all.push_back(value);
    }
  return all;
}

}  // namespace

bool spans(double low, double high) { return low > 0 && high / low >= 3; }

Scale::Scale(double low, double high, bool logarithmic, double from, double to)
    : logarithmic_(logarithmic && low > 0), from_(from), to_(to) {
  if (!(high > low)) {
    const double more = low == 0 ? 1 : std::fabs(low) * 0.05;
    high = low + more;
    low -= more;
  }
  const double share = 0.04;
  if (logarithmic_) {
    const double factor = std::pow(high / low, share);
    low_ = low / factor;
    high_ = high * factor;
  } else {
    low_ = low == 0 ? 0 : low - share * (high - low);
    high_ = high + share * (high - low);
    if (low > 0 && low_ < 0) low_ = 0;
  }
}

double Scale::operator()(double value) const {
  const double share = logarithmic_ ? std::log(value / low_) / std::log(high_ / low_)
                                    : (value - low_) / (high_ - low_);
  return from_ + share * (to_ - from_);
}

std::vector<double> Scale::ticks(int most) const {
  if (logarithmic_) {
    std::vector<double> best;
    for (const std::vector<double>& times :
         {std::vector<double>{1, 1.5, 2, 3, 4, 5, 6, 8}, {1, 2, 3, 5}, {1, 3}, {1}}) {
      std::vector<double> all = decades(low_, high_, times);
      if (all.size() >= 2) best = all;
      if (all.size() >= 2 && int(all.size()) <= most) return all;
    }
    if (best.size() >= 2 && high_ / low_ > 3) {
      std::vector<double> some;
      const size_t stride = (best.size() + size_t(most) - 1) / size_t(most);
      for (size_t i = 0; i < best.size(); i += stride) some.push_back(best[i]);
      return some;
    }
  }
  return multiples(low_, high_, round_step((high_ - low_) / std::max(1, most)));
}

std::string Scale::text(double tick, const std::vector<double>& ticks) const {
  if (tick != 0 && std::fabs(tick) < 1e-2 && logarithmic_) return format_learning_rate(tick);
  if (std::fabs(tick) >= 1e4) {
    const std::string count = format_count(std::fabs(tick));
    const size_t point = count.find(".");
    std::string text = count;
    if (point != count.npos) {  // "20.00 k" as "20 k"
      const size_t blank = count.find(' ');
      std::string digits = count.substr(0, blank);
      while (digits.back() == '0') digits.pop_back();
      if (digits.back() == '.') digits.pop_back();
      text = digits + (blank == count.npos ? "" : count.substr(blank));
    }
    return (tick < 0 ? "−" : "") + text;
  }
  double gap = std::fabs(tick);
  for (size_t i = 1; i < ticks.size(); i++)
    gap = std::min(gap > 0 ? gap : ticks[i] - ticks[i - 1], ticks[i] - ticks[i - 1]);
  int digits = 0;
  for (double shown = std::fabs(tick); digits < 6; digits++) {
    const double scaled = shown * std::pow(10., digits);
    if (std::fabs(scaled - std::round(scaled)) < 1e-3 * std::max(1e-9, gap) * std::pow(10., digits))
      break;
  }
  if (!logarithmic_ && ticks.size() > 1)
    digits = std::max(digits, int(std::max(0., -std::floor(std::log10(gap) + 1e-9))));
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, std::fabs(tick));
  return (tick < 0 ? "−" : "") + std::string(text);
}

void draw_axes(Drawing& drawing, const Panel& panel, const std::string& x_title,
               const std::string& y_title, int x_ticks, int y_ticks) {
  const Box& box = panel.box;
  const Stroke grid{"grid", 1}, frame{"line", 1};
  const std::vector<double> rows = panel.y.ticks(y_ticks), columns = panel.x.ticks(x_ticks);
  for (double tick : rows) {
    const double y = panel.y(tick);
    drawing.line({box.left, y}, {box.right, y}, grid);
    drawing.text(box.left - 6, y + 4, panel.y.text(tick, rows), {Anchor::end, "soft", tick_size});
  }
  double taken = -1e9;
  for (double tick : columns) {
    const double x = panel.x(tick);
    drawing.line({x, box.top}, {x, box.bottom}, grid);
    const std::string text = panel.x.text(tick, columns);
    const TextStyle style{Anchor::middle, "soft", tick_size};
    const Box place = text_box(x, box.bottom + 15, text, style);
    if (place.left < taken || place.right > drawing.width()) continue;
    taken = place.right + 6;
    drawing.text(x, box.bottom + 15, text, style);
  }
  drawing.line({box.left, box.bottom}, {box.right, box.bottom}, frame);
  if (!x_title.empty())
    drawing.text((box.left + box.right) / 2, box.bottom + 32, x_title,
                 {Anchor::middle, "soft", tick_size});
  if (!y_title.empty()) drawing.text(4, box.top - 10, y_title, {Anchor::start, "soft", tick_size});
}

std::vector<std::vector<Point>> clipped(const Panel& panel, const std::vector<Point>& values) {
  std::vector<std::vector<Point>> parts;
  bool open = false;
  for (size_t i = 0; i + 1 < values.size(); i++) {
    const Point a = panel.place(values[i]), b = panel.place(values[i + 1]);
    double enter = 0, leave = 1;  // Liang and Barsky
    const double dx = b.x - a.x, dy = b.y - a.y;
    const double p[] = {-dx, dx, -dy, dy};
    const double q[] = {a.x - panel.box.left, panel.box.right - a.x, a.y - panel.box.top,
                        panel.box.bottom - a.y};
    bool seen = std::isfinite(a.x + a.y + b.x + b.y);
    for (int edge = 0; edge < 4 && seen; edge++) {
      if (p[edge] == 0) seen = q[edge] >= 0;
      else if (p[edge] < 0) enter = std::max(enter, q[edge] / p[edge]);
      else leave = std::min(leave, q[edge] / p[edge]);
    }
    if (!seen || enter > leave) {
      open = false;
      continue;
    }
    if (!open || enter > 0) parts.push_back({{a.x + enter * dx, a.y + enter * dy}});
    parts.back().push_back({a.x + leave * dx, a.y + leave * dy});
    open = leave == 1;
  }
  return parts;
}

void draw_line(Drawing& drawing, const Panel& panel, const std::vector<Point>& values,
               const Stroke& stroke) {
  for (const std::vector<Point>& part : clipped(panel, values)) drawing.path(part, stroke);
}

std::vector<double> spread(const std::vector<double>& wanted, double gap, double top,
                           double bottom) {
  std::vector<size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return wanted[a] < wanted[b]; });
  const double count = double(wanted.size());
  if (count > 1) gap = std::min(gap, (bottom - top) / (count - 1));
  std::vector<double> placed = wanted;
  // Groups that touch share the mean of what they want; merged until none touch.
  struct Group {
    double sum;
    size_t count;
    double middle(double low, double high, double gap) const {
      const double half = gap * double(count - 1) / 2;
      return std::clamp(sum / double(count), low + half, std::max(low + half, high - half));
    }
  };
  std::vector<Group> groups;
  for (size_t one : order) {
    groups.push_back({wanted[one], 1});
    while (groups.size() > 1) {
      Group &a = groups[groups.size() - 2], &b = groups.back();
      const double end = a.middle(top, bottom, gap) + gap * double(a.count - 1) / 2,
                   begin = b.middle(top, bottom, gap) - gap * double(b.count - 1) / 2;
      if (begin - end >= gap * (1 - 1e-9)) break;
      a = {a.sum + b.sum, a.count + b.count};
      groups.pop_back();
    }
  }
  size_t next = 0;
  for (const Group& group : groups)
    for (size_t i = 0; i < group.count; i++)
      placed[order[next++]] =
          group.middle(top, bottom, gap) + gap * (double(i) - double(group.count - 1) / 2);
  return placed;
}

std::optional<Labels::Place> Labels::find(Point at, const std::string& text,
                                          const TextStyle& style) {
  for (double away : {9., 16., 26., 38., 52., 68.})
    for (auto [dx, dy] : {std::pair{1., 0.},
                          {-1., 0.},
                          {0.7, -0.7},
                          {-0.7, -0.7},
                          {0.7, 0.7},
                          {-0.7, 0.7},
                          {0., -1.},
                          {0., 1.}}) {
      TextStyle here = style;
      here.anchor = dx > 0.1 ? Anchor::start : dx < -0.1 ? Anchor::end : Anchor::middle;
      const Point place{at.x + dx * away, at.y + dy * away + 0.25 * style.size};
      const Box box = text_box(place.x, place.y, text, here);
      auto covers = [&](const Box& other) { return box.overlaps(other); };
      if (!box.inside(inside_) || std::any_of(taken_.begin(), taken_.end(), covers)) continue;
      taken_.push_back(box);
      return Place{place, here.anchor, away > 20};
    }
  return {};
}

}  // namespace afina::svg
