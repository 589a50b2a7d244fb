// The sentence of the finding, in every situation that a comparison can end in.
#include "tools/report/finding.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "test/tools/report/report_fixture.h"
#include "tools/text/names.h"

namespace afina {

BOOST_AUTO_TEST_SUITE(report_finding)

struct Method {
  const char* label;
  const char* kind;
  std::vector<double> after;      // held-out losses, one a seed
  std::vector<double> forgotten;  // empty: not measured
  int64_t trained;
};

static RunResult run_of(const Method& method, size_t i) {
  RunResult run;
  run.seed = i + 1;
  run.trained_parameters = method.trained;
  run.total_parameters = 1000000;
  run.before.heldout = 8.0;
  run.after.heldout = method.after[i];
  if (!std::isfinite(method.after[i])) run.diverged = 3;
  if (!method.forgotten.empty()) {
    run.before.retain = 0.5;
    run.after.retain = 0.5 + method.forgotten[i];
  }
  run.curve.push_back({1, 10, 0.1, 8.0, 1e-3, 1});
  return run;
}
static Comparison comparison_of(const std::vector<Method>& methods) {
  Comparison comparison;
  for (const Method& method : methods) {
    MethodResult result;
    result.label = method.label;
    result.kind = method.kind;
    for (size_t i = 0; i < method.after.size(); i++) result.runs.push_back(run_of(method, i));
    comparison.methods.push_back(std::move(result));
  }
  return comparison;
}
static std::string found(const std::vector<Method>& methods) {
  const Comparison comparison = comparison_of(methods);
  return finding(Facts(comparison));
}

BOOST_AUTO_TEST_CASE(of_two_methods) {
  const Method full{"full", "full", {2.0}, {0.4}, 1000000};
  BOOST_TEST(found({full, {"LoRA r 8", "lora", {2.078}, {0.16}, 81000}}) ==
             "LoRA r 8 learned 98.7 % of what full fine-tuning learned, forgot 40 % as much, and "
             "trained 8.1 % of the parameters.");
  BOOST_TEST(found({full, {"LoRA r 8", "lora", {1.7}, {0.84}, 320}}) ==
             "LoRA r 8 learned 105 % of what full fine-tuning learned, forgot 2.1 times as much, "
             "and trained 0.032 % of the parameters.");
  BOOST_TEST(found({full, {"LoRA r 8", "lora", {2.6}, {0.001}, 81000}}) ==
             "LoRA r 8 learned 90.0 % of what full fine-tuning learned, forgot nothing measurable "
             "(full fine-tuning: +0.4000 nats), and trained 8.1 % of the parameters.");
  // In the order of the command line the reference may come second.
  BOOST_TEST(found({{"mine", "lora", {2.6}, {0.2}, 81000}, full}) ==
             "Mine learned 90.0 % of what full fine-tuning learned, forgot 50 % as much, and "
             "trained 8.1 % of the parameters.");
}

BOOST_AUTO_TEST_CASE(without_retention_text_or_without_forgetting) {
  const Method full{"full", "full", {2.0}, {}, 1000000};
  BOOST_TEST(found({full, {"LoRA r 8", "lora", {2.6}, {}, 81000}}) ==
             "LoRA r 8 learned 90.0 % of what full fine-tuning learned and trained 8.1 % of the "
             "parameters.");
  BOOST_TEST(found({{"full", "full", {2.0}, {0.001}, 1000000},
                    {"LoRA r 8", "lora", {2.6}, {-0.002}, 81000}}) ==
             "LoRA r 8 learned 90.0 % of what full fine-tuning learned, forgot nothing measurable, "
             "as did full fine-tuning, and trained 8.1 % of the parameters.");
  BOOST_TEST(found({{"full", "full", {2.0}, {-0.1}, 1000000},
                    {"LoRA r 8", "lora", {2.6}, {0.2}, 1000000}}) ==
             "LoRA r 8 learned 90.0 % of what full fine-tuning learned, forgot 0.2000 nats (full "
             "fine-tuning nothing measurable), and trained as many parameters.");
}

BOOST_AUTO_TEST_CASE(a_difference_within_its_interval_is_none) {
  BOOST_TEST(found({{"full", "full", {2.0, 2.1, 1.9}, {0.40, 0.50, 0.30}, 1000000},
                    {"LoRA r 8", "lora", {2.06, 2.02, 2.0}, {0.39, 0.42, 0.37}, 81000}}) ==
             "LoRA r 8 learned as much as full fine-tuning within the uncertainty (99.6 %), forgot "
             "as much within the uncertainty (98 %), and trained 8.1 % of the parameters.");
  BOOST_TEST(found({{"full", "full", {2.0, 2.01, 1.99}, {0.40, 0.41, 0.39}, 1000000},
                    {"LoRA r 8", "lora", {2.6, 2.61, 2.59}, {0.20, 0.21, 0.19}, 81000}}) ==
             "LoRA r 8 learned 90.0 % of what full fine-tuning learned, forgot 50 % as much, and "
             "trained 8.1 % of the parameters.");
}

BOOST_AUTO_TEST_CASE(who_did_not_learn_has_no_share) {
  const Method idle{"full", "full", {8.1}, {0.1}, 1000000},
      lora{"LoRA r 8", "lora", {2.0}, {0.2}, 81000};
  BOOST_TEST(found({idle, lora}) ==
             "Full fine-tuning did not lower the held-out loss (8.0000 before, 8.1000 after); "
             "LoRA r 8 lowered the held-out loss from 8.0000 to 2.0000.");
  BOOST_TEST(
      found({{"full", "full", {2.0}, {0.1}, 1000000}, {"LoRA r 8", "lora", {8.2}, {0.2}, 81000}}) ==
      "Full fine-tuning lowered the held-out loss from 8.0000 to 2.0000; LoRA r 8 did not "
      "lower the held-out loss.");
}

BOOST_AUTO_TEST_CASE(who_diverged_is_named) {
  const Method full{"full", "full", {2.0}, {0.4}, 1000000},
      lost{"LoRA r 8", "lora", {NAN}, {0.2}, 81000}, lora{"LoRA r 4", "lora", {2.6}, {0.2}, 40000};
  BOOST_TEST(
      found({full, lost}) ==
      "Full fine-tuning lowered the held-out loss from 8.0000 to 2.0000; LoRA r 8 diverged.");
  BOOST_TEST(found({full, lora, lost}) ==
             "LoRA r 4 learned 90.0 % of what full fine-tuning learned, forgot 50 % as much, and "
             "trained 4 % of the parameters; LoRA r 8 diverged.");
  BOOST_TEST(found({{"full", "full", {NAN}, {0.4}, 1000000}, lora}) ==
             "Full fine-tuning diverged at step 3, so that there are no ratios; LoRA r 4 lowered "
             "the held-out loss from 8.0000 to 2.6000.");
  BOOST_TEST(found({lost}) == "LoRA r 8 diverged at step 3: lower its learning rate.");
  // One seed of two: there is no mean.
  BOOST_TEST(
      found({full, {"LoRA r 8", "lora", {2.0, NAN}, {0.2, 0.2}, 81000}}) ==
      "Full fine-tuning lowered the held-out loss from 8.0000 to 2.0000; LoRA r 8 diverged.");
}

BOOST_AUTO_TEST_CASE(of_one_of_three_and_of_nine) {
  BOOST_TEST(found({{"LoRA r 8", "lora", {2.0}, {0.4}, 81000}}) ==
             "LoRA r 8 lowered the held-out loss from 8.0000 to 2.0000, raised the loss on the "
             "retention text by 0.4000, and trained 8.1 % of the model's parameters.");
  std::vector<Method> all = {{"full", "full", {2.0}, {0.4}, 1000000},
                             {"LoRA r 8", "lora", {2.6}, {0.2}, 81000},
                             {"LoRA r 64", "lora", {2.3}, {0.3}, 640000}};
  BOOST_TEST(found(all) ==
             "LoRA r 8 learned 90.0 % and LoRA r 64 95.0 % of what full fine-tuning learned; they "
             "forgot 50 % and 75 % as much and trained 8.1 % and 64 % of the parameters.");
  const char* more[] = {"a", "b", "c", "d", "e", "f"};
  for (int i = 0; i < 6; i++)
    all.push_back({more[i], "lora", {2.6 + 0.1 * i}, {0.3}, 1000 * (i + 1)});
  all[8].after = {7.5};  // learned next to nothing, and forgot nothing
  all[8].forgotten = {0.0};
  BOOST_TEST(found(all) ==
             "Of 8 methods beside full fine-tuning, LoRA r 64 learned most (95.0 % of what full "
             "fine-tuning learned); of those that learned at least half as much, LoRA r 8 forgot "
             "least (50 % as much, having learned 90.0 %). They trained 0.1 % to 64 % of the "
             "parameters.");
  BOOST_TEST(found({{"a", "lora", {}, {}, 0}}) == "Nothing was run.");
}

BOOST_AUTO_TEST_CASE(a_reference_that_is_not_full) {
  BOOST_TEST(found({{"LoRA r 8", "lora", {2.0}, {0.4}, 80000},
                    {"DoRA r 8", "dora", {2.6}, {0.2}, 81000}}) ==
             "DoRA r 8 learned 90.0 % of what LoRA r 8 learned, forgot 50 % as much, and trained "
             "101 % of the parameters.");
}

BOOST_AUTO_TEST_CASE(shares_have_the_interval_of_their_seeds) {
  const Comparison comparison = comparison_of({{"full", "full", {2.0, 3.0}, {0.4, 0.5}, 10},
                                               {"LoRA r 8", "lora", {2.6, 3.5}, {0.2, 0.25}, 1}});
  const Facts facts(comparison);
  const Estimate share = learned_share(facts, 1);  // 0.9 in both
  BOOST_TEST(share.mean == 0.9, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(share.has_interval());
  BOOST_TEST(std::fabs(share.half) < 1e-9);
  BOOST_TEST(forgotten_share(facts, 1).mean == 0.5, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(forgetting_difference(facts, 1).mean == -0.225, boost::test_tools::tolerance(1e-12));
  BOOST_TEST((clear_difference(facts, 1) == Clear::no || clear_difference(facts, 1) == Clear::yes));
  BOOST_TEST((clear_difference(facts, 0) == Clear::unknown));
}

// A method that learned little, but surely: how much the reference's rows differ is no doubt about
// it.
BOOST_AUTO_TEST_CASE(a_small_share_is_as_sure_as_what_was_measured) {
  Comparison comparison = fixture_comparison(3);
  for (RunResult& run : comparison.methods[1].runs) {
    double sum = 0;
    for (size_t i = 0; i < run.examples.losses.size(); i++) {
      run.examples.losses[i] = run.examples.before[i] - 0.002 - 0.0001 * double(i % 3);
      sum += run.examples.before[i] - run.examples.losses[i];
    }
    run.after.heldout = run.before.heldout - sum / double(run.examples.losses.size());
  }
  const Facts facts(comparison);
  const Estimate share = learned_share(facts, 1);
  BOOST_TEST(share.mean > 0.);
  BOOST_TEST(share.mean < 0.02);
  BOOST_TEST(share.has_interval());
  BOOST_TEST(share.low() > 0.);
}

BOOST_AUTO_TEST_CASE(more_than_the_reference_is_said_in_times) {
  const Method slight{"row-gain", "row-gain", {7.0}, {0.4}, 1000};
  BOOST_TEST(found({slight, {"LoRA r 8", "lora", {6.08}, {0.16}, 15200}}) ==
             "LoRA r 8 learned 1.9 times as much as row-gain, forgot 40 % as much, and trained 15 "
             "times as many parameters.");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
