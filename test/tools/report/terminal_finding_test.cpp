// What a comparison found, in words for the terminal, and its answers before and after.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <sstream>
#include "test/tools/report/report_fixture.h"
#include "tools/report/report.h"
#include "tools/text/format.h"

using namespace afina;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The text with every run of white space as one space.
std::string flat(const std::string& text) {
  std::istringstream words(text);
  std::string line;
  for (std::string word; words >> word;) line += (line.empty() ? "" : " ") + word;
  return line;
}

// Two methods with one run each that learnt and forgot this much, of 1000 and 80 trained
// parameters.
Comparison learnt_and_forgot(double full_learnt, double full_forgot, double learnt, double forgot) {
  Comparison comparison;
  comparison.methods.resize(2);
  int which = 0;
  for (MethodResult& method : comparison.methods) {
    const bool full = which++ == 0;
    method.label = method.kind = full ? "full" : "lora";
    RunResult run;
    run.trained_parameters = full ? 1000 : 80;
    run.before = {4, 10, 100, 2, 100};
    run.after = {4 - (full ? full_learnt : learnt), 10, 100, 2 + (full ? full_forgot : forgot),
                 100};
    method.runs = {run};
  }
  return comparison;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(terminal_finding_words)

BOOST_AUTO_TEST_CASE(shares_of_what_full_learnt_and_forgot) {
  const std::string text = flat(terminal_finding(learnt_and_forgot(3, 0.5, 2.91, 0.2), false));
  BOOST_TEST(contains(text,
                      "lora learnt 97.0 % of what full learnt, forgot 40.0 % as much, and trained "
                      "8.0 % of its parameters."),
             text);
  BOOST_TEST(!contains(text, "equal learning"), text);
  BOOST_TEST(!contains(text, "One prompt"), text);
}

BOOST_AUTO_TEST_CASE(shares_that_would_be_nonsense_are_losses) {
  const std::string text = flat(terminal_finding(learnt_and_forgot(-1, -0.5, 2, 0.2), false));
  BOOST_TEST(contains(text, "lora learnt 2.0000 (full: -1.0000)"), text);
  BOOST_TEST(contains(text, "general text by +0.2000 (full: −0.5000)"), text);
}

// full was tried at held-out losses 1, 2 and 3 with retention losses 4, 2 and 1; LoRA at 1.5 and 3.
BOOST_AUTO_TEST_CASE(equal_learning_is_read_between_the_rates_tried) {
  Comparison comparison = learnt_and_forgot(3, 2, 2.5, 1);
  auto tried = [](double heldout, double retain) {
    SearchRow row;
    row.heldout = heldout;
    row.retain = retain;
    return row;
  };
  comparison.methods[0].search = {tried(3, 1), tried(1, 4), tried(2, 2)};
  comparison.methods[1].search = {tried(3, 1.5), tried(1.5, 2.5)};
  const std::string text = flat(terminal_finding(comparison, false));
  BOOST_TEST(contains(text,
                      "At equal learning (a held-out loss of 1.5000, between the rates tried) the "
                      "loss on general text is 2.5000 with lora and 3.0000 with full."),
             text);
  comparison.methods[0].search = {tried(1, 4), tried(1.2, 3)};  // never as little as LoRA
  BOOST_TEST(!contains(flat(terminal_finding(comparison, false)), "equal learning"));
}

BOOST_AUTO_TEST_CASE(a_prompt_with_its_answers_fits_eighty_columns) {
  Comparison comparison = fixture_comparison(2);
  for (MethodResult& method : comparison.methods)
    method.runs[0].generations[0].after += "\n\033[2J" + std::string(3000, 'x') + " end";
  const std::string text = terminal_finding(comparison, false);
  for (std::string part : {"One prompt", "answered before training", "Let x be the number",
                           "after full", "Each pack holds 6 pencils", "in the data", " ..."})
    BOOST_TEST(contains(text, part), part);
  BOOST_TEST(!contains(text, "\033"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    BOOST_TEST((display_width(line) <= 80 || contains(line, "xxx")), line);
  BOOST_TEST(contains(terminal_finding(comparison, true), "\033[1mOne prompt\033[0m"));
  Comparison lone;
  lone.methods.resize(1);
  BOOST_TEST(terminal_finding(lone, false) == "");
}

BOOST_AUTO_TEST_SUITE_END()
