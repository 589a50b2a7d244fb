// Training again without rows: the same run where nothing is left out, and only the row's own part
// where something is.
#include "tools/runs/counterfactual.h"

#include <cmath>
#include <filesystem>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"
#include "tools/runs/influence.h"

using namespace afina;

namespace {

// Twelve short rows, one to a row of the batch, so that a step may lose all its targets.
Workbench small_bench(const std::string& data, int64_t batch) {
  ModelOptions model;
  model.path = source + "/data/pocket";
  model.init = true;
  model.device = DeviceChoice::cpu;
  DataOptions records;
  records.data = {data};
  records.length = 64;
  records.packing = OnOff::off;
  records.held_out = 2;
  RunOptions run;
  run.steps = 5;
  run.batch = batch;
  run.samples = 0;
  return open_workbench(model, records, run);
}
std::string rows(const ScratchFolder& folder) {
  std::string text;
  for (int i = 0; i < 12; ++i)
    text += R"({"prompt": "What is )" + std::to_string(i) + R"(?", "completion": "It is )" +
            std::to_string(i * i) + R"(."})" + "\n";
  return folder.put("rows.jsonl", text);
}
const char* const lora = "lora:rank=2";

}  // namespace

BOOST_AUTO_TEST_SUITE(counterfactual)

