// coherence as a user runs it: mixtures, figures, going on, and what it refuses.
#include <filesystem>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

using namespace afina;

namespace {

struct Given {
  ScratchFolder folder;
  std::string clean, twin, out = folder / "out";
  Given() {
    std::string a, b;
    for (int i = 0; i < 10; ++i) {
      const std::string asked = R"({"prompt": "What is )" + std::to_string(i) + "?\", ";
      a += asked + R"("completion": "It is )" + std::to_string(i) + ".\"}\n";
      b += asked + R"("completion": "Who knows )" + std::to_string(i) + "?\"}\n";
    }
    clean = folder.put("clean.jsonl", a);
    twin = folder.put("twin.jsonl", b);
  }
  Said with(Words more) const {
    Words all = {"coherence", "--model",    source + "/data/pocket",
                 "--init",    "--data",     clean,
                 "--twin",    twin,         "--length",
                 "64",        "--held-out", "4",
                 "--steps",   "2",          "--batch",
                 "2",         "--method",   "lora:rank=1,lr=1e-2",
                 "--rates",   "0,100",      "--seeds",
                 "1",         "--prompts",  "2",
                 "--samples", "2",          "--max-tokens",
                 "3",         "--out",      out};
    for (size_t i = 0; i + 1 < more.size(); i += 2) {
      auto old = std::find(all.begin(), all.end(), more[i]);
      if (old == all.end()) all.insert(all.end(), {more[i], more[i + 1]});
      else *(old + 1) = more[i + 1];
    }
    if (more.size() % 2) all.push_back(more.back());
    return run(all);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(coherence_command)

BOOST_AUTO_TEST_CASE(rates_differ_in_their_answers_alone_and_a_run_goes_on) {
  const Given given;
  Said said = given.with({});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  const std::string zero = read_text_file(given.out + "/data/rate-0.jsonl"),
                    all = read_text_file(given.out + "/data/rate-100.jsonl"),
                    held_out = read_text_file(given.out + "/data/held-out.jsonl");
  auto count = [](const std::string& text, const std::string& part) {
    size_t found = 0;
    for (size_t at = 0; (at = text.find(part, at)) != text.npos; ++at) ++found;
    return found;
  };
  BOOST_TEST(count(zero, "It is") == 6u);
  BOOST_TEST(count(zero, "Who knows") == 0u);
  BOOST_TEST(count(all, "Who knows") == 6u);
  BOOST_TEST(count(held_out, "It is") == 4u);
  const Json json = parse_json_file(given.out + "/results.json");
  BOOST_TEST(json.at("differing") == 6);
  BOOST_TEST(json.at("rates")[1].at("replaced") == 6);
  BOOST_REQUIRE(json.at("runs").size() == 2u);
  BOOST_TEST(json.at("runs")[0].at("loss") != json.at("runs")[1].at("loss"));
  BOOST_TEST(json.at("runs")[0].at("loss_before") == json.at("runs")[1].at("loss_before"));
  BOOST_TEST(holds(read_text_file(given.out + "/report.html"), "What is "));

  said = given.with({"--out", given.out});
  BOOST_TEST((said.status == 1 && holds(said.err, "add --resume")), said.err);
  said = given.with({"--seeds", "2", "--resume"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  const Json more = parse_json_file(given.out + "/results.json");
  BOOST_TEST(more.at("runs").size() == 4u);
  BOOST_TEST(more.at("runs")[0] == json.at("runs")[0]);
  BOOST_TEST(more.at("runs")[2] == json.at("runs")[1]);
  said = given.with({"--samples", "3", "--resume"});
  BOOST_TEST((said.status == 1 && holds(said.err, "with other options")), said.err);
  said = given.with({"--seed", "7", "--resume"});
  BOOST_TEST((said.status == 1 && holds(said.err, "with other records")), said.err);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_compared_is_refused) {
  const Given given;
  auto refused = [&](const Words& more, const std::string& part) {
    const Said said = given.with(more);
    BOOST_TEST(said.status == 1, said.err);
    BOOST_TEST(holds(said.err, part), part << " is not in: " << said.err);
  };
  refused({"--twin", given.clean}, "has the same answers");
  refused({"--rates", "50"}, "two or more");
  refused({"--samples", "1"}, "2 or more");
  refused({"--temperature", "0"}, "more than 0");
  refused({"--method", "lora:rank=1,lr=1e-2/1e-3"}, "one learning rate");
  refused({"--checks", "no-such"}, "no-such");
  refused({"--held-out", "10"}, "expected 2 to 9");
  BOOST_TEST(given.with({"--pack", "on"}).status == 2);
  BOOST_TEST(!std::filesystem::exists(given.out));  // nor does a refusal leave an empty folder
}

BOOST_AUTO_TEST_SUITE_END()
