// Bars: what each method costs, one bar a method, in parts where a cost has parts.
#include <algorithm>
#include <cmath>

#include "tools/report/charts.h"

namespace afina::chart {

namespace {

using namespace svg;

constexpr double width = 440, left = 4, row = 40, bar_height = 17, text_size = 12;

struct Bars {
  const char* title;
  Format format;
  std::vector<Parts> parts;  // one a method
  bool of_methods = false;   // one part alone, in the method's colour
  bool times = false;        // which compare on one machine only
};

double total(const Parts& parts) {
  double sum = 0;
  for (auto& [name, size] : parts) sum += std::isfinite(size) ? size : 0;
  return sum;
}

std::string description(const Facts& facts, const Bars& bars) {
  std::string text;
  for (size_t method = 0; method < bars.parts.size(); method++) {
    text += facts.label(method) + ": " + bars.format(total(bars.parts[method]));
    if (bars.parts[method].size() > 1)
      for (auto& [name, size] : bars.parts[method])
        if (size > 0) text += ", " + name + " " + bars.format(size);
    text += ". ";
  }
  return text;
}

// Squares with the names of the parts, in as many lines as they need; returns the height.
double legend(Drawing* drawing, const Parts& parts) {
  double x = left, y = 10;
  for (auto& [name, size] : parts) {
    const double needs = 16 + text_width(name, 11) + 12;
    if (x + needs > width && x > left) {
      x = left;
      y += 17;
    }
    if (drawing) {
      drawing->rectangle({x, y - 9, x + 10, y + 1}, name, "", 2);
      drawing->text(x + 15, y, name, {Anchor::start, "soft", 11});
    }
    x += needs;
  }
  return y + 10;
}

void draw_bar(Drawing& drawing, const Bars& bars, size_t method, double y, double scale) {
  double x = left;
  const Parts& parts = bars.parts[method];
  for (auto& [name, size] : parts) {
    const double wide = size * scale;
    if (!(wide > 0.05)) continue;
    const std::string text = bars.format(size),
                      colour = bars.of_methods ? colour_name(method) : name;
    drawing.rectangle(
        {x, y, x + std::max(0.5, wide - (parts.size() > 1 ? 0.8 : 0)), y + bar_height}, colour,
        bars.of_methods ? text : name + ": " + text, 1);
    x += wide;
  }
}

std::string draw(const Facts& facts, const Bars& bars, Medium medium) {
  double largest = 0;
  for (const Parts& parts : bars.parts) largest = std::max(largest, total(parts));
  if (!(largest > 0)) return "";
  const bool parted = !bars.of_methods;
  const double top = parted ? legend(nullptr, bars.parts[0]) + 8 : 6;
  Drawing drawing(width, top + row * double(bars.parts.size()) + 2, medium, bars.title,
                  description(facts, bars));
  if (parted) legend(&drawing, bars.parts[0]);
  const double reference = total(bars.parts[facts.reference]);
  for (size_t method = 0; method < bars.parts.size(); method++) {
    const double y = top + row * double(method), ours = total(bars.parts[method]);
    std::string figure = bars.format(ours);
    if (method != facts.reference && reference > 0 && ours > 0)
      figure += bars.times && !facts.times_compare[method] ? "  \u2013"
                                                           : "  " + format_ratio(ours / reference);
    const double room = width - 2 * left - text_width(figure, text_size) * 1.08 - 30;
    drawing.marker(method, {left + 6, y + 9}, 4.5, 1, "");
    drawing.text(left + 17, y + 13, fitted(facts.label(method), text_size, room - 13),
                 {Anchor::start, "ink", text_size});
    drawing.text(width - left, y + 13, figure, {Anchor::end, "ink", text_size, true});
    draw_bar(drawing, bars, method, y + 18, (width - 2 * left) / largest);
  }
  return drawing.done();
}

template <class PartsOfMethod>
std::string parted(const Facts& facts, Medium medium, const char* title, Format format,
                   PartsOfMethod parts, bool times = false) {
  Bars bars{title, format, {}, false, times};
  for (const MethodSummary& summary : facts.summaries) bars.parts.push_back(parts(summary));
  return draw(facts, bars, medium);
}

template <class Value>
std::string whole(const Facts& facts, Medium medium, const char* title, Format format,
                  Value value) {
  Bars bars{title, format, {}, true};
  for (const MethodSummary& summary : facts.summaries)
    bars.parts.push_back({{"", double(value(summary))}});
  return draw(facts, bars, medium);
}

}  // namespace

std::string memory(const Facts& facts, Medium medium) {
  return parted(facts, medium, "Memory at each method's own peak, by purpose", format_bytes,
                [](const MethodSummary& summary) { return parts_of(summary.memory); });
}
std::string time(const Facts& facts, Medium medium) {
  return parted(
      facts, medium, "Training time by phase", format_seconds,
      [](const MethodSummary& summary) { return parts_of(summary.seconds); }, true);
}
std::string flops(const Facts& facts, Medium medium) {
  return parted(facts, medium, "FLOPs of training by phase", format_flops,
                [](const MethodSummary& summary) { return parts_of(summary.flops); });
}
std::string storage(const Facts& facts, Medium medium) {
  return whole(facts, medium, "Bytes that must be stored to deploy it", format_bytes,
               [](const MethodSummary& summary) { return summary.storage_bytes; });
}
std::string parameters(const Facts& facts, Medium medium) {
  return whole(facts, medium, "Parameters trained", format_count,
               [](const MethodSummary& summary) { return summary.trained_parameters; });
}

}  // namespace afina::chart
