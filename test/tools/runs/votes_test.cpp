// Votes on pairs of answers, read and counted.
#include "tools/runs/votes.h"

#include <boost/test/unit_test.hpp>

#include "engine/error.h"
#include "test/scratch.h"

using namespace afina;

namespace {

std::string pair_of(int line, const char* first, const char* second, const char* vote) {
  return R"({"place": "d.jsonl, line )" + std::to_string(line) + R"(", "first": ")" + first +
         R"(", "second": ")" + second + R"(", "vote": )" + vote + R"(, "better": null})";
}
std::string file_of(const std::string& votes) {
  return R"({"records": "d.jsonl", "totals": [], "votes": [)" + votes + "]}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(votes)

BOOST_AUTO_TEST_CASE(votes_of_readers_are_counted_whichever_answer_stood_first) {
  const ScratchFolder folder;
  const Ballot anna =
      read_votes(folder.put("anna.json", file_of(pair_of(1, "base", "shop", R"("second")") + "," +
                                                 pair_of(2, "shop", "base", R"("first")") + "," +
                                                 pair_of(3, "shop", "base", R"("neither")") + "," +
                                                 pair_of(4, "shop", "base", "null"))));
  const Ballot ben =
      read_votes(folder.put("ben.json", file_of(pair_of(1, "shop", "base", R"("first")") + "," +
                                                pair_of(2, "shop", "base", R"("second")"))));
  const std::vector<Preference> all = preferences({anna, ben});
  BOOST_REQUIRE(all.size() == 1u);
  BOOST_TEST(all[0].one == "base");
  BOOST_TEST(all[0].one_better == 1);
  BOOST_TEST(all[0].other_better == 3);
  BOOST_TEST(all[0].neither == 1);
  BOOST_TEST(all[0].open == 1);
  // Of the pair of line 1 both say the same, of that of line 2 each another.
  BOOST_TEST(all[0].pairs_for_one == 0);
  BOOST_TEST(all[0].pairs_for_other == 1);
  BOOST_TEST(all[0].share().share() == 0.);
  const Share same = agreement({anna, ben});
  BOOST_TEST(same.passed == 1);  // of the pair of line 1, not of line 2
  BOOST_TEST(same.of == 2);
  const Json json = preferences_json({anna, ben});
  BOOST_TEST(json.at("preferences")[0].at("better")[1] == 3);
  BOOST_TEST(json.at("agreement").at("share") == 0.5);
}

BOOST_AUTO_TEST_CASE(what_are_no_votes_is_refused) {
  const ScratchFolder folder;
  auto refused = [&](const std::string& text, const char* part) {
    try {
      read_votes(folder.put("v.json", text));
      BOOST_ERROR("read " << text);
    } catch (const Error& error) {
      BOOST_TEST(std::string(error.what()).find(part) != std::string::npos, error.what());
    }
  };
  refused("[]", "that votes.html saves");
  refused(file_of(""), "no pair of answers");
  refused(file_of(pair_of(1, "a", "b", R"("both")")), "vote 1, vote: expected first, second");
  refused(file_of(pair_of(1, "a", "a", "null")), "both answers are of 'a'");
  refused(R"({"votes": [{"place": "x"}]})", "vote 1");
  refused(file_of(pair_of(1, "a", "b", "null") + "," + pair_of(1, "b", "a", R"("first")")),
          "vote 2: is of the same two answers as vote 1");
}

BOOST_AUTO_TEST_SUITE_END()
