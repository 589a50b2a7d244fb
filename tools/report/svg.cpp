// SVG as text.
#include "tools/report/svg.h"

#include <cmath>
#include <cstdio>

#include "engine/error.h"
#include "tools/text/format.h"

namespace afina::svg {

namespace {

constexpr double text_height = 0.74;  // of a capital letter, in ems
constexpr double text_depth = 0.24;   // below the baseline

// In ems, of DejaVu Sans rounded up.
double letter_width(unsigned char letter) {
  constexpr std::string_view narrow = "ijlI.,:;|!'()[] ", wide = "mwMW%@";
  if (narrow.find(char(letter)) != narrow.npos) return 0.4;
  if (wide.find(char(letter)) != wide.npos) return 0.99;
  if (letter >= 'A' && letter <= 'Z') return 0.74;
  return 0.64;
}

std::string attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + value + "\"";
}
std::string attribute(const char* name, double value) { return attribute(name, number(value)); }

}  // namespace

const std::vector<Colour>& palette() {
  // Methods: hues of Okabe and Ito, darkened on paper until each has a contrast of 3 or more.
  static const std::vector<Colour> all = {
      {"paper", "#faf9f6", "#131518"},       {"card", "#ffffff", "#1b1e23"},
      {"ink", "#1d1c1a", "#ecebe7"},         {"soft", "#5f5c56", "#aeaba3"},
      {"faint", "#8b877f", "#86837c"},       {"line", "#d9d5cc", "#3a3f47"},
      {"grid", "#ebe8e1", "#282c32"},        {"m0", "#0069a8", "#5bb0f0"},
      {"m1", "#cf5600", "#ff8f45"},          {"m2", "#00855f", "#35cb9c"},
      {"m3", "#b0558a", "#e79bc8"},          {"m4", "#9a6b00", "#efbd48"},
      {"m5", "#2f93c9", "#a5d6f7"},          {"m6", "#5a4a9c", "#aa9cea"},
      {"m7", "#6d6a64", "#b9b5ac"},          {"m8", "#a01f3c", "#ff8c9b"},
      {"weights", "#566a8f", "#7d92bb"},     {"masters", "#93a8cc", "#4e6288"},
      {"gradients", "#e2a93f", "#d9a441"},   {"optimizer", "#d0623c", "#d8704b"},
      {"activations", "#2f9b8d", "#3aa597"}, {"workspace", "#b9b5ac", "#6d6a64"},
      {"forward", "#2f9b8d", "#3aa597"},     {"backward", "#e2a93f", "#d9a441"},
      {"other", "#b9b5ac", "#6d6a64"}};
  return all;
}

std::string colour_name(size_t method) { return "m" + std::to_string(method % method_colours); }

std::string escape(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (char letter : text) {
    if (letter == '&') safe += "&amp;";
    else if (letter == '<') safe += "&lt;";
    else if (letter == '>') safe += "&gt;";
    else if (letter == '"') safe += "&quot;";
    else if (letter == '\'') safe += "&#39;";
    else if (static_cast<unsigned char>(letter) < 32 && letter != '\n' && letter != '\t')
      safe += "\uFFFD";
    else safe += letter;
  }
  return safe;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", std::isfinite(value) ? value : 0.);
  std::string out = text;
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out == "-0" ? "0" : out;
}

double text_width(std::string_view utf8, double size) {
  double ems = 0;
  for (unsigned char byte : utf8) {
    if ((byte & 0xC0) == 0x80) continue;
    ems += byte < 128 ? letter_width(byte) : byte < 0xE3 ? 0.7 : 1.05;
  }
  return ems * size;
}

std::string fitted(const std::string& utf8, double size, double width) {
  if (text_width(utf8, size) <= width) return utf8;
  std::string kept = utf8;
  while (!kept.empty() && text_width(kept + "…", size) > width) {
    while (!kept.empty() && (kept.back() & 0xC0) == 0x80) kept.pop_back();
    if (!kept.empty()) kept.pop_back();
  }
  while (!kept.empty() && (kept.back() == ' ' || kept.back() == ',')) kept.pop_back();
  return kept + "…";
}

Box text_box(double x, double y, std::string_view text, const TextStyle& style) {
  const double width = text_width(text, style.size) * (style.bold ? 1.08 : 1);
  const double before = style.anchor == Anchor::start    ? 0
                        : style.anchor == Anchor::middle ? width / 2
                                                         : width;
  const double up = text_height * style.size, down = text_depth * style.size;
  if (style.upright) return {x - up, y - (width - before), x + down, y + before};
  return {x - before, y - up, x - before + width, y + down};
}

Drawing::Drawing(double width, double height, Medium medium, const std::string& title,
                 const std::string& description)
    : width_(width), height_(height), medium_(medium) {
  head_ = "<title>" + escape(title) + "</title><desc>" + escape(description) + "</desc>\n";
  if (medium == Medium::file) rectangle({0, 0, width, height}, "card");
}

