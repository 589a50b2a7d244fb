// Findings beside losses: what is read, how rows are grouped, and what is refused.
#include "tools/results/row_findings.h"

#include <boost/test/unit_test.hpp>
#include <limits>

#include "engine/error.h"
#include "test/scratch.h"
#include "tools/results/results.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(row_findings_of_a_run)

BOOST_AUTO_TEST_CASE(rows_are_grouped_by_kind_and_the_highest_loss_comes_first) {
  const FoundRows found = {{"a, line 1", {{"tone", "loud"}, {"tone", "again"}, {"cut", ""}}},
                           {"a, line 3", {{"tone", ""}}},
                           {"a, line 9", {{"cut", ""}}}};
  const double none = std::numeric_limits<double>::quiet_NaN();
  const RowFindings all = row_findings("checked", found,
                                       {{"a, line 1", "", 4, 1, {}},
                                        {"a, line 2", "", 3, 0.5, {}},
                                        {"a, line 3", "", 2, 3, {}},
                                        {"a, line 4", "", none, 1, {}}});
  BOOST_TEST(all.rows == 3);
  BOOST_TEST(all.found == 2);
  BOOST_REQUIRE(all.kinds.size() == 2u);
  BOOST_TEST(all.kinds[0].kind == "tone");  // once for each row
  BOOST_TEST(all.kinds[0].rows == 2);
  BOOST_TEST(all.kinds[0].before == 3);
  BOOST_TEST(all.kinds[0].after == 2);
  BOOST_TEST(all.kinds[1].rows == 1);
  BOOST_TEST(all.without.rows == 1);
  BOOST_TEST(all.without.after == 0.5);
  BOOST_REQUIRE(all.worst.size() == 2u);
  BOOST_TEST(all.worst[0].place == "a, line 3");
  BOOST_TEST(all.worst[1].found.size() == 3u);

  RunResult run;
  run.row_findings = all;
  Comparison comparison;
  comparison.methods.resize(1);
  comparison.methods[0].runs = {run};
  const RowFindings back =
      *comparison_from_json(to_json(comparison)).methods[0].runs[0].row_findings;
  BOOST_TEST(back.kinds[0].after == 2);
  BOOST_TEST(back.worst[1].found[0].words == "loud");
  comparison.methods[0].runs[0].row_findings.reset();
  BOOST_TEST(!to_json(comparison).at("methods").at(0).at("runs").at(0).contains("row_findings"));
}

BOOST_AUTO_TEST_CASE(findings_of_other_rows_are_refused) {
  const ScratchFolder folder;
  const std::string path = folder.put(
      "findings.jsonl",
      "{\"check\": \"term\", \"place\": \"b, line 1\", \"found\": \"car\", \"expected\": \"van\"}\n"
      "\n");
  const FoundRows found = read_found(folder / "");
  BOOST_TEST(found.at("b, line 1")[0].words == "car; most others: van");
  BOOST_CHECK_EXCEPTION(row_findings(path, found, {{"a, line 1", "", 1, 1, {}}}), Error,
                        [](const Error& error) {
                          return std::string(error.what()).find("a, line 1") != std::string::npos;
                        });
  BOOST_TEST(row_findings(path, {}, {{"a, line 1", "", 1, 1, {}}}).without.rows == 1);
  folder.put("findings.jsonl", "{\"check\": \"term\"}\n");
  BOOST_CHECK_THROW(read_found(path), Error);

  // Rows without a finding have a line of that name.
  folder.put("findings.jsonl", "{\"check\": \"none\", \"place\": \"b, line 1\"}\n");
  BOOST_CHECK_EXCEPTION(read_found(path), Error, [](const Error& error) {
    return std::string(error.what()).find("another name") != std::string::npos;
  });
  // A line is named once.
  folder.put("findings.jsonl", "{\"check\": \"a\", \"place\": \"b\"}\n{\"check\": }\n");
  BOOST_CHECK_EXCEPTION(read_found(path), Error, [](const Error& error) {
    const std::string text = error.what();
    return text.find("line 2, column 11") != std::string::npos &&
           text.find("line 1") == std::string::npos;
  });
}

BOOST_AUTO_TEST_SUITE_END()
