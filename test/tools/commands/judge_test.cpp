// judge as a user runs it: shares, files, and everything that it refuses.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>

#include "engine/files/atomic_file.h"
#include "model/files/save.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"
#include "tools/runs/judging.h"
#include "tools/runs/load.h"

using namespace afina;

namespace {

// An adapter that changes what the pocket model says, and records of which some are answered right.
struct Given {
  ScratchFolder folder;
  std::string model = source + "/data/pocket", adapter = folder / "a", data, rules;
  Given() {
    ModelFiles files = open_model(model);
    auto made = build_model(files.config, *files.source,
                            make_method(parse_method("lora:rank=2,targets=q_proj+v_proj")), {});
    for (Parameter* p : made->parameters->trained()) {
      p->init = {Init::normal, 0.15f};
      initialise(*p, 1);
    }
    save_adapter(adapter, *made, model);
    std::string answer =
        run({"generate", "--model", model, "--prompt", "Where is my parcel?", "--max-tokens", "12"})
            .out;
    answer.pop_back();
    auto record = [](const std::string& question, const std::string& expected) {
      return to_text(Json{{"prompt", question}, {"completion", expected}}, -1) + "\n";
    };
    data = folder.put("data.jsonl", record("Where is my parcel?", answer) +
                                        record("What is 3 + 4? Order QC-12.", "7\n#### 7"));
    rules = folder.put("rules.json",
                       R"([{"name": "right", "exact": true}, {"name": "order", "keeps": "QC-\\d+"},
                           {"name": "short", "characters": [1, 1000]}])");
  }
};
const Given& given() {
  static Given one;
  return one;
}

Said judged(Words words) {
  words.insert(words.begin(), "judge");
  words.insert(words.end(), {"--max-tokens", "12"});
  return run(words);
}
void refused(const Words& words, int status, std::initializer_list<std::string> parts) {
  const Said said = judged(words);
  BOOST_TEST(said.status == status, said.err);
  for (auto& part : parts) BOOST_TEST(holds(said.err, part), part << " is not in: " << said.err);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(judge_command)

BOOST_AUTO_TEST_CASE(answers_are_judged_beside_their_losses) {
  const std::string out = given().folder / "judged";
  const Words words = {"--model",       given().model, "--data",      given().data, "--adapter",
                       given().adapter, "--rules",     given().rules, "--out",      out};
  const Said said = judged(words);
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "votes.html (2 pairs)"), said.out);
  const Json all = parse_json_file(out + "/judgement.json");
  BOOST_TEST(all.at("rows") == 2);
  const Json &base = all.at("models")[0], &adapted = all.at("models")[1];
  BOOST_TEST(base.at("name") == "base");
  BOOST_TEST(adapted.at("name") == "a");
  BOOST_TEST(base.at("rules").at("right").at("passed") == 1);
  BOOST_TEST(base.at("rules").at("right").at("of") == 2);
  BOOST_TEST(base.at("rules").at("order").at("of") == 1);  // the row that names one
  BOOST_TEST(adapted.at("rules").at("right").at("passed") == 0);
  BOOST_TEST(adapted.at("against_base").at("right").at("change") == -0.5);

  // The losses of rows and the answers are those of eval and generate.
  const std::string losses = given().folder / "losses.jsonl";
  run({"eval", "--model", given().model, "--data", given().data, "--out", losses});
  std::istringstream of_eval(read_text_file(losses)), lines(read_text_file(out + "/answers.jsonl"));
  std::string expected, of_base, of_adapter;
  for (int row = 0; row < 2; ++row) {
    std::getline(of_eval, expected);
    std::getline(lines, of_base);
    std::getline(lines, of_adapter);
    const Json one = parse_json(of_base, "answers.jsonl");
    BOOST_TEST(one.at("model") == "base");
    BOOST_TEST(to_text(one.at("loss")) == to_text(parse_json(expected, "losses").at("loss")));
    BOOST_TEST(to_text(one.at("loss")) != to_text(parse_json(of_adapter, "l").at("loss")));
    BOOST_TEST(one.at("rules").at("right") == (row == 0));
    BOOST_TEST(one.at("rules").at("order").is_null() == (row == 0));
    if (row == 0) BOOST_TEST(one.at("answer") == one.at("expected"));
  }
  BOOST_TEST(read_text_file(out + "/votes.html").size() > 1000u);

  // Never over somebody's result.
  refused(words, 1, {out, "is there already"});
}

BOOST_AUTO_TEST_CASE(a_run_is_judged_on_its_held_out_rows) {
  const std::string folder = given().folder / "run";
  const std::string data = source + "/data/samples/arithmetic.jsonl";
  const Said trained = run(words("train", folder,
                                 {"--method", "full", "--lr", "0.001", "--data", data, "--steps",
                                  "2", "--limit", "40", "--eval-every", "2"}));
  BOOST_REQUIRE_MESSAGE(trained.status == 0, trained.err);
  const Said said = judged({folder});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "3 rows: held-out rows of " + folder), said.out);
  for (const char* part :
       {"exact", "number", "all of them", "loss per target", "base", "run - base"})
    BOOST_TEST(holds(said.out, part), part << " is not in: " << said.out);
}

