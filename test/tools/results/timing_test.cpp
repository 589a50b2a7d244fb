// What times are worth: quartiles of steps, notes about a busy machine, intervals in tables.
#include <boost/test/unit_test.hpp>

#include "test/tools/report/report_fixture.h"
#include "tools/report/facts.h"
#include "tools/report/report.h"
#include "tools/results/results.h"

using namespace afina;

namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Every run got this share of two threads.
Comparison with_shares(double share, double load) {
  Comparison c = fixture_comparison(2);
  for (MethodResult& method : c.methods)
    for (RunResult& run : method.runs)
      run.machine_use = {share * 2 * run.seconds.training(), 2 * run.seconds.training(), load};
  return c;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(timing)

BOOST_AUTO_TEST_CASE(quartiles_of_steps_by_hand) {
  // Steps of 1, 2, 4 and 8 s, and of two runs together 1, 1, 2, 2, 4, 4, 8, 8.
  std::vector<StepPoint> curve;
  double seconds = 0;
  for (double step : {4., 1., 8., 2.}) {
    StepPoint point;
    point.seconds = seconds += step;
    curve.push_back(point);
  }
  StepSeconds one = step_seconds({&curve});
  BOOST_TEST(one.lower_quartile == 1.75);
  BOOST_TEST(one.median == 3.);
  BOOST_TEST(one.upper_quartile == 5.);
  StepSeconds two = step_seconds({&curve, &curve});
  BOOST_TEST(two.lower_quartile == 1.75);
  BOOST_TEST(two.median == 3.);
  BOOST_TEST(two.upper_quartile == 5.);
  BOOST_TEST(step_seconds({}).median == 0.);
  const std::vector<StepPoint> none;
  BOOST_TEST(step_seconds({&none}).median == 0.);
}

BOOST_AUTO_TEST_CASE(a_busy_machine_is_not_compared_in_silence) {
  BOOST_TEST(timing_notes(fixture_comparison(2)).empty());  // nothing was measured
  BOOST_TEST(timing_notes(with_shares(0.97, 2.1)).empty());
  BOOST_TEST(timing_notes(with_shares(0.7, 1.2)).empty());  // serial parts, and nobody else
  std::vector<std::string> notes = timing_notes(with_shares(0.5, 4.5));
  BOOST_REQUIRE(notes.size() == 1u);
  BOOST_TEST((holds(notes[0], "other programs ran") && holds(notes[0], "50 %")), notes[0]);
  Comparison c = with_shares(0.97, 2.1);
  RunResult& busy = c.methods[1].runs[1];
  busy.machine_use.processor_seconds *= 0.88;  // less than a tenth of all threads' time apart
  BOOST_TEST(timing_notes(c).size() == 1u);
  busy.machine_use.processor_seconds *= 0.95 / 0.88;
  BOOST_TEST(timing_notes(c).empty());
  busy.machine_use.processor_seconds *= 0.6;
  busy.machine_use.load = 5.2;
  notes = timing_notes(c);
  BOOST_REQUIRE(notes.size() == 1u);
  for (const char* part : {"not of equal conditions", "97 %", "LoRA r 8 with seed 2 got 55 %",
                           "load 5.2", "processor seconds"})
    BOOST_TEST(holds(notes[0], part), notes[0]);
  for (const std::string& text : {report_html(c), summary_markdown(c), terminal_table(c, false)})
    BOOST_TEST(holds(text, "not of equal"));
  // They follow from the runs: results that differ in times alone keep equal notes.
  BOOST_TEST(comparison_from_json(to_json(c)).notes == c.notes);
  BOOST_TEST(to_json(c)["timing_notes"].size() == 1u);
}

BOOST_AUTO_TEST_CASE(times_have_intervals_and_processor_time_stands_beside_them) {
  Comparison c = with_shares(0.9, 1.5);
  c.methods[0].runs[1].seconds.backward *= 1.1;
  for (MethodResult& method : c.methods)
    for (RunResult& run : method.runs) run.step_seconds = step_seconds({&run.curve});
  const std::string table = terminal_table(c, false, 120), markdown = summary_markdown(c);
  for (const char* row : {"Time, training", "Time, processor", "Time, a step, median"})
    BOOST_TEST((holds(table, row) && holds(markdown, row)), row);
  const std::string line = table.substr(table.find("Time, training"));
  BOOST_TEST(holds(line.substr(0, line.find("\n")), "±"), line);
  BOOST_TEST(holds(markdown, "load average"));
  const MethodSummary summary = summarise(c.methods[0]);
  BOOST_TEST(summary.processor_seconds.count == 2);
  BOOST_TEST(summary.step_seconds.median > 0);
  BOOST_TEST(holds(time_sentence(c.methods[0].runs[0]), "90.0 % of what the threads"));
}

// A run that diverged ended early, and its times are no costs of its method.
BOOST_AUTO_TEST_CASE(a_diverged_run_does_not_lower_the_costs) {
  Comparison c = with_shares(0.9, 1.5);
  MethodResult& method = c.methods[1];
  const double seconds = method.runs[0].seconds.training();
  method.runs[1].diverged = 3;
  method.runs[1].seconds = {};
  method.runs[1].after.heldout = std::nan("");
  const MethodSummary summary = summarise(method);
  BOOST_TEST(summary.diverged);
  BOOST_TEST(summary.seconds.training() == seconds);
  BOOST_TEST(summary.training_seconds.count == 1);
  BOOST_TEST(holds(terminal_table(c, false), "diverged at step 3 with seed 2"));
  BOOST_TEST((comparison_from_json(to_json(c)).methods[1].runs[1].diverged == 3));
}

BOOST_AUTO_TEST_CASE(files_without_the_newer_keys_are_read) {
  OrderedJson json = to_json(fixture_comparison(1));
  for (OrderedJson& method : json["methods"]) {
    for (OrderedJson& run : method["runs"])
      for (const char* key : {"processor", "step_seconds", "diverged"}) run.erase(key);
    for (OrderedJson& row : method["search"]) row.erase("diverged");
  }
  const Comparison c = comparison_from_json(json);
  BOOST_TEST(!c.methods[0].runs[0].diverged);
  BOOST_TEST(c.methods[0].runs[0].machine_use.thread_seconds == 0.);
}

BOOST_AUTO_TEST_SUITE_END()
