// A drawing as SVG text: shapes, text as text, colours by name. The same calls make a figure of
// report.html, whose colours are variables of the page (light, dark, print), and a file of its own
// for a paper, whose colours are fixed. Lengths are in units of the view box, about a pixel.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace afina::svg {

enum class Medium : uint8_t { page, file };

// A colour that drawings and page share, each in its two looks.
struct Colour {
  const char *name, *light, *dark;
};
const std::vector<Colour>& palette();
// The name of a method's colour, of method_colours that tell apart for the colour-blind as well;
// from there on they repeat, and markers tell apart.
inline constexpr size_t method_colours = 9;
std::string colour_name(size_t method);

// Text for XML and HTML, in content and in quoted attributes; control characters become U+FFFD.
std::string escape(std::string_view text);
// A number as short as a hundredth of a pixel needs.
std::string number(double value);
// Width of a text, estimated from above for the fonts that pages use (DejaVu Sans is the widest).
double text_width(std::string_view utf8, double size);
// The text, or as much of it as fits with "…" at its end.
std::string fitted(const std::string& utf8, double size, double width);

struct Point {
  double x, y;
};
struct Box {
  double left, top, right, bottom;
  bool overlaps(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
  bool inside(const Box& other) const {
    return left >= other.left && right <= other.right && top >= other.top && bottom <= other.bottom;
  }
};

enum class Anchor : uint8_t { start, middle, end };
struct TextStyle {
  Anchor anchor = Anchor::start;
  const char* colour = "ink";  // a name of the palette
  double size = 12;
  bool bold = false;
  bool upright = false;  // turned by a quarter, to be read from below
};
struct Stroke {
  std::string colour;  // a name of the palette
  double width = 1;
  double opacity = 1;
  const char* dashes = "";  // as stroke-dasharray has them
};
// The box that a text takes when it is put at (x, y), its baseline.
Box text_box(double x, double y, std::string_view text, const TextStyle& style);

class Drawing {
 public:
  // title and description are for screen readers, and for whoever lets the mouse rest.
  Drawing(double width, double height, Medium medium, const std::string& title,
          const std::string& description);
  double width() const { return width_; }
  double height() const { return height_; }

  void line(Point from, Point to, const Stroke& stroke);
  void path(const std::vector<Point>& points, const Stroke& stroke);
  void area(const std::vector<Point>& outline, const std::string& colour, double opacity);
  // `tip` is shown by browsers when the mouse rests there; empty: nothing.
  void rectangle(const Box& box, const std::string& colour, const std::string& tip = "",
                 double corner = 0);
  // The marker of a method: a circle, square, triangle, diamond ..., by its number.
  void marker(size_t method, Point at, double radius, double opacity, const std::string& tip);
  void text(double x, double y, std::string_view text, const TextStyle& style = {});
  std::string done() const;

 private:
  std::string paint(const std::string& colour) const;
  void open(const std::string& element);
  void close(const std::string& element, const std::string& tip);

  double width_, height_;
  Medium medium_;
  std::string body_, head_;
};

}  // namespace afina::svg
