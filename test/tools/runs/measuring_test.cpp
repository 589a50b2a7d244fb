// What a run measures unasked costs a share of it, and what is measured stays as it was.
#include "tools/runs/measuring.h"

#include <boost/test/unit_test.hpp>

#include "test/scratch.h"
#include "test/tools/runs/runs.h"
#include "tools/runs/replay.h"
#include "tools/runs/workbench.h"

using namespace afina;

namespace {

// Readings of held-out and retention tokens in a whole run, beside what it may read.
double share_of_allowed(double trained, int64_t steps, int64_t every, const LookTokens& look) {
  const int64_t looks = (steps + every - 1) / every;
  const double read = double(3 + looks) * look.held_out + double(1 + looks) * look.retain;
  return read / tokens_to_measure(trained);
}

Workbench bench_of(int64_t steps, Measured measured, DataOptions data = {}) {
  ModelOptions model;
  model.path = source + "/data/pocket";
  model.init = true;
  data.data = {source + "/data/samples/support.jsonl"};
  data.retain = source + "/data/samples/general.jsonl";
  data.limit = 300;
  RunOptions run;
  run.steps = steps;
  run.batch = 2;
  return open_workbench(model, data, run, measured);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(measuring)

// 15 % of the work of training, where a step is two readings of its tokens.
BOOST_AUTO_TEST_CASE(a_share_of_the_tokens_that_are_trained_on) {
  BOOST_TEST(tokens_to_measure(1000) == 300, boost::test_tools::tolerance(1e-12));
  // 64 rows of 250 tokens beside 30 steps of 2 x 512: a third of the budget of 9,216 for three
  // looks, both readings before and the one after would be 6 rows, and 8 are the fewest.
  BOOST_TEST(rows_to_measure(30720, 64, 16000, false) == 8);
  BOOST_TEST(rows_to_measure(204800, 64, 16000, false) == 40);  // 61,440 / 6 of 250 each
  BOOST_TEST(rows_to_measure(2e6, 64, 16000, false) == 64);
  BOOST_TEST(rows_to_measure(204800, 64, 16000, true) == 24);  // 61,440 / 10
  BOOST_TEST(rows_to_measure(10, 5, 2000, false) == 5);        // there are no more
}

BOOST_AUTO_TEST_CASE(looks_become_fewer_before_they_cost_too_much) {
  for (double trained : {2e4, 5e4, 2e5, 1e6, 1e8})
    for (int64_t steps : {1, 7, 30, 100, 1234})
      for (bool retain : {false, true}) {
        const int64_t rows = rows_to_measure(trained, 64, 16000, retain);
        const double held_out = 250. * double(rows);
        LookTokens look{held_out, 0};
        if (retain) look.retain = double(retention_to_measure(trained, held_out));
        const int64_t every = steps_between_looks(trained, steps, look);
        BOOST_TEST(every >= 1);
        BOOST_TEST(every <= steps);
        BOOST_TEST((steps + every - 1) / every <= 10);
        const bool fewest = rows == 8 || look.retain == 512 || every == steps;
        BOOST_TEST((fewest || share_of_allowed(trained, steps, every, look) <= 1),
                   trained << " tokens, " << steps << " steps");
      }
  BOOST_TEST(steps_between_looks(1e9, 100, {16000, 16384}) == 10);  // as much as is shown
  BOOST_TEST(steps_between_looks(1e9, 114, {16000, 0}) == 12);
  BOOST_TEST(steps_between_looks(1000, 30, {16000, 0}) == 30);  // the end alone
}

BOOST_AUTO_TEST_CASE(a_short_run_measures_on_fewer_rows_and_its_options_say_so) {
  const Workbench all = bench_of(10, Measured::all), share = bench_of(10, Measured::share);
  BOOST_TEST(all.choice.rows.size() == 15);  // a tenth of 300 records in two halves
  BOOST_TEST(all.data.eval_rows == 64);
  BOOST_TEST(all.run.eval_every == 0);
  BOOST_TEST(share.data.eval_rows == 8);
  BOOST_TEST(share.choice.rows.size() == 8);
  BOOST_TEST(share.final.rows.size() == 8);
  BOOST_TEST(share.data.retain_tokens == 512);
  BOOST_TEST(share.run.eval_every == 10);
  BOOST_TEST(holds(share.notes.back(), "8 + 8 of the 30 held-out records"), share.notes.back());
  BOOST_TEST(all.train.sha256 == share.train.sha256);
  // The options that it has found are the same run when they are given.
  const Workbench given = bench_of(10, Measured::all, share.data);
  BOOST_TEST(given.choice.sha256 == share.choice.sha256);
  BOOST_TEST(given.final.sha256 == share.final.sha256);
  BOOST_TEST(given.retain.sha256 == share.retain.sha256);
  BOOST_TEST(holds(measuring_sentence(share), "8 rows for the curve"), measuring_sentence(share));
}

// More steps would afford more rows, and the figures of both would not be of the same rows.
BOOST_AUTO_TEST_CASE(a_run_that_goes_on_is_measured_on_the_rows_it_began_with) {
  const Workbench begun = bench_of(10, Measured::share);
  RunPlan plan;
  plan.method = parse_method("full");
  DataOptions data;
  measure_as_before(data, replay_of(plan, begun));
  BOOST_TEST(data.eval_rows == 8);
  BOOST_TEST(data.retain_tokens == 512);
  const Workbench longer = bench_of(1000, Measured::share, data);
  BOOST_TEST(longer.choice.sha256 == begun.choice.sha256);
  data.eval_rows = 12;  // given
  measure_as_before(data, replay_of(plan, begun));
  BOOST_TEST(data.eval_rows == 12);
  measure_as_before(data, Json());
  BOOST_TEST(data.eval_rows == 12);
}

BOOST_AUTO_TEST_SUITE_END()