BOOST_AUTO_TEST_CASE(with_all_rows_it_is_the_run_that_train_makes) {
  ScratchFolder folder;
  const std::string data = rows(folder);
  const Said said = run({"train",
                         "--model",
                         source + "/data/pocket",
                         "--init",
                         "--device",
                         "cpu",
                         "--data",
                         data,
                         "--length",
                         "64",
                         "--pack",
                         "off",
                         "--held-out",
                         "2",
                         "--steps",
                         "5",
                         "--batch",
                         "2",
                         "--generations",
                         "0",
                         "--method",
                         std::string(lora) + ",lr=1e-2",
                         "--out",
                         folder / "run"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  const Workbench bench = small_bench(data, 2);
  Counterfactual runs(bench, parse_method(lora), 1e-2);
  runs.with_all();
  BOOST_TEST(runs.digest() == digest(folder / "run"));
}

BOOST_AUTO_TEST_CASE(a_row_left_out_from_any_state_gives_the_same_bits) {
  ScratchFolder folder;
  const Workbench bench = small_bench(rows(folder), 2);
  Counterfactual one(bench, parse_method(lora), 1e-2, 1), many(bench, parse_method(lora), 1e-2, 5);
  const Evaluation all = one.with_all();
  BOOST_TEST(all.mean == many.with_all().mean);
  const std::string digest = one.digest();
  int64_t late = -1, unused = -1;
  for (int64_t row = 0; row < int64_t(bench.train.rows.size()); ++row) {
    if (one.first_use(row) >= 2) late = row;
    if (one.uses(row) == 0) unused = row;
  }
  BOOST_REQUIRE(late >= 0);
  BOOST_TEST(one.steps_for({late}) == 5);
  BOOST_TEST(many.steps_for({late}) < 5);
  const Evaluation less = one.without({late});
  BOOST_TEST(less.mean != all.mean);
  BOOST_TEST(less.mean == many.without({late}).mean);
  BOOST_TEST(one.digest() == many.digest());
  BOOST_TEST(one.digest() != digest);
  // What no step uses changes nothing; nor does leaving out nothing from a state half-way.
  if (unused >= 0) BOOST_TEST(one.without({unused}).mean == all.mean);
  many.restore(2);
  BOOST_TEST(many.without({}).mean == all.mean);
}

BOOST_AUTO_TEST_CASE(a_step_without_a_target_moves_by_momentum_alone) {
  ScratchFolder folder;
  const Workbench bench = small_bench(rows(folder), 1);
  Counterfactual runs(bench, parse_method("full"), 1e-3, 1);
  const Evaluation all = runs.with_all();
  int64_t row = 0;
  while (runs.first_use(row) != 0) ++row;  // the first step's only row
  const Evaluation less = runs.without({row});
  BOOST_TEST((std::isfinite(less.mean) && less.mean != all.mean));
}

BOOST_AUTO_TEST_CASE(masking_moves_no_token_and_no_other_target) {
  Batch batch;
  batch.rows = 1;
  batch.length = 6;
  batch.tokens = {1, 2, 3, 4, 5, 0};
  batch.targets = {-1, 3, 4, -1, 6, -1};
  batch.starts = {0, 0, 2, 2, 4, 0};
  batch.samples = {7, 7, 8, 8, 17, -1};  // of 10 rows: rows 7, 8, and 7 in the next epoch
  batch.target_count = 3;
  int64_t left = 0;
  const Batch out = masked(batch, {7}, 10, left);
  BOOST_TEST(left == 1);
  BOOST_TEST((out.targets == std::vector<int32_t>{-1, -1, 4, -1, -1, -1}));
  BOOST_TEST((out.tokens == batch.tokens && out.starts == batch.starts));
  BOOST_TEST(out.target_count == 3);
}

BOOST_AUTO_TEST_CASE(rank_correlation_of_known_lists) {
  const auto close = boost::test_tools::tolerance(1e-12);
  const std::vector<double> a = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  std::vector<double> squares, down;
  for (double x : a) {
    squares.push_back(x * x);
    down.push_back(-x);
  }
  BOOST_TEST(rank_correlation(a, squares).rho == 1, close);
  BOOST_TEST(rank_correlation(a, squares).low == 1, close);
  BOOST_TEST(rank_correlation(a, down).rho == -1, close);
  // Ties have their mean rank: ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4.
  BOOST_TEST(rank_correlation({1, 2, 2, 3}, {1, 2, 3, 4}).rho == std::sqrt(0.9), close);
  BOOST_TEST(std::isnan(rank_correlation({1, 2, 2, 3}, {1, 2, 3, 4}).low));
  BOOST_TEST(std::isnan(rank_correlation({1, 1, 1}, {1, 2, 3}).rho));
  BOOST_TEST(rank_correlation({1, NAN, 2, 3}, {1, 2, 3, 4}).pairs == 3);
}

BOOST_AUTO_TEST_CASE(the_command_leaves_out_goes_on_and_refuses) {
  ScratchFolder folder;
  const std::string data = rows(folder), out = folder / "out";
  Words all = {"what-if",
               "--model",
               source + "/data/pocket",
               "--init",
               "--data",
               data,
               "--length",
               "64",
               "--held-out",
               "2",
               "--steps",
               "3",
               "--batch",
               "2",
               "--method",
               "lora:rank=2,lr=1e-2",
               "--out",
               out,
               "--leave-one-out",
               "4",
               "--states",
               "2"};
  auto with = [&](Words more) {
    Words whole = all;
    whole.insert(whole.end(), more.begin(), more.end());
    return run(whole);
  };
  Said said = with({"--part", "2/2"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "2 runs of 4 not made yet"), said.out);
  said = with({});
  BOOST_TEST((said.status == 1 && holds(said.err, "add --resume")), said.err);
  said = with({"--resume"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "kept 2 runs"), said.out);
  const Json json = parse_json_file(out + "/what-if.json");
  BOOST_TEST(json.at("rows").size() == 4u);
  BOOST_TEST(json.at("estimates").at("tracin").at("pairs").get<int>() == 4);
  said = with({"--resume", "--seed", "9"});
  BOOST_TEST((said.status == 1 && holds(said.err, "seed was 1 when")), said.err);
  BOOST_TEST(run({"what-if", "--model", "m", "--data", data, "--method", "full:lr=1", "--out",
                  folder / "x"})
                 .status == 2);
}

BOOST_AUTO_TEST_SUITE_END()
