// Options that say which rows a run has, and what a run goes on from, in whole runs.
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

using namespace afina;

namespace {

std::string rows(int from, int to) {
  std::string lines;
  for (int i = from; i < to; ++i)
    lines += R"({"prompt": "What is )" + std::to_string(i) + R"(?", "completion": )" +
             std::to_string(i * i) + "}\n";
  return lines;
}

// What a run says that is refused.
std::string refusal(const std::string& out, const Words& more) {
  const Said said = run(words("train", out, more));
  BOOST_TEST(said.status != 0);
  return said.err;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(data_options)

BOOST_AUTO_TEST_CASE(epochs_are_steps) {
  const ScratchFolder folder;
  const std::string out = folder / "run", data = folder.put("d.jsonl", rows(0, 26));
  Words all = words("train", out,
                    {"--data", data, "--method", "lora:rank=2,lr=1e-3", "--epochs", "1.5", "--pack",
                     "off", "--accumulate", "2"});
  all.erase(std::find(all.begin(), all.end(), "--steps"),
            std::find(all.begin(), all.end(), "--steps") + 2);
  const Said said = run(all);
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  // 20 rows of 4 in a step, one and a half times.
  BOOST_TEST(holds(said.out, "--epochs 1.5 are --steps 8: one has 5 steps"), said.out);
  const Json manifest = parse_json_file(out + "/manifest.json");
  BOOST_TEST(manifest.at("replay").at("run").at("steps") == 8);
  BOOST_TEST(manifest.at("replay").at("run").at("epochs") == 0);
  for (const char* none : {"0", "-1"}) {
    *(std::find(all.begin(), all.end(), "--epochs") + 1) = none;
    const Said refused = run(all);
    BOOST_TEST((refused.status == 1 && holds(refused.err, "expected more than 0")), refused.err);
  }
  BOOST_TEST(holds(refusal(folder / "both", {"--method", "lora:rank=2,lr=1e-3", "--epochs", "1"}),
                   "--steps and --epochs say the same thing"));
}

BOOST_AUTO_TEST_CASE(a_run_goes_on_from_an_adapter) {
  const ScratchFolder folder;
  const std::string first = folder / "first", second = folder / "second";
  BOOST_REQUIRE(run(words("train", first, {"--method", "lora:rank=2,lr=1e-2"})).status == 0);
  const Words more = {"--adapter", first + "/adapter", "--lr", "1e-3"};
  const Said said = run(words("train", second, more));
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  auto scores = [](const std::string& out, const char* when) {
    return parse_json_file(out + "/run.json").at("run").at(when).at("heldout").get<double>();
  };
  // It begins where the first one ended, and has moved on.
  BOOST_TEST(scores(second, "before") == scores(first, "after"));
  BOOST_TEST(scores(second, "after") != scores(second, "before"));
  BOOST_TEST(digest(second) != digest(first));
  const Said verified = run({"verify", second});
  BOOST_TEST(verified.status == 0, verified.err + verified.out);
  BOOST_TEST(holds(
      refusal(folder / "x", {"--adapter", first + "/adapter", "--method", "lora:rank=4,lr=1e-3"}),
      "has rank=2; leave rank out"));
  BOOST_TEST(holds(
      refusal(folder / "x", {"--adapter", first + "/adapter", "--method", "dora:rank=2,lr=1e-3"}),
      "give --method lora"));
  BOOST_TEST(holds(refusal(folder / "x", {}), "--method is missing"));
}

BOOST_AUTO_TEST_CASE(too_few_rows_to_measure_on) {
  const ScratchFolder folder;
  const std::string out = folder / "run", one = folder.put("one.jsonl", rows(900, 901));
  const Words method = {"--method", "lora:rank=2,lr=1e-3"};
  auto with = [&](Words more) {
    more.insert(more.end(), method.begin(), method.end());
    return refusal(out, more);
  };
  for (const char* number : {"0", "1", "-3"})
    BOOST_TEST(holds(with({"--held-out", number}), "expected at least 2"));
  BOOST_TEST(holds(with({"--eval", one}), "one.jsonl: one record to measure on"));
  const std::string said = with({"--on-too-long", "skip", "--length", "8"});
  BOOST_TEST(holds(said, "are longer than --length 8 (the shortest has"), said);
}

BOOST_AUTO_TEST_CASE(problems_of_all_files_and_parts_are_said_at_once) {
  const ScratchFolder folder;
  std::string lines = rows(0, 30);
  lines += "{\"prompt\": \"Q\", \"completion\": \"\"}\n{\"prompt\": \"Q\"}\n{\"prompt\": NaN}\n";
  const std::string out = folder / "run", data = folder.put("d.jsonl", lines),
                    table = folder.put("t.csv", "q,a\nWhat now?,That\nAnd then?\n");
  const Words more = {
      "--data", data, "--fields", "t.csv:prompt=q,completion=a", "--method", "lora:rank=2,lr=1e-3"};
  Words all = words("train", out, more);
  all.insert(all.end(), {"--data", table});
  *(std::find(all.begin(), all.end(), "--on-problem") + 1) = "error";
  Said said = run(all);
  BOOST_TEST(said.status == 1);
  for (const char* part : {"4 of 35 records have problems of 4 kinds",
                           "d.jsonl, line 31: ", "line 32: field \"completion\"", "NaN",
                           "t.csv, line 3: expected 2", "--on-problem skip"})
    BOOST_TEST(holds(said.err, part), said.err);
  *(std::find(all.begin(), all.end(), "--on-problem") + 1) = "skip";
  said = run(all);
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "1 record was left out (--on-problem skip): " + table), said.out);
}

BOOST_AUTO_TEST_CASE(windows_are_of_plain_text) {
  const ScratchFolder folder;
  const std::string model = source + "/data/pocket", text = folder.put("t.txt", "One and two.\n");
  const Words all = {"eval", "--model", model, "--windows", "--length", "8", "--data"};
  for (const std::string& file : {folder.put("d.jsonl", rows(0, 3)), folder.put("d", rows(0, 3)),
                                  folder.put("d.csv", "a,b\n1,2\n")}) {
    Words words = all;
    words.push_back(file);
    const Said said = run(words);
    BOOST_TEST(said.status == 1);
    BOOST_TEST(holds(said.err, "--windows reads a plain text"), said.err);
  }
  Words words = all;
  words.push_back(text);
  BOOST_TEST(run(words).status == 0);
}

// Llama's texts begin with a token: in eval as in training.
BOOST_AUTO_TEST_CASE(a_text_is_measured_with_the_token_that_begins_it) {
  const ScratchFolder folder;
  const std::string model = folder.path() + "/model";
  std::filesystem::copy(source + "/data/pocket", model);
  Json json = parse_json_file(model + "/tokenizer_config.json");
  json["bos_token"] = "<|endoftext|>";
  folder.put("model/tokenizer_config.json", to_text(json));
  json = parse_json_file(model + "/tokenizer.json");
  json["post_processor"] = Json::parse(
      R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|endoftext|>", )"
      R"("type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}], "pair": [], "special_tokens": )"
      R"({"<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}}})");
  folder.put("model/tokenizer.json", to_text(json));
  const Said plain = run({"eval", "--model", source + "/data/pocket", "--text", "hi"}),
             with = run({"eval", "--model", model, "--text", "hi"});
  const int64_t tokens = std::stoll(plain.out);
  BOOST_TEST(std::stoll(with.out) == tokens + 1);
}

BOOST_AUTO_TEST_SUITE_END()
