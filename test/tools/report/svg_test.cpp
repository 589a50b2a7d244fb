// Drawings: well-formed whatever is written into them, and texts that take no more than is
// reckoned.
#include "tools/report/svg.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>

#include "engine/error.h"
#include "test/tools/report/drawn.h"

namespace afina::svg {

BOOST_AUTO_TEST_SUITE(report_svg)

BOOST_AUTO_TEST_CASE(hostile_texts_stay_texts) {
  const std::string hostile = "</text><script>alert(1)</script> & \"x\" 'y' <!-- \x01 ]]>";
  for (Medium medium : {Medium::page, Medium::file}) {
    Drawing drawing(100, 80, medium, hostile, hostile);
    drawing.text(5, 10, hostile, {Anchor::middle, "ink", 11, true, true});
    drawing.marker(3, {20, 20}, 4, 0.5, hostile);
    drawing.rectangle({0, 0, 10, 10}, "m1", hostile, 2);
    drawing.path({{0, 0}, {1, NAN}}, {"m2", 2, 0.5, "4 2"});
    drawing.area({{0, 0}, {1, 1}, {2, 0}}, "m8", 0.2);
    const std::string xml = drawing.done();
    BOOST_TEST(xml_fault(xml) == "", xml);
    BOOST_TEST(xml.find("<script") == xml.npos);
    BOOST_TEST(xml.find("nan") == xml.npos);
    BOOST_TEST(drawn_texts(xml).size() == 1u);
    BOOST_TEST((xml.find("var(--") != xml.npos) == (medium == Medium::page));
    BOOST_TEST((xml.find("#") != xml.npos && xml.find("\"#") != xml.npos) ==
               (medium == Medium::file));
  }
  BOOST_TEST(xml_fault("<a><b></a>") != "");  // the reader can tell
  BOOST_TEST(xml_fault("<a x=\"&\"/>") != "");
  BOOST_TEST(xml_fault("<a>") != "");
}

BOOST_AUTO_TEST_CASE(colours_are_known_and_methods_have_their_own) {
  Drawing drawing(10, 10, Medium::file, "", "");
  BOOST_CHECK_THROW(drawing.line({0, 0}, {1, 1}, {"mauve"}), Error);
  std::set<std::string> names;
  for (size_t method = 0; method < method_colours; method++) names.insert(colour_name(method));
  BOOST_TEST(names.size() == method_colours);
  for (const Colour& one : palette()) names.erase(one.name);
  BOOST_TEST(names.empty());
}

// Relative luminance and contrast as WCAG 2 defines them.
static double luminance(const std::string& hex) {
  double sum = 0;
  const double weights[] = {0.2126, 0.7152, 0.0722};
  for (size_t i = 0; i < 3; i++) {
    const double c = std::stoi(hex.substr(1 + 2 * i, 2), nullptr, 16) / 255.;
    sum += weights[i] * (c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
  }
  return sum;
}
static double contrast(const std::string& a, const std::string& b) {
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

BOOST_AUTO_TEST_CASE(lines_and_texts_can_be_seen_on_light_and_dark) {
  std::string card_light, card_dark;
  for (const Colour& one : palette())
    if (one.name == std::string("card")) {
      card_light = one.light;
      card_dark = one.dark;
    }
  for (const Colour& one : palette()) {
    const std::string name = one.name;
    const bool text = name == "ink" || name == "soft", method = name[0] == 'm' && name.size() == 2;
    if (!text && !method) continue;
    BOOST_TEST(contrast(one.light, card_light) >= (text ? 4.5 : 3.), name);
    BOOST_TEST(contrast(one.dark, card_dark) >= (text ? 4.5 : 3.), name);
  }
}

BOOST_AUTO_TEST_CASE(texts_are_cut_to_their_room) {
  BOOST_TEST(text_width("", 12) == 0);
  BOOST_TEST(text_width("mm", 12) > text_width("ii", 12));
  BOOST_TEST(text_width("漢字", 10) >= 20);
  BOOST_TEST(fitted("LoRA r 8", 12, 200) == "LoRA r 8");
  for (double room : {30., 60., 90.}) {
    const std::string cut = fitted("LoRA r 8, alpha 16, ñandú 漢字漢字", 12, room);
    BOOST_TEST(text_width(cut, 12) <= room, cut);
    BOOST_TEST(cut.ends_with("…"));
  }
  BOOST_TEST(number(-0.001) == "0");
  BOOST_TEST(number(12.50) == "12.5");
  const Box end = text_box(100, 50, "abc", {Anchor::end, "ink", 10});
  BOOST_TEST(end.right == 100);
  BOOST_TEST(end.left < 90);
  BOOST_TEST(end.top < 50);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina::svg
