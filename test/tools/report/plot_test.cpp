// Axes and labels: round ticks, lines that end at the edge, labels apart.
#include "tools/report/plot.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

namespace afina::svg {

BOOST_AUTO_TEST_SUITE(report_plot)

BOOST_AUTO_TEST_CASE(ticks_are_round_and_told_apart) {
  const Scale linear(0, 60, false, 0, 400);
  BOOST_TEST(linear.ticks(5) == (std::vector<double>{0, 20, 40, 60}),
             boost::test_tools::per_element());
  BOOST_TEST(linear.text(20, linear.ticks(5)) == "20");
  BOOST_TEST(linear(0) == 0);
  const Scale log(0.7, 8, true, 300, 0);
  BOOST_TEST(log.logarithmic());
  BOOST_TEST(log(8) < log(0.7));
  const Scale rates(1e-4, 3e-2, true, 0, 400);
  for (double tick : rates.ticks(6)) BOOST_TEST(rates.text(tick, rates.ticks(6)).size() <= 4u);
  BOOST_TEST(!Scale(-1, 8, true, 0, 1).logarithmic());
  // Whatever the range: two ticks or more, inside, and no two with the same text.
  for (double low : {-3., -0.01, 0., 1e-6, 0.7031, 1.2, 5.5e3, 1.9e6})
    for (double wide : {1e-7, 3e-4, 0.02, 1., 70., 2e6})
      for (bool logarithmic : {false, true}) {
        if (wide < 1e-9 * std::fabs(low)) continue;
        const Scale scale(low, low + wide, logarithmic, 0, 100);
        const std::vector<double> ticks = scale.ticks(5);
        BOOST_TEST(ticks.size() >= 2u, low << " " << wide);
        BOOST_TEST(ticks.size() <= 14u, low << " " << wide);
        for (double tick : ticks) {
          BOOST_TEST(scale(tick) >= -1e-6);
          BOOST_TEST(scale(tick) <= 100 + 1e-6);
        }
        if (wide < 1e-4 * std::fabs(low)) continue;  // more digits than an axis shows
        for (size_t i = 1; i < ticks.size() && wide >= 1e-4; i++)
          BOOST_TEST(scale.text(ticks[i - 1], ticks) != scale.text(ticks[i], ticks),
                     low << " " << wide);
      }
  const Scale one(3, 3, false, 0, 100);  // a single value
  BOOST_TEST(one(3) == 50, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(lines_end_at_the_edge_of_their_panel) {
  const Box box{10, 10, 110, 60};
  const Panel panel{box, Scale(0, 10, false, 10, 110), Scale(0, 1, false, 60, 10)};
  const auto parts = clipped(panel, {{0, 0.5}, {5, 20}, {8, 0.5}, {20, 0.5}, {21, NAN}});
  BOOST_REQUIRE(parts.size() == 2u);
  for (const auto& part : parts)
    for (const Point& point : part) {
      BOOST_TEST(point.x >= box.left - 1e-9);
      BOOST_TEST(point.x <= box.right + 1e-9);
      BOOST_TEST(point.y >= box.top - 1e-9);
      BOOST_TEST(point.y <= box.bottom + 1e-9);
    }
  BOOST_TEST(parts[0][1].y == box.top);
  BOOST_TEST(clipped(panel, {{0, 5}, {10, 5}}).empty());
}

BOOST_AUTO_TEST_CASE(labels_are_pushed_apart_and_keep_their_order) {
  const std::vector<double> wanted = {50, 50.5, 20, 51, 199};
  const std::vector<double> places = spread(wanted, 14, 10, 200);
  BOOST_TEST(places[2] < places[0]);
  BOOST_TEST(places[0] <= places[1] - 14 + 1e-9);
  BOOST_TEST(places[1] <= places[3] - 14 + 1e-9);
  BOOST_TEST(places[4] <= 200);
  BOOST_TEST(places[2] == 20);
  // More than there is room for: closer, but inside.
  const std::vector<double> many = spread(std::vector<double>(30, 100.), 14, 0, 200);
  for (double place : many) {
    BOOST_TEST(place >= -1e-9);
    BOOST_TEST(place <= 200 + 1e-9);
  }
  BOOST_TEST(spread({}, 10, 0, 100).empty());
}

BOOST_AUTO_TEST_CASE(labels_find_free_places) {
  const Box inside{0, 0, 200, 100};
  Labels labels(inside);
  std::vector<Box> taken;
  int found = 0;
  for (int i = 0; i < 9; i++) {
    const TextStyle style{Anchor::start, "ink", 12, true};
    auto place = labels.find({100, 50}, "LoRA r 8", style);
    if (!place) continue;
    found++;
    TextStyle here = style;
    here.anchor = place->anchor;
    const Box box = text_box(place->text.x, place->text.y, "LoRA r 8", here);
    BOOST_TEST(box.inside(inside));
    for (const Box& other : taken) BOOST_TEST(!box.overlaps(other));
    taken.push_back(box);
  }
  BOOST_TEST(found >= 5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina::svg
