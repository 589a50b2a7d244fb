// Wilson's interval, against values worked out by hand and its coverage.
#include "tools/results/share.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace afina;

BOOST_AUTO_TEST_SUITE(share)

// (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.959964, with ten digits.
BOOST_AUTO_TEST_CASE(the_interval_is_wilsons) {
  const Share half{5, 10}, most{9, 10}, none{0, 10}, all{10, 10};
  BOOST_TEST(half.low() == 0.2365930905, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(half.high() == 0.7634069095, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(most.low() == 0.5958499732, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(most.high() == 0.9821237869, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(none.low() == 0.);
  BOOST_TEST(none.high() == 0.2775327999, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(all.low() == 1 - 0.2775327999, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(all.high() == 1.);
  BOOST_TEST(!Share{}.known());
  BOOST_TEST(Share{}.low() == 0.);
  BOOST_TEST(Share{}.high() == 1.);
}

// How often the interval holds the true share, over all results of 40 rows and their probabilities.
BOOST_AUTO_TEST_CASE(it_holds_the_truth_as_often_as_it_says) {
  double average = 0;
  int points = 0;
  for (double truth = 0.02; truth < 0.99; truth += 0.01, ++points)
    for (int64_t passed = 0; passed <= 40; ++passed) {
      const Share one{passed, 40};
      if (truth < one.low() || truth > one.high()) continue;
      average += std::exp(std::lgamma(41) - std::lgamma(double(passed) + 1) -
                          std::lgamma(41 - double(passed)) + double(passed) * std::log(truth) +
                          double(40 - passed) * std::log(1 - truth));
    }
  BOOST_TEST(std::abs(average / points - 0.95) < 0.01);
}

// Newcombe's method 10, worked out apart from this code.
BOOST_AUTO_TEST_CASE(a_change_over_the_same_rows) {
  const PairedShares pair{36, 2, 12, 0}, turned{36, 12, 2, 0}, same{0, 0, 0, 13}, all{0, 0, 24, 0};
  BOOST_TEST(pair.change() == 0.2);
  BOOST_TEST(pair.low() == 0.0569295840, boost::test_tools::tolerance(1e-8));
  BOOST_TEST(pair.high() == 0.3404276030, boost::test_tools::tolerance(1e-8));
  BOOST_TEST(turned.low() == -pair.high(), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(same.change() == 0.);
  BOOST_TEST(same.low() == -Share({0, 13}).high());
  BOOST_TEST(same.high() == Share({0, 13}).high());
  BOOST_TEST(all.change() == 1.);
  BOOST_TEST(all.high() == 1.);
  BOOST_TEST((all.low() > 0.7 && all.low() < 1.), all.low());
  BOOST_TEST(!PairedShares{}.known());
}

BOOST_AUTO_TEST_SUITE_END()
