// Problems of records: kinds, their numbers, the first of each.
#include "data/problems.h"

#include "test/data/samples.h"

using namespace afina;
using namespace afina::samples_test;

BOOST_AUTO_TEST_SUITE(problems)

BOOST_AUTO_TEST_CASE(kinds_are_told_apart_and_counted) {
  Problems problems;
  BOOST_TEST(problems.summary(3) == "");
  problems.add("d.jsonl, line 3: field \"a\": expected a string, found 2; the fields are: a, b");
  problems.add("d.jsonl, line 14: field \"b\": expected a string, found 7; the fields are: c");
  BOOST_TEST(problems.summary(20).find("line 3") != std::string::npos);
  BOOST_TEST(problems.summary(20).ends_with("(2 of 20 records have a problem of this kind)"));
  Problems one;
  one.add("d.jsonl, line 1: it is empty");
  BOOST_TEST(one.summary(1).ends_with("(1 of 1 record has a problem of this kind)"));
  BOOST_TEST(one.summary(3).ends_with("(1 of 3 records has a problem of this kind)"));
  Problems others;
  others.add("d.jsonl, line 15: field \"b\": expected a string, found 7");
  others.add("d.jsonl, line 16: it is empty");
  problems.add(others);
  BOOST_TEST(problems.count() == 4);
  BOOST_TEST(problems.summary(20) ==
             "4 of 20 records have problems of 2 kinds:\n"
             "  d.jsonl, line 3: field \"a\": expected a string, found 2; the fields are: a, b "
             "(3 of 20 records)\n"
             "  d.jsonl, line 16: it is empty (1 of 20 records)");
  BOOST_REQUIRE(problems.notes().size() == 2u);
  BOOST_TEST(problems.notes()[1] ==
             "1 record was left out (--on-problem skip): d.jsonl, line 16: it is empty");
  for (int i = 0; i < 200; ++i) problems.add("kind " + std::string(size_t(i + 1), 'x'));
  BOOST_TEST(problems.count() == 204);
  BOOST_TEST(problems.notes().size() == 13u);
}

BOOST_AUTO_TEST_CASE(every_kind_of_bad_record_is_left_out_or_named) {
  const std::string good = R"({"prompt": "Q?", "completion": "A."})";
  const std::string file = good + R"(
{"prompt": "Q?", "completion": ""}
{"prompt": "Q?", "completion": NaN}
{"prompt": "Q?", "completion": null}
{"prompt": "Q?", "completion": true}
{"prompt": "Q?"}
{"question": "Q?", "answer": "A."}
[1]
{"prompt": "Q?
{"prompt": "Q?", "completion": "B.<|im_end|>"}
{"prompt": "Q?", "completion": " \n"}
)" + good;
  ExampleOptions reading;
  reading.keep_problems = true;
  const std::vector<Example> examples = parse_examples(file, "d.jsonl", reading);
  BOOST_TEST(examples.size() == 12u);
  SampleOptions options = options_of(32);
  check_error([&] { make_samples(examples, pocket(), chatml(), options); },
              {"10 of 12 records have problems of 7 kinds",
               "d.jsonl, line 2: there is no answer to learn from", "(2 of 12 records", "NaN",
               "line 4: field \"completion\": expected a string, found nothing", "(3 of 12",
               "found true (write it as a string", "expected an object, found an array",
               "line 9, column", "<|im_end|>", "--on-problem skip"});
  options.on_problem = OnProblem::skip;
  const Samples rest = make_samples(examples, pocket(), chatml(), options);
  BOOST_TEST(rest.rows.size() == 2u);
  BOOST_TEST(rest.skipped == 10);
  BOOST_TEST(rest.rows[1].example == 11);
  BOOST_TEST(rest.notes.size() == 7u);
  // Without keep_problems the reader itself names them.
  check_error([&] { parse_examples(file, "d.jsonl"); }, {"9 of 12 records", "6 kinds"});
}

BOOST_AUTO_TEST_CASE(all_too_long_is_said_with_the_shortest) {
  std::string words;
  for (int i = 0; i < 40; ++i) words += " word";
  SampleOptions options = options_of(16);
  options.on_too_long = OnTooLong::skip;
  const std::vector<Example> examples = {asked(words + words, "A."), asked(words, "B.")};
  check_error([&] { make_samples(examples, pocket(), chatml(), options); },
              {"no record is left", "2 of 2", "2 are longer than --length 16",
               "the shortest has 52 tokens"});
  Samples left_out;
  BOOST_TEST(first_usable(examples, 2, pocket(), chatml(), options, &left_out).empty());
  BOOST_TEST(left_out.examples == 2);
  BOOST_TEST(left_out.too_long == 2);
  BOOST_TEST(left_out.shortest_too_long == 52);
}

BOOST_AUTO_TEST_SUITE_END()
