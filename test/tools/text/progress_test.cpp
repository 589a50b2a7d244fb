// Progress lines: what they say, when they are drawn, and that they never show nonsense.
#include "tools/text/progress.h"
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <sstream>
#include "tools/text/format.h"

namespace afina {

BOOST_AUTO_TEST_SUITE(progress)

struct Clock {
  double seconds = 0;
  ProgressOptions options(bool terminal) {
    ProgressOptions made;
    made.terminal = terminal;
    made.clock = [this] { return seconds; };
    return made;
  }
};

BOOST_AUTO_TEST_CASE(a_plain_line_every_ten_seconds) {
  Clock clock;
  std::ostringstream out;
  Progress progress(out, "full", 120, clock.options(false));
  for (int64_t step = 1; step <= 120; step++) {
    clock.seconds = 0.25 * double(step);
    progress.update(step, {1.5, 3e-4, 1234.0});
  }
  progress.finish();
  BOOST_TEST(out.str() ==
             "full 1/120  loss 1.5000  lr 3e-4  1,234 tokens/s\n"
             "full 41/120  loss 1.5000  lr 3e-4  1,234 tokens/s  19.8 s left\n"
             "full 81/120  loss 1.5000  lr 3e-4  1,234 tokens/s  9.75 s left\n"
             "full 120/120  loss 1.5000  lr 3e-4  1,234 tokens/s  in 30.0 s\n");
}

BOOST_AUTO_TEST_CASE(a_terminal_is_redrawn_in_its_width) {
  Clock clock;
  std::ostringstream out;
  ProgressOptions options = clock.options(true);
  options.width = 30;
  {
    Progress progress(out, "lora ñandú", 1000000, options);
    progress.update(1, {1.0, 1e-3, 9.0});
    clock.seconds = 0.05;
    progress.update(2);  // too soon
    clock.seconds = 1;
    progress.update(500000, {1.0, 1e-3, 9.0});
    progress.say("a note");
  }
  BOOST_TEST(out.str().find("2/1,000,000") == std::string::npos);
  BOOST_TEST(out.str().ends_with("\r\033[Ka note\n"));
  std::istringstream parts(out.str());
  for (std::string part; std::getline(parts, part, '\r');) {
    if (part.starts_with("\033[K")) part.erase(0, 3);
    BOOST_TEST(display_width(part) < 30u);
  }
}

BOOST_AUTO_TEST_CASE(no_nonsense) {
  Clock clock;
  std::ostringstream out;
  Progress progress(out, "x", 10, clock.options(false));
  for (double odd : {double(NAN), double(INFINITY), -double(INFINITY), 0.0}) {
    std::string line = progress.line(0, {odd, odd, odd});
    for (const char* word : {"nan", "inf", "NaN", "-0"})
      BOOST_TEST(line.find(word) == std::string::npos, line);
  }
  BOOST_TEST(progress.line(3, {NAN}) == "x 3/10  loss diverged");
  Progress unknown(out, "reading", 0, clock.options(false));
  clock.seconds = 5;
  BOOST_TEST(unknown.line(1500, {}) == "reading 1,500");
}

BOOST_AUTO_TEST_CASE(resumed_work_is_not_fast_work) {
  Clock clock;
  std::ostringstream out;
  Progress progress(out, "x", 100, clock.options(false));
  clock.seconds = 100;
  progress.start_from(90);
  clock.seconds = 105;
  BOOST_TEST(progress.line(95, {}) == "x 95/100  5.00 s left");
}

BOOST_AUTO_TEST_CASE(a_line_gives_up_what_matters_least) {
  Clock clock;
  std::ostringstream out;
  ProgressOptions options = clock.options(true);
  const std::string title =
      "LoRA r 8, alpha 16, dropout 0.05, targets q_proj+k_proj+v_proj, seed 1";
  for (int width : {40, 60, 80, 100, 140, 200}) {
    options.width = width;
    clock.seconds = 0;
    Overall overall("run", std::vector<double>(20, 5.), options.clock);
    overall.begin();
    Progress progress(out, title, 60, options);
    progress.part_of(&overall);
    clock.seconds = 3;
    const std::string line = progress.line(30, {1.25, 3e-3, 1234.0});
    BOOST_TEST(display_width(line) < size_t(width), line);
    for (const char* part : {"30/60", "loss 1.2500"})
      BOOST_TEST(line.find(part) != line.npos, line);
    BOOST_TEST((line.find("tokens/s") != line.npos) == (width == 200), line);
    if (width < 80) continue;
    for (const char* part : {"run 1 of 20", "left in all", "3.00 s left", "LoRA"})
      BOOST_TEST(line.find(part) != line.npos, line);
  }
}

BOOST_AUTO_TEST_CASE(time_left_in_all_follows_from_what_was_expected) {
  Clock clock;
  Overall overall("run", {10, 10, 40}, [&] { return clock.seconds; });
  overall.begin();
  BOOST_TEST(overall.text(0) == "run 1 of 3");
  clock.seconds = 5;
  BOOST_TEST(overall.text(0.5) == "run 1 of 3, 55.0 s left in all");
  clock.seconds = 10;
  overall.begin();  // read back from an earlier command: no work is seen in it
  clock.seconds = 11;
  overall.begin();
  clock.seconds = 31;
  BOOST_TEST(overall.text(0.5) == "run 3 of 3, 20.0 s left in all");
  BOOST_TEST(overall.text(1) == "run 3 of 3");
  overall.begin();  // one more than expected
  BOOST_TEST(overall.text(0.1).starts_with("run 3 of 3"));
  Overall unknown("run", {0, 0}, [&] { return clock.seconds; });
  unknown.begin();
  clock.seconds += 4;
  BOOST_TEST(unknown.text(0.5) == "run 1 of 2, 12.0 s left in all");
  BOOST_TEST(Overall("run", {}).text(0.5) == "run 1 of 1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