std::string Drawing::paint(const std::string& colour) const {
  if (medium_ == Medium::page) return "var(--" + colour + ")";
  for (const Colour& one : palette())
    if (one.name == colour) return one.light;
  fail("a drawing has no colour '", colour, "'");
}

void Drawing::open(const std::string& element) { body_ += "<" + element; }
void Drawing::close(const std::string& element, const std::string& tip) {
  if (tip.empty()) body_ += "/>\n";
  else body_ += "><title>" + escape(tip) + "</title></" + element + ">\n";
}

void Drawing::line(Point from, Point to, const Stroke& stroke) { path({from, to}, stroke); }

void Drawing::path(const std::vector<Point>& points, const Stroke& stroke) {
  if (points.size() < 2) return;
  std::string d;
  for (const Point& point : points)
    d += (d.empty() ? "M" : "L") + number(point.x) + " " + number(point.y);
  open("path" + attribute("d", d) + " fill=\"none\"" + attribute("stroke", paint(stroke.colour)) +
       attribute("stroke-width", stroke.width));
  if (*stroke.dashes) body_ += attribute("stroke-dasharray", std::string(stroke.dashes));
  if (stroke.opacity < 1) body_ += attribute("stroke-opacity", stroke.opacity);
  body_ += " stroke-linejoin=\"round\"";
  close("path", "");
}

void Drawing::area(const std::vector<Point>& outline, const std::string& colour, double opacity) {
  if (outline.size() < 3) return;
  std::string d;
  for (const Point& point : outline)
    d += (d.empty() ? "M" : "L") + number(point.x) + " " + number(point.y);
  open("path" + attribute("d", d + "Z") + attribute("fill", paint(colour)) +
       attribute("fill-opacity", opacity));
  close("path", "");
}

void Drawing::rectangle(const Box& box, const std::string& colour, const std::string& tip,
                        double corner) {
  open("rect" + attribute("x", box.left) + attribute("y", box.top) +
       attribute("width", box.right - box.left) + attribute("height", box.bottom - box.top));
  if (corner > 0) body_ += attribute("rx", corner);
  body_ += attribute("fill", paint(colour));
  close("rect", tip);
}

void Drawing::marker(size_t method, Point at, double radius, double opacity,
                     const std::string& tip) {
  // Corners of shapes of about equal area, from the top.
  static const std::vector<std::vector<Point>> shapes = {
      {},
      {{-0.9, -0.9}, {0.9, -0.9}, {0.9, 0.9}, {-0.9, 0.9}},
      {{0, -1.25}, {1.2, 0.85}, {-1.2, 0.85}},
      {{0, -1.3}, {1.3, 0}, {0, 1.3}, {-1.3, 0}},
      {{0, 1.25}, {-1.2, -0.85}, {1.2, -0.85}},
      {{-0.4, -1.2},
       {0.4, -1.2},
       {0.4, -0.4},
       {1.2, -0.4},
       {1.2, 0.4},
       {0.4, 0.4},
       {0.4, 1.2},
       {-0.4, 1.2},
       {-0.4, 0.4},
       {-1.2, 0.4},
       {-1.2, -0.4},
       {-0.4, -0.4}}};
  const auto& corners = shapes[method % shapes.size()];
  const char* element = corners.empty() ? "circle" : "path";
  if (corners.empty()) {
    open("circle" + attribute("cx", at.x) + attribute("cy", at.y) + attribute("r", radius));
  } else {
    std::string d;
    for (const Point& corner : corners)
      d += (d.empty() ? "M" : "L") + number(at.x + radius * corner.x) + " " +
           number(at.y + radius * corner.y);
    open("path" + attribute("d", d + "Z"));
  }
  body_ += attribute("fill", paint(colour_name(method)));
  if (opacity < 1) body_ += attribute("fill-opacity", opacity);
  body_ += attribute("stroke", paint("card")) + attribute("stroke-width", 1.);
  close(element, tip);
}

void Drawing::text(double x, double y, std::string_view text, const TextStyle& style) {
  static const char* const anchors[] = {"start", "middle", "end"};
  open("text" + attribute("x", x) + attribute("y", y) + attribute("font-size", style.size));
  if (style.anchor != Anchor::start)
    body_ += attribute("text-anchor", std::string(anchors[int(style.anchor)]));
  if (style.bold) body_ += " font-weight=\"600\"";
  if (style.upright)
    body_ += attribute("transform", "rotate(-90 " + number(x) + " " + number(y) + ")");
  body_ += attribute("fill", paint(style.colour)) + ">" + escape(text) + "</text>\n";
}

std::string Drawing::done() const {
  std::string open = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(width_) +
                     " " + number(height_) + "\" role=\"img\"";
  if (medium_ == Medium::file)
    open = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + open + attribute("width", width_) +
           attribute("height", height_) +
           " font-family=\"Helvetica, Arial, &quot;DejaVu Sans&quot;, sans-serif\"";
  return open + ">" + head_ + body_ + "</svg>\n";
}

}  // namespace afina::svg
