// Runs that diverge, and what is written before something fails.
#include <cmath>
#include <filesystem>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/faulty_methods.h"
#include "test/tools/runs/runs.h"
#include "tools/results/results.h"

namespace fs = std::filesystem;
using namespace afina;

namespace {

const Words unclipped = {"--clip", "0", "--steps", "6", "--warmup", "1"};

Words joined(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}
Words compare(const std::string& out, const Words& more) {
  return words("compare", out, joined(unclipped, more));
}

// Fails where a model is asked for one token after the other: when it answers.
struct Silent : Adapter {
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const override {
    require(holds_bytes(x.device()) == false || inputs.tokens.size() > 1, "it says nothing");
    return layer.plain(x);
  }
  void merge(Tensor&, Tensor&) const override {}
};
// Fails in the first evaluation after it was trained.
struct Unmeasured : Adapter {
  static inline bool trained = false;
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const override {
    if (holds_bytes(x.device())) {
      require(inputs.training || !trained, "it cannot be measured");
      trained = trained || inputs.training;
    }
    return layer.plain(x);
  }
  void merge(Tensor&, Tensor&) const override {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(divergence)

BOOST_AUTO_TEST_CASE(a_rate_that_diverges_ends_its_own_run) {
  ScratchFolder scratch;
  const std::string out = scratch / "compare";
  const Words both = {"--method", "full:lr=1e-3/100", "--method", "lora:rank=4,lr=1e-3"};
  Said said = run(compare(out, both));
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "full, lr 100, seed 1: diverged at step "), said.out);
  Comparison c = read_comparison(out);
  BOOST_REQUIRE(c.methods.size() == 2u);
  BOOST_TEST(c.methods[0].learning_rate == 1e-3);
  BOOST_REQUIRE(c.methods[0].search.size() == 2u);
  const SearchRow &fine = c.methods[0].search[0], &gone = c.methods[0].search[1];
  BOOST_TEST((fine.chosen && !fine.diverged && !gone.chosen && gone.diverged));
  BOOST_TEST((*gone.diverged > 1 && *gone.diverged <= 6 && std::isnan(gone.heldout)));
  BOOST_TEST(!c.methods[0].runs[0].diverged);
  BOOST_TEST(holds(read_text_file(out + "/summary.md"), "diverged at step"));
  BOOST_TEST(holds(read_text_file(out + "/report.html"), "at step "));
  // It is read back like a finished run, and the results are the same.
  said = run(joined(compare(out, both), {"--resume"}));
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST((read_comparison(out).methods[0].search[1].diverged == gone.diverged));
}

BOOST_AUTO_TEST_CASE(where_all_rates_diverge_the_others_are_reported) {
  ScratchFolder scratch;
  const std::string out = scratch / "compare";
  Said said = run(compare(
      out, {"--method", "full:lr=300/100", "--method", "lora:rank=4,lr=1e-3", "--seeds", "2"}));
  BOOST_TEST(said.status == 1);
  for (const char* part : {"every rate of 'full' diverged", "lower rates", "--resume"})
    BOOST_TEST(holds(said.err, part), said.err);
  Comparison c = read_comparison(out);
  BOOST_REQUIRE(c.methods.size() == 2u);
  BOOST_TEST(c.methods[0].learning_rate == 100.);
  BOOST_TEST(c.methods[0].runs.size() == 1u);
  BOOST_TEST((c.methods[0].runs[0].diverged && std::isnan(c.methods[0].runs[0].after.heldout)));
  BOOST_TEST(c.methods[0].runs[0].digest == "");
  for (const SearchRow& row : c.methods[0].search) BOOST_TEST((!row.chosen && row.diverged));
  BOOST_TEST((c.methods[1].runs.size() == 2u && !c.methods[1].runs[0].diverged));
  BOOST_TEST(holds(said.out, "full diverged at step"), said.out);
  // As it says: lower rates are added.
  said = run(joined(compare(out, {"--method", "full:lr=1e-3", "--seeds", "2"}), {"--resume"}));
  BOOST_TEST(said.status == 0, said.err);
  c = read_comparison(out);
  BOOST_TEST((c.methods.size() == 2u && c.methods[0].search.size() == 3u));
  BOOST_TEST((c.methods[0].learning_rate == 1e-3 && c.methods[0].runs.size() == 2u));
}

BOOST_AUTO_TEST_CASE(train_says_where_it_diverged_and_the_folder_may_be_used_again) {
  ScratchFolder scratch;
  const std::string out = scratch / "run";
  auto train = [&](const char* rate, const Words& more = {}) {
    return run(
        words("train", out, joined(joined(unclipped, {"--method", "full", "--lr", rate}), more)));
  };
  Said said = train("100");
  BOOST_TEST(said.status == 1);
  for (const char* part : {"diverged at step ", " of 6", "not finite", "its folder"})
    BOOST_TEST(holds(said.err, part), said.err);
  const Json run = parse_json_file(out + "/run.json");
  BOOST_TEST(run.at("run").at("diverged").get<int64_t>() > 1);
  BOOST_TEST((run.at("choice").is_null() && !fs::exists(out + "/checkpoints")));
  BOOST_TEST(!fs::exists(out + "/model"));
  said = train("100", {"--resume"});
  BOOST_TEST((said.status == 1 && holds(said.err, "diverged at step ")), said.err);
  said = train("1e-3");
  BOOST_TEST((said.status == 0 && holds(said.out, "held a run that diverged")), said.err);
  BOOST_TEST(parse_json_file(out + "/run.json").at("run").at("diverged").is_null());
}

// What was saved before it diverged stays: it is the last that has weights.
BOOST_AUTO_TEST_CASE(checkpoints_of_a_run_that_diverged_stay) {
  ScratchFolder scratch;
  const std::string out = scratch / "run";
  auto train = [&](const char* rate, const char* steps, const Words& more = {}) {
    return run(words("train", out,
                     joined({"--clip", "0", "--warmup", "1", "--schedule", "constant", "--method",
                             "full", "--lr", rate, "--save-every", "1", "--steps", steps},
                            more)));
  };
  BOOST_TEST(train("100", "6").status == 1);
  BOOST_TEST(!fs::is_empty(out + "/checkpoints"));
  const Said said = train("1e-3", "6");
  BOOST_TEST((said.status == 1 && holds(said.err, "with the checkpoints")), said.err);
  // A finished run that goes on to more steps and diverges stays as it was.
  fs::remove_all(out);
  BOOST_TEST(train("10", "2").status == 0);
  const std::string figures = read_text_file(out + "/run.json"),
                    weights = read_text_file(out + "/model/model.safetensors");
  const Said longer = train("10", "40", {"--resume"});
  BOOST_TEST((longer.status == 1 && holds(longer.err, "diverged at step ")), longer.err);
  BOOST_TEST(holds(longer.out, "stays as it was"), longer.out);
  BOOST_TEST(read_text_file(out + "/run.json") == figures);
  BOOST_TEST((read_text_file(out + "/model/model.safetensors") == weights));
  const Said again = train("1e-3", "6");
  BOOST_TEST((again.status == 1 && holds(again.err, "holds a finished run of 2 steps")), again.err);
}

// A rate too small to change anything is an error, which comes when all is written.
BOOST_AUTO_TEST_CASE(a_rate_that_changes_nothing_ends_no_comparison) {
  ScratchFolder scratch;
  Words all = {"--method", "full:lr=1e-30/1e-3", "--method", "lora:rank=4,lr=1e-3"};
  Said said = run(words("compare", scratch / "a", all));
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "Note: full, lr 1e-30, seed 1: trained for 4"), said.out);
  BOOST_TEST(read_comparison(scratch / "a").methods[0].learning_rate == 1e-3);
  all[1] = "full:lr=1e-30";
  for (bool resumed : {false, true}) {
    if (resumed) all.push_back("--resume");
    said = run(words("compare", scratch / "b", all));
    BOOST_TEST((said.status == 1 && holds(said.err, "exactly as they began")), said.err);
    BOOST_TEST(read_comparison(scratch / "b").methods.size() == 2u);
  }
}

