// what-if as a user runs it: tables that grow, pages, findings, and nothing lost.
#include <filesystem>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

using namespace afina;

namespace {

struct Given {
  ScratchFolder folder;
  std::string data, out = folder / "out";
  Given() {
    std::string text;
    for (int i = 0; i < 12; ++i)
      text += R"({"prompt": "What is )" + std::to_string(i) + R"(?", "completion": "It is )" +
              std::to_string(i * i) + R"(."})" + "\n";
    data = folder.put("rows.jsonl", text);
  }
  Said with(const std::string& to, Words more) const {
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
                 "2",
                 "--batch",
                 "2",
                 "--method",
                 "lora:rank=1,lr=1e-2",
                 "--states",
                 "2",
                 "--out",
                 to};
    for (size_t i = 0; i < more.size(); ++i) {
      auto old = std::find(all.begin(), all.end(), more[i]);
      if (old == all.end() || !more[i].starts_with("--")) all.push_back(more[i]);
      else *(old + 1) = more[++i];
    }
    return run(all);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(what_if_command)

BOOST_AUTO_TEST_CASE(a_table_keeps_what_it_has_and_shows_findings) {
  const Given given;
  Said said = given.with(given.out, {"--leave-one-out", "4"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  const Json four = parse_json_file(given.out + "/what-if.json");
  BOOST_REQUIRE(four.at("rows").size() == 4u);
  const std::string estimates = read_text_file(given.out + "/estimates.json");
  const auto record = four.at("rows")[0].at("record").get<std::string>();
  const std::string findings = given.folder.put(
      "findings.jsonl",
      to_text(Json{{"check", "tone"}, {"place", record}, {"found", "a <b> word"}}, -1) + "\n" +
          R"({"check": "term", "place": "elsewhere, line 1"})" + "\n");

  // Fewer rows: the table of four stays.
  said = given.with(given.out, {"--leave-one-out", "2", "--resume", "--findings", findings});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  const Json again = parse_json_file(given.out + "/what-if.json");
  BOOST_TEST(again.at("rows") == four.at("rows"));
  BOOST_TEST(again.at("estimates") == four.at("estimates"));
  BOOST_TEST(read_text_file(given.out + "/estimates.json") == estimates);
  BOOST_TEST(again.at("findings").at("kinds")[0].at("kind") == "tone");
  const std::string page = read_text_file(given.out + "/report.html");
  for (const char* part : {"[tone]", "a &lt;b&gt; word", "What is ", "It is "})
    BOOST_TEST(holds(page, part), part);
  BOOST_TEST(holds(said.out, "against rows without"), said.out);

  // More rows: estimates of all of them; those at other states would not fit.
  said = given.with(given.out, {"--leave-one-out", "5", "--resume", "--states", "1"});
  BOOST_TEST((said.status == 1 && holds(said.err, "was made with --states 2")), said.err);
  said = given.with(given.out, {"--leave-one-out", "5", "--resume"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  const Json five = parse_json_file(given.out + "/what-if.json");
  BOOST_TEST(five.at("rows").size() == 5u);
  BOOST_TEST(five.at("estimates").at("loss").at("pairs") == 5);

  said = given.with(given.out, {"--without", "3"});
  BOOST_TEST(said.status == 1);
  said = given.with(given.out, {"--without", "3", "--resume"});
  BOOST_TEST((said.status == 1 && holds(said.err, "holds runs of --leave-one-out")), said.err);
}

BOOST_AUTO_TEST_CASE(neither_kind_of_table_replaces_the_other_and_wrong_findings_are_said) {
  const Given given;
  const std::string elsewhere =
      given.folder.put("other.jsonl", R"({"check": "term", "place": "elsewhere, line 1"})");
  Said said = given.with(given.folder / "one",
                         {"--leave-one-out", "1", "--estimates", "off", "--findings", elsewhere});
  BOOST_TEST((said.status == 1 && holds(said.err, "no finding is about a row")), said.err);
  std::string trained;
  for (int i = 1; i <= 12 && trained.empty(); ++i) {
    std::filesystem::remove_all(given.folder / "two");
    if (given.with(given.folder / "two", {"--without", std::to_string(i)}).status == 0)
      trained = std::to_string(i);
  }
  BOOST_REQUIRE(!trained.empty());
  const std::string path = given.folder / "two" + "/what-if.json", before = read_text_file(path);
  said = given.with(given.folder / "two", {"--leave-one-out", "1", "--resume"});
  BOOST_TEST((said.status == 1 && holds(said.err, "is of --without")), said.err);
  BOOST_TEST(read_text_file(path) == before);
}

BOOST_AUTO_TEST_CASE(a_refusal_leaves_no_folder) {
  const Given given;
  const std::string bad = given.folder.put("bad.jsonl", "{\"prompt\": 3}\n");
  const Said said = given.with(given.out, {"--leave-one-out", "1", "--data", bad});
  BOOST_TEST(said.status == 1, said.err);
  BOOST_TEST(!std::filesystem::exists(given.out));
}

BOOST_AUTO_TEST_SUITE_END()
