// afina check --model as a user runs it: measures beside findings, findings borne out or left out.
#include "tools/checks/with_model.h"

#include <boost/test/unit_test.hpp>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

using namespace afina;

namespace {

// 48 letters about parcels and money, and in one of them a sentence that says something else.
std::string letters() {
  const char* colours[] = {"red", "blue", "green", "white"};
  const char* things[] = {"lamp", "chair", "table", "shelf", "mirror", "rug"};
  std::string text;
  for (int i = 0; i < 48; ++i) {
    const std::string thing = std::string(colours[i % 4]) + " " + things[i / 4 % 6];
    const bool parcel = i < 24;
    text += "{\"prompt\": \"" +
            (parcel ? "When does the " + thing + " come?" : "Can I send the " + thing + " back?") +
            "\", \"completion\": \"" +
            (parcel ? "The " + thing + " arrives in eight days. The driver calls you before."
                    : "Yes, you can send the " + thing + " back. The money comes within a week.") +
            (i == 20 ? " Chill, dude, get lost!" : "") + "\"}\n";
  }
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(check_with_model)

BOOST_AUTO_TEST_CASE(a_sentence_out_of_place_and_the_measures_of_its_record) {
  ScratchFolder folder;
  const std::string data = folder.put("letters.jsonl", letters()), pocket = source + "/data/pocket";
  Said said = run({"check", "--data", data, "--model", pocket, "--only", "out-of-place",
                   "--warm-up-epochs", "4", "--out", folder / "out"});
  BOOST_TEST(said.status == 1, said.err);
  BOOST_TEST(holds(said.err, "48 records"), said.err);
  const std::string found = read_text_file(folder / "out/findings.jsonl");
  BOOST_TEST(holds(found, "Chill, dude"), found);
  BOOST_TEST(holds(found, "\"row\":21"), found);
  for (const char* key : {"loss", "loss_without_question", "loss_elsewhere", "loss_warmed"})
    BOOST_TEST(holds(found, "\"" + std::string(key) + "\":"), key);
  BOOST_TEST(std::count(found.begin(), found.end(), '\n') == 1, found);
  BOOST_TEST(holds(read_text_file(folder / "out/report.html"), "after a warm-up on the others"));
  // Not among those that are run when none is named.
  BOOST_TEST(!holds(run({"check", "--data", data, "--model", pocket, "--warm-up-epochs", "4"}).out,
                    "out-of-place"));
  // Without a warm-up this check has nothing to go by.
  said = run(
      {"check", "--data", data, "--model", pocket, "--only", "out-of-place", "--warm-up", "off"});
  BOOST_TEST(said.status == 0, said.out);
}

BOOST_AUTO_TEST_CASE(a_contradiction_with_the_cosine_of_its_gradients) {
  ScratchFolder folder;
  std::string text = letters();
  auto add = [&](const std::string& behind, const std::string& sentence) {
    const size_t at = text.find(behind);
    BOOST_REQUIRE(at != text.npos);
    text.insert(text.find("\"}", at), " " + sentence);
  };
  add("The red chair arrives", "Candles may be lit in our tower.");
  add("you can send the green shelf back", "Candles are forbidden in our tower.");
  const std::string data = folder.put("letters.jsonl", text);
  const Said said = run({"check", "--data", data, "--model", source + "/data/pocket", "--only",
                         "contradiction", "--warm-up-epochs", "4", "--conflict", "on"});
  BOOST_TEST(said.status == 1, said.err);
  BOOST_TEST(holds(said.out, "Candles are forbidden"), said.out);
  BOOST_TEST(holds(said.out, "; cosine of gradients "), said.out);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_asked) {
  ScratchFolder folder;
  const std::string data = folder.put("letters.jsonl", letters());
  BOOST_TEST(run({"check", "--data", data, "--warm-up", "full"}).status == 2);
  BOOST_TEST(
      run({"check", "--data", data, "--model", source + "/data/pocket", "--warm-up-epochs", "-1"})
          .status == 2);
  BOOST_TEST(run({"check", "--data", data, "--run", folder / "none"}).status == 2);
}

BOOST_AUTO_TEST_CASE(findings_beside_the_losses_of_a_run) {
  ScratchFolder folder;
  const std::string data = folder.put("letters.jsonl", letters());
  Said said = run({"train",
                   "--model",
                   source + "/data/pocket",
                   "--data",
                   data,
                   "--held-out",
                   "4",
                   "--steps",
                   "3",
                   "--batch",
                   "2",
                   "--length",
                   "64",
                   "--generations",
                   "0",
                   "--method",
                   "lora:rank=2,lr=1e-3",
                   "--watch",
                   "off",
                   "--out",
                   folder / "run"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  said = run({"check", "--data", data, "--run", folder / "run", "--warm-up", "off", "--out",
              folder / "out"});
  BOOST_TEST(said.status == 1, said.err);
  const std::string found = read_text_file(folder / "out/findings.jsonl");
  BOOST_TEST(holds(found, "\"loss_trained\":"), found);
  BOOST_TEST(holds(read_text_file(folder / "out/report.html"), "after training"));
}

BOOST_AUTO_TEST_SUITE_END()