BOOST_AUTO_TEST_CASE(a_run_judges_its_answers_before_and_after) {
  const std::string folder = given().folder / "judged-run";
  const Words training = {"--data",         source + "/data/samples/arithmetic.jsonl",
                          "--steps",        "2",
                          "--limit",        "40",
                          "--eval-every",   "2",
                          "--rule",         "number",
                          "--rules",        given().rules,
                          "--judge-rows",   "2",
                          "--judge-tokens", "8"};
  Words all = {"--method", "lora:rank=2,lr=0.001"};
  all.insert(all.end(), training.begin(), training.end());
  const Said said = run(words("compare", folder, all));
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "Answers that pass"), said.out);
  const Json method = parse_json_file(folder + "/results.json").at("methods")[0];
  const Json& judged = method.at("runs")[0].at("judgement");
  BOOST_TEST(judged.at("rows").size() == 2u);
  BOOST_TEST(judged.at("rules").size() == 4u);
  BOOST_TEST(judged.at("rules")[3].at("name") == "number");
  BOOST_TEST(judged.at("rules")[1].at("after")[0].is_null());  // no order in the question
  BOOST_TEST(method.at("summary").at("accuracy").contains("interval_95"));
  const std::string run_folder =
      folder + "/" + method.at("runs")[0].at("folder").get<std::string>();
  std::istringstream answers(read_text_file(run_folder + "/answers.jsonl"));
  int lines = 0;
  for (std::string line; std::getline(answers, line);) ++lines;
  BOOST_TEST(lines == 4);  // two rows, before and after
  BOOST_TEST(holds(read_text_file(folder + "/report.html"), "Are the answers right?"));
  BOOST_TEST(holds(read_text_file(folder + "/summary.md"), "Are the answers right?"));
}

BOOST_AUTO_TEST_CASE(an_answer_that_a_rule_cannot_be_applied_to_is_kept) {
  // Tried on the expected answers before anything is generated.
  const std::string slow =
      given().folder.put("slow.json", R"([{"name": "slow", "matches": "(a+)+$"}])");
  const std::string data = given().folder.put(
      "slow.jsonl",
      to_text(Json{{"prompt", "?"}, {"completion", std::string(60, 'a') + "b"}}, -1) + "\n");
  refused({"--model", given().model, "--data", data, "--rules", slow}, 1, {"slow.json, rule 1"});

  std::vector<Rule> rules = {{"odd", "fails", [](const Exchange& e) {
                                require(e.answer == e.expected, "backtracks too often");
                                return Verdict::passed;
                              }}};
  ModelFiles files = open_model(given().model);
  auto model = load_model(files, "", Dtype::f32);
  const Tokenizer tokenizer = tokenizer_of(files);
  GenerateOptions options;
  options.most = 4;
  int64_t left_out = 0;
  const auto rows = judged_rows(read_examples(given().data, {}), false, left_out);
  try_rules(rules, rows);
  const Judged one = judge({"m", *model, tokenizer, ChatTemplate::choose({}, tokenizer), options},
                           rows, rules, nullptr, [](int64_t) {});
  BOOST_TEST(one.answers.size() == 2u);
  BOOST_TEST(std::isnan(one.value(0, 1)));
  BOOST_TEST(one.undecided.size() == 1u);  // a rule once
  BOOST_TEST(holds(one.undecided[0], "backtracks too often"));
  BOOST_TEST(holds(judged_lines(rows, rules, {one}), "\"undecided\""));
}

BOOST_AUTO_TEST_CASE(what_was_read_before_an_answer_is_kept_apart) {
  std::vector<Example> one(1);
  one[0].messages = {{"system", "QC-7"},
                     {"user", "first"},
                     {"assistant", "QC-8"},
                     {"user", "second"},
                     {"assistant", "right"}};
  int64_t left_out = 0;
  const auto rows = judged_rows(one, false, left_out);
  BOOST_TEST(rows[0].question == "first\nsecond");
  BOOST_TEST(rows[0].context == "QC-7\nQC-8");
  BOOST_TEST(rows[0].expected == "right");
}

BOOST_AUTO_TEST_CASE(votes_are_read_back) {
  const std::string votes = given().folder.put(
      "votes.json", R"({"votes": [{"place": "1", "first": "b", "second": "a", "vote": "first"}]})");
  const Said said = judged({"--votes", votes, "--out", given().folder / "counted"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "these votes cannot tell"), said.out);
  BOOST_TEST(parse_json_file(given().folder / "counted/preferences.json")
                 .at("preferences")[0]
                 .at("better")[1] == 1);
  refused({"--votes", votes, "--model", given().model}, 2, {"leave --model out"});
}

BOOST_AUTO_TEST_CASE(nothing_is_judged_without_a_rule) {
  for (const char* option : {"--judge-rows", "--judge-tokens"}) {
    const Said said = run(words("train", given().folder / "unruled",
                                {"--data", given().data, "--method", "full:lr=1e-3", option, "2"}));
    BOOST_TEST(said.status == 2);
    BOOST_TEST(holds(said.err, std::string(option) + ": answers are judged by rules"), said.err);
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_judged_is_refused) {
  const std::string model = given().model, data = given().data;
  refused({}, 2, {"--model", "run"});
  refused({"--model", model}, 2, {"--data"});
  refused({"--model", model, "--run", "x", "--data", data}, 2, {"either"});
  refused({"--run", "x", "--adapter", "y"}, 2, {"--adapter goes with --model"});
  refused({given().folder / "nowhere"}, 1, {"nowhere", "no run.json"});
  refused({"--model", model, "--data", data, "--rule", "fuzzy"}, 2, {"exact or number"});
  refused({"--model", model, "--data", data, "--rule", "exact", "--rule", "exact"}, 1,
          {"of this name already"});
  refused({"--model", model, "--data", data, "--rules", given().folder / "none.json"}, 1,
          {"none.json"});
  const std::string texts = given().folder.put("t.txt", "A plain text.\n");
  refused({"--model", model, "--data", texts}, 1, {"t.txt", "plain text"});
  refused({"--model", model, "--data", texts, "--on-problem", "skip"}, 1, {"no record"});
  BOOST_TEST(!std::filesystem::exists(given().folder / "never"));
}

BOOST_AUTO_TEST_SUITE_END()
