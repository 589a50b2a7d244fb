// What a run measures unasked costs a share of it, and what is measured stays as it was.
#include "tools/runs/measuring.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"
#include "tools/runs/replay.h"
#include "tools/runs/workbench.h"

using namespace afina;

namespace {

// A model with the pocket model's tokenizer in which a token costs 60 GFLOP; it is never built.
std::string large_model(const std::string& folder) {
  Json config = parse_json_file(source + "/data/pocket/config.json");
  config["num_hidden_layers"] = 800;
  config["intermediate_size"] = 100000;
  write_text_file(folder + "/config.json", to_text(config, -1));
  for (const char* file : {"tokenizer.json", "tokenizer_config.json"})
    std::filesystem::copy_file(source + "/data/pocket/" + file, folder + "/" + file,
                               std::filesystem::copy_options::overwrite_existing);
  return folder;
}

Workbench bench_of(const std::string& path, int64_t steps, Measured measured,
                   DataOptions data = {}) {
  ModelOptions model;
  model.path = path;
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
  BOOST_TEST(tokens_to_measure(1000, 1e13) == 300, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(tokens_to_measure(1000, 2.7e6) == 1e12 / 2.7e6);  // seconds of a small model
  // 64 rows of 250 tokens beside 30 steps of 2 x 512: three looks, two readings before and one
  // after would leave 6 rows.
  BOOST_TEST(rows_to_measure(9216, 64, 16000, false) == 8);
  BOOST_TEST(rows_to_measure(61440, 64, 16000, false) == 40);
  BOOST_TEST(rows_to_measure(6e5, 64, 16000, false) == 64);
  BOOST_TEST(rows_to_measure(61440, 64, 16000, true) == 24);
  BOOST_TEST(rows_to_measure(3, 5, 2000, false) == 5);  // there are no more
}

BOOST_AUTO_TEST_CASE(looks_become_fewer_before_they_cost_too_much) {
  for (double affordable : {6e3, 1.5e4, 6e4, 3e5, 3e7})
    for (int64_t steps : {1, 7, 30, 100, 1234})
      for (bool retain : {false, true}) {
        const int64_t rows = rows_to_measure(affordable, 64, 16000, retain);
        LookTokens look{250. * double(rows), 0};
        if (retain) look.retain = double(retention_to_measure(affordable, look.held_out));
        const int64_t every = steps_between_looks(affordable, steps, look);
        const int64_t looks = (steps + every - 1) / every;
        BOOST_TEST(every >= 1);
        BOOST_TEST(every <= steps);
        BOOST_TEST(looks <= 10);
        const double read = double(3 + looks) * look.held_out + double(1 + looks) * look.retain;
        const bool least = rows == 8 || look.retain == 512 || looks == 1;
        BOOST_TEST((least || read <= affordable), affordable << " tokens, " << steps << " steps");
      }
  BOOST_TEST(steps_between_looks(3e8, 100, {16000, 16384}) == 10);
  BOOST_TEST(steps_between_looks(3e8, 114, {16000, 0}) == 12);
  BOOST_TEST(steps_between_looks(300, 30, {16000, 0}) == 30);  // the end alone
}

BOOST_AUTO_TEST_CASE(a_short_run_measures_on_fewer_rows_and_its_options_say_so) {
  const ScratchFolder scratch;
  const std::string model = large_model(scratch.path());
  const Workbench all = bench_of(model, 10, Measured::all),
                  share = bench_of(model, 10, Measured::share);
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
  const Workbench given = bench_of(model, 10, Measured::all, share.data);
  BOOST_TEST(given.choice.sha256 == share.choice.sha256);
  BOOST_TEST(given.final.sha256 == share.final.sha256);
  BOOST_TEST(given.retain.sha256 == share.retain.sha256);
  BOOST_TEST(holds(measuring_sentence(share), "8 rows for the curve"), measuring_sentence(share));
}

BOOST_AUTO_TEST_CASE(seconds_of_a_small_model_are_not_saved) {
  const Workbench small = bench_of(source + "/data/pocket", 10, Measured::share);
  BOOST_TEST(small.data.eval_rows == 64);
  BOOST_TEST(small.run.eval_every == 1);
}

// More steps would afford more rows, and the figures of both would not be of the same rows.
BOOST_AUTO_TEST_CASE(a_run_that_goes_on_is_measured_on_the_rows_it_began_with) {
  const ScratchFolder scratch;
  const std::string model = large_model(scratch.path());
  const Workbench begun = bench_of(model, 10, Measured::share);
  RunPlan plan;
  plan.method = parse_method("full");
  DataOptions data;
  measure_as_before(data, replay_of(plan, begun));
  BOOST_TEST(data.eval_rows == 8);
  BOOST_TEST(data.retain_tokens == 512);
  const Workbench longer = bench_of(model, 1000, Measured::share, data);
  BOOST_TEST(longer.choice.sha256 == begun.choice.sha256);
  data.eval_rows = 12;  // given
  measure_as_before(data, replay_of(plan, begun));
  BOOST_TEST(data.eval_rows == 12);
  measure_as_before(data, Json());
  BOOST_TEST(data.eval_rows == 12);
}

BOOST_AUTO_TEST_SUITE_END()
