// Agreement of answers, and what checks find in them.
#include "tools/runs/answer_figures.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

using namespace afina;

BOOST_AUTO_TEST_SUITE(figures_of_answers)

BOOST_AUTO_TEST_CASE(values_and_words_are_told_apart) {
  const TextAgreement same =
      agreement("Send the parcel back within 2 weeks.", "Within 14 days send the parcel back!");
  BOOST_TEST(same.values == 1);
  BOOST_TEST(same.terms == 1);
  const TextAgreement other = agreement("It costs 4 euros.", "It costs 9 euros.");
  BOOST_TEST(other.values == 0);
  BOOST_TEST(other.terms == 1);
  BOOST_TEST(agreement("The parcel leaves.", "The package leaves.").terms == 1. / 3,
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(std::isnan(agreement("Yes, gladly.", "No.").values));
}

BOOST_AUTO_TEST_CASE(samples_are_compared_with_each_other_and_with_the_record) {
  auto example = [](const std::string& question, const std::string& answer, int line) {
    return Example{
        {{"user", question}, {"assistant", answer}}, "", "a.jsonl, line " + std::to_string(line)};
  };
  const std::vector<Example> asked = {example("How much?", "It costs 4 euros.", 1),
                                      example("Really?", "Yes, gladly.", 2)};
  std::vector<Example> house;
  for (int i = 0; i < 40; ++i)
    house.push_back(example(
        "Question " + std::to_string(i) + "?",
        "Hi there,\nThe answer number " + std::to_string(i) + " is here.\nBye, Ann", i + 1));
  const SampledAnswers answers = {{"It costs 4 euros.", "It costs 4 euros.", "It costs 9 euros."},
                                  {"Yes, gladly.", "Yes, gladly.", "Yes, gladly."}};
  const AnswerFigures f = answer_figures(asked, answers, house, chosen_checks("sign-off", ""));
  const auto close = boost::test_tools::tolerance(1e-12);
  BOOST_TEST(f.right == 2. / 3, close);  // of the first question: the second has no value
  BOOST_TEST(f.values == 1. / 3, close);
  BOOST_TEST(f.terms == 1, close);
  BOOST_TEST(f.found == 1, close);  // none ends as the records do
  BOOST_TEST(f.voice == 1, close);
  BOOST_TEST(f.checks.at("sign-off") == 1, close);
  BOOST_TEST(std::isnan(answer_figures(asked, answers, house, chosen_checks("cut", "")).voice));
}

BOOST_AUTO_TEST_SUITE_END()
