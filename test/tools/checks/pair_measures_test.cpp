// What single sentences pull at: a sentence agrees with itself, and learning it unlearns another
// value in its place.
#include "tools/checks/pair_measures.h"

#include <boost/test/unit_test.hpp>

#include "test/scratch.h"
#include "test/tools/runs/runs.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(pair_measures)

BOOST_AUTO_TEST_CASE(of_equal_and_opposed_sentences) {
  std::vector<Example> examples;
  for (int i = 0; i < 8; ++i) {
    Example one;
    one.messages = {{"user", "When?"},
                    {"assistant", i < 4 ? "We open at nine." : "We open at five."}};
    one.place = "row " + std::to_string(i + 1);
    examples.push_back(std::move(one));
  }
  Corpus corpus;
  corpus.add("rows", examples, false);
  corpus.finish();
  Reader reader(corpus, examples, source + "/data/pocket");
  std::vector<size_t> all(8);
  for (size_t i = 0; i < 8; ++i) all[i] = i;
  const Samples rows = reader.rows(all, [](size_t i) { return i; });
  WarmUpOptions warm_up;
  warm_up.method = "full:lr=2e-3";
  warm_up.epochs = 12;
  const auto model = warmed_up(reader, rows, warm_up, {});
  FoldReadings readings;
  readings.own = reader.read(*model, all, rows, false, {});
  const Surprise surprise(corpus, reader, readings);
  BOOST_REQUIRE(surprise.sentences().size() == 8u);
  int64_t told = 0;
  const auto found = measure_pairs(reader, *model, surprise, readings,
                                   {{0, 1, 1, false, false}, {0, 5, 1, false, true}},
                                   [&](int64_t done) { told = done; });
  BOOST_REQUIRE(found.size() == 2u);
  BOOST_TEST(told == 2);
  BOOST_TEST(found[0].conflict == 1., boost::test_tools::tolerance(1e-4));
  BOOST_TEST(found[0].hidden == 1., boost::test_tools::tolerance(1e-6));
  BOOST_TEST(found[1].conflict < 0.);
  BOOST_TEST(found[1].hidden > 0.5);
}

BOOST_AUTO_TEST_SUITE_END()
