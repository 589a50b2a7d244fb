// --findings of train and compare: losses of rows with findings in the run's figures and pages.
#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(found_rows)

BOOST_AUTO_TEST_CASE(train_and_compare_show_findings_beside_losses) {
  const ScratchFolder folder;
  std::string rows, found;
  for (int i = 1; i <= 12; ++i) {
    rows += R"({"prompt": "What is )" + std::to_string(i) + R"(?", "completion": "It is )" +
            std::to_string(i * i) + R"(."})" + "\n";
    found += R"({"check": ")" + std::string(i % 2 ? "tone" : "term") + R"(", "place": ")" +
             (folder / "rows.jsonl") + ", line " + std::to_string(i) +
             R"(", "found": "a <b> word"})" + "\n";
  }
  const std::string data = folder.put("rows.jsonl", rows);
  folder.put("findings.jsonl", found);
  auto with = [&](const char* command, const std::string& out, const std::string& findings) {
    return run(
        words(command, out,
              {"--data", data, "--held-out", "2", "--length", "64", "--steps", "1", "--generations",
               "0", "--method", "lora:rank=1,lr=1e-2", "--findings", findings}));
  };
  Said said = with("train", folder / "run", folder / "");
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(said.out.find("loss before") != std::string::npos, said.out);
  const Json losses = parse_json_file(folder / "run/run.json").at("run").at("row_findings");
  BOOST_TEST(losses.at("rows") == 10);
  BOOST_TEST(losses.at("found") == 10);
  BOOST_TEST(losses.at("without").at("rows") == 0);
  BOOST_TEST(losses.at("kinds").size() == 2u);
  BOOST_TEST(losses.at("kinds")[0].at("before").get<double>() > 0);
  BOOST_TEST(losses.at("worst")[0].at("answer").get<std::string>().find("It is") == 0u);
  const std::string page = read_text_file(folder / "run/report.html");
  for (const char* part : {"[tone]", "a &lt;b&gt; word", "loss before"})
    BOOST_TEST((page.find(part) != std::string::npos), part);

  // Finished with these findings: others are not shown in their place without a word.
  Words again = words(
      "train", folder / "run",
      {"--data", data, "--held-out", "2", "--length", "64", "--steps", "1", "--generations", "0",
       "--method", "lora:rank=1,lr=1e-2", "--findings", folder / "findings.jsonl", "--resume"});
  said = run(again);
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(said.out.find("those are shown") != std::string::npos, said.out);

  said = with("compare", folder / "compared", folder / "findings.jsonl");
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  const Json compared = parse_json_file(folder / "compared/results.json");
  const Json& same = compared.at("methods")[0].at("runs")[0].at("row_findings");
  BOOST_TEST(same.at("kinds") == losses.at("kinds"));
  BOOST_TEST(same.at("worst") == losses.at("worst"));
  BOOST_TEST(read_text_file(folder / "compared/report.html").find("[term]") != std::string::npos);

  said = with("train", folder / "none", folder.put("empty.jsonl", ""));
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(said.out.find("has no findings about the rows") != std::string::npos, said.out);

  const std::string other =
      folder.put("other.jsonl", R"({"check": "term", "place": "elsewhere, line 1"})");
  said = with("train", folder / "refused", other);
  BOOST_TEST(said.status == 1);
  BOOST_TEST(said.err.find("no finding is about a row") != std::string::npos, said.err);
  BOOST_TEST(!std::filesystem::exists(folder / "refused/run.json"));
}

BOOST_AUTO_TEST_SUITE_END()