// A vocabulary padded far beyond the tokenizer, as Qwen2.5's is: nearly every row of the head means
// no text.
BOOST_AUTO_TEST_CASE(a_padded_vocabulary_is_sampled_within_the_tokenizer) {
  ScratchFolder scratch;
  const std::string model = scratch / "model";
  fs::create_directory(model);
  for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json"})
    if (fs::exists(source + "/data/pocket/" + name))
      fs::copy_file(source + "/data/pocket/" + name, model + "/" + name);
  Json config = parse_json_file(model + "/config.json");
  config["vocab_size"] = 16 * config.at("vocab_size").get<int64_t>();
  write_text_file(model + "/config.json", config.dump());
  const std::string out = scratch / "run";
  const Said said = run(words(
      "train", out, {"--method", "lora:rank=2,lr=1e-3", "--model", model, "--generations", "3"}));
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(!holds(said.out, "could not be made"), said.out);
  const Json generations = parse_json_file(out + "/run.json").at("run").at("generations");
  BOOST_TEST(generations.size() == 3u);
  for (const Json& one : generations) BOOST_TEST(one.at("after").get<std::string>() != "");
  const Said answer = run({"generate", "--model", model, "--adapter", out + "/adapter", "--prompt",
                           "Hello", "--max-tokens", "4"});
  BOOST_TEST(answer.status == 1);  // there are no weights to read, and no other error
}

BOOST_AUTO_TEST_CASE(an_answer_that_cannot_be_made_is_a_note) {
  ScratchFolder scratch;
  With<Silent> method("silent");
  const Said said = run(words("train", scratch / "run", {"--method", "silent:lr=1e-3"}));
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "note: sample answer 1 could not be made: it says nothing"), said.out);
  for (const char* file : {"adapter/adapter_model.safetensors", "manifest.json", "run.json"})
    BOOST_TEST(fs::exists(scratch / ("run/" + std::string(file))), file);
}

BOOST_AUTO_TEST_CASE(what_was_trained_is_stored_before_it_is_measured) {
  ScratchFolder scratch;
  With<Unmeasured> method("unmeasured");
  const std::string out = scratch / "run";
  const Words all = words("train", out, {"--method", "unmeasured:lr=1e-3", "--eval-every", "100"});
  Unmeasured::trained = false;
  Said said = run(all);
  BOOST_TEST((said.status == 1 && holds(said.err, "it cannot be measured")), said.err);
  BOOST_TEST(fs::exists(out + "/adapter/adapter_model.safetensors"));
  BOOST_TEST(!fs::exists(out + "/run.json"));
  // The weights are not overwritten in silence.
  said = run(all);
  BOOST_TEST((said.status == 1 && holds(said.err, "what a run has trained")), said.err);
}

// A report that cannot be written is a note; the figures are there.
BOOST_AUTO_TEST_CASE(a_report_that_cannot_be_made_is_a_note) {
  ScratchFolder scratch;
  const std::string out = scratch / "compare";
  fs::create_directories(out + "/report.html");
  const Said said = run(words("compare", out, {"--method", "lora:rank=2,lr=1e-3"}));
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "report.html could not be made"), said.out);
  BOOST_TEST(read_comparison(out).methods.size() == 1u);
  BOOST_TEST(fs::exists(out + "/summary.md"));
}

BOOST_AUTO_TEST_SUITE_END()
