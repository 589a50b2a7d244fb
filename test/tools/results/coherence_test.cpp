// Means and changes over seeds.
#include "tools/results/coherence.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace afina;

BOOST_AUTO_TEST_SUITE(coherence_results)

BOOST_AUTO_TEST_CASE(changes_are_paired_by_seed) {
  CoherenceResult r;
  r.methods = {"full"};
  r.rates = {0, 50};
  r.replaced = {0, 7};
  for (const auto& [rate, seed, loss] :
       {std::tuple{0., 1, 1.0}, {0., 2, 3.0}, {50., 2, 3.5}, {50., 1, 1.5}}) {
    CoherenceRun run;
    run.method = "full";
    run.rate = rate;
    run.seed = uint64_t(seed);
    run.loss = loss;
    run.answers.values = NAN;
    r.runs.push_back(run);
  }
  const CoherenceFigure& loss = coherence_figures()[0];
  BOOST_TEST(coherence_mean(r, loss, "full", 0).mean == 2);
  const Estimate change = coherence_change(r, loss, "full", 50, 0);
  BOOST_TEST(change.mean == 0.5);
  BOOST_TEST(change.half < 1e-12);  // the same with each seed
  BOOST_TEST(coherence_text(loss, change) == "0.5000 ± 0.0000");
  BOOST_TEST(coherence_text(coherence_figures()[1],
                            coherence_mean(r, coherence_figures()[1], "full", 0)) == "–");
  const Json json = coherence_json(r);
  BOOST_TEST(json.at("means").size() == 2u);
  BOOST_TEST(json.at("means")[1].at("loss_change").at("mean") == 0.5);
  BOOST_TEST(json.at("runs")[0].at("answers").at("values").is_null());
  BOOST_TEST(rate_words(12.5) == "12.5 %");
}

BOOST_AUTO_TEST_SUITE_END()
