// What lies in a folder when a run is to be written there: nothing of worth is overwritten or
// mixed, and what differs is named.
#include "tools/runs/earlier.h"

#include <chrono>
#include <filesystem>
#include <thread>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

namespace fs = std::filesystem;
using namespace afina;

namespace {

const Words lora = {"--method", "lora:rank=4,lr=3e-3"};

Words joined(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// A run of train with more options, of which it says these parts.
void refused(const std::string& out, const Words& more, std::initializer_list<const char*> parts) {
  const Said said = run(words("train", out, joined(lora, more)));
  BOOST_TEST(said.status == 1, said.out);
  for (const char* part : parts) BOOST_TEST(holds(said.err, part), said.err << " lacks " << part);
}

std::string bytes_of(const std::string& folder) {
  std::string all;
  for (const char* file :
       {"/run.json", "/manifest.json", "/log.jsonl", "/adapter/adapter_model.safetensors"})
    all += read_text_file(folder + file);
  return all;
}

// Kills a run of so many steps once it has saved a checkpoint.
void stop_a_run(const std::string& out, const Words& more) {
  const pid_t child =
      start_program(words("train", out, joined(joined(lora, {"--save-every", "1"}), more)));
  for (int i = 0; i < 6000 && !fs::exists(out + "/checkpoints/step-00000002.json"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  kill(child, SIGKILL);
  wait_for(child);
  BOOST_REQUIRE(fs::exists(out + "/checkpoints"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(earlier_runs)

BOOST_AUTO_TEST_CASE(a_finished_run_is_never_overwritten) {
  ScratchFolder scratch;
  const std::string out = scratch / "run";
  const std::string expected = digest_of_run(out, lora), before = bytes_of(out);
  refused(out, {"--seed", "2"}, {"finished run of 4 steps", "seed was 1 and is 2", "--out"});
  refused(out, {"--seed", "2", "--resume"}, {"seed was 1 and is 2"});
  refused(out, {}, {"its very options", "--resume"});
  // Nothing is called whole whose weights are gone.
  fs::rename(out + "/adapter", out + "/elsewhere");
  refused(out, {"--resume"}, {"its weights are gone", "adapter_model.safetensors is missing"});
  fs::rename(out + "/elsewhere", out + "/adapter");
  refused(out, {"--steps", "8", "--resume"},
          {"steps was 4 and is 8", "--schedule cosine", "cannot go on"});
  refused(out, {"--steps", "2", "--resume"}, {"steps was 4 and is 2"});
  refused(out, {"--held-out", "8", "--clip", "2"}, {"held-out was 6 and is 8", "clip was 1"});
  refused(out, {"--limit", "50", "--resume"}, {"limit was 60 and is 50"});
  const Said said = run(words("compare", out, lora));
  BOOST_TEST((said.status == 1 && holds(said.err, "a run of 'afina train'")), said.err);
  BOOST_TEST(bytes_of(out) == before);
  BOOST_TEST(!fs::exists(out + "/.afina-lock"));
  // The same again with --resume reads it back.
  const Said again = run(words("train", out, joined(lora, {"--resume"})));
  BOOST_TEST((again.status == 0 && holds(again.out, expected)), again.err);
  BOOST_TEST(bytes_of(out) == before);
}

BOOST_AUTO_TEST_CASE(foreign_folders_are_refused) {
  ScratchFolder scratch;
  auto with = [&](const std::string& name, const std::string& file) {
    fs::create_directories(fs::path(scratch / (name + "/" + file)).parent_path());
    write_text_file(scratch / (name + "/" + file), "{}");
    return scratch / name;
  };
  refused(with("a", "results.json"), {}, {"holds a comparison", "results.json", "--out"});
  refused(with("b", "runs/x"), {}, {"holds a comparison"});
  refused(with("c", "config.json"), {}, {"holds a model", "config.json"});
  refused(with("d", "adapter_config.json"), {"--resume"}, {"holds a model or an adapter"});
  refused(with("e", "adapter/adapter_config.json"), {}, {"adapter", "no run of afina"});
  for (const char* name : {"log.jsonl", "manifest.json", "checkpoints", "checkpoints/mine.pt"})
    for (const Words& more : {Words{}, Words{"--resume"}})
      refused(with("own" + std::to_string(std::string(name).size()), name), more,
              {"no run of afina"});
  refused(with("f", "run.json"), {}, {"run.json", "not as a run of afina"});
  for (const char* name : {"c", "d", "f"}) {
    const Said said = run(words("compare", scratch / name, lora));
    BOOST_TEST((said.status == 1 && holds(said.err, "and a comparison is written")), said.err);
  }
  for (const char* name : {"summary.md", "report.html"}) {
    const Said said = run(words("compare", with(std::string("own-") + name, name), lora));
    BOOST_TEST((said.status == 1 && holds(said.err, "no comparison of afina")), said.err);
  }
  // A note of one's own, or what a shell redirects there, is not in the way.
  BOOST_TEST(run(words("train", with("g", "notes.txt"), lora)).status == 0);
}

// Once a run lay around them they would be refused as parts of it.
BOOST_AUTO_TEST_CASE(a_folder_around_other_runs_is_refused) {
  ScratchFolder scratch;
  BOOST_TEST(run(words("train", scratch / "all/one", lora)).status == 0);
  refused(scratch / "all", {}, {"holds other results", "all/one", "--out"});
  const Said said = run(words("compare", scratch / "all", lora));
  BOOST_TEST((said.status == 1 && holds(said.err, "holds other results")), said.err);
  BOOST_TEST(run(words("train", scratch / "all/two", lora)).status == 0);
}

BOOST_AUTO_TEST_CASE(a_damaged_file_of_a_run_says_what_to_do) {
  ScratchFolder scratch;
  const std::string out = scratch / "run";
  BOOST_TEST(run(words("train", out, lora)).status == 0);
  const std::string whole = read_text_file(out + "/run.json");
  write_text_file(out + "/run.json", whole.substr(0, whole.size() / 2));
  for (const Words& more : {Words{}, Words{"--resume"}})
    refused(out, more, {"run.json, line", "damaged after it was written", "from a copy", "remove"});
}

BOOST_AUTO_TEST_CASE(a_stopped_run_says_that_there_is_something_to_resume) {
  ScratchFolder scratch;
  const std::string out = scratch / "run";
  stop_a_run(out, {"--steps", "4000"});
  refused(out, {"--save-every", "1", "--steps", "4000"},
          {"was stopped after step", "--resume", "--out"});
  refused(out, {"--save-every", "1", "--steps", "40", "--resume"}, {"steps was 4000 and is 40"});
  BOOST_TEST(fs::exists(out + "/checkpoints"));
  // Where no step was saved nothing is lost.
  fs::remove_all(out + "/checkpoints");
  const Said said = run(words("train", out, joined(lora, {"--resume"})));
  BOOST_TEST((said.status == 0 && holds(said.out, "nothing to resume")), said.err);
}

// LoRA-FA does the same in every step, whatever is to come; AdaLoRA's budget follows the steps.
BOOST_AUTO_TEST_CASE(more_steps_are_another_experiment_where_a_method_plans_by_them) {
  ScratchFolder scratch;
  auto with = [](const char* method, const char* steps) {
    return Words{"--schedule", "constant", "--save-every", "2",   "--warmup", "0",
                 "--method",   method,     "--steps",      steps, "--resume"};
  };
  const char* const fa = "lora:fa=true,lora_bias=true,rank=2,lr=1e-3";
  const char* const budget = "adalora:rank=2,target=1,lr=1e-3";
  const std::string expected = digest_of_run(scratch / "whole", with(fa, "4"));
  digest_of_run(scratch / "fa", with(fa, "2"));
  BOOST_TEST(run(words("train", scratch / "fa", with(fa, "4"))).status == 0);
  BOOST_TEST(digest(scratch / "fa") == expected);
  digest_of_run(scratch / "budget", with(budget, "2"));
  const Said said = run(words("train", scratch / "budget", with(budget, "4")));
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "'adalora' plans by the number of steps"), said.err);
}

// At a constant rate the first steps of a longer run are those of the shorter one.
BOOST_AUTO_TEST_CASE(more_steps_go_on_where_that_is_the_same_experiment) {
  ScratchFolder scratch;
  const Words constant = joined(lora, {"--schedule", "constant", "--save-every", "2"});
  auto steps = [&](const Words& options, const char* count) {
    return joined(options, {"--steps", count});
  };
  const std::string expected = digest_of_run(scratch / "whole", steps(constant, "8"));
  const std::string out = scratch / "run";
  const std::string four = digest_of_run(out, steps(constant, "4"));
  BOOST_TEST(four != expected);
  refused(out, {"--schedule", "constant", "--steps", "8"},
          {"steps was 4 and is 8", "--resume goes on to more steps"});
  Said said = run(words("train", out, joined(steps(constant, "8"), {"--resume"})));
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "the run of 4 steps in " + out + " goes on to 8"), said.out);
  BOOST_TEST(digest(out) == expected);
  const Json result = parse_json_file(out + "/run.json").at("run");
  BOOST_TEST(result.at("curve").at("step").size() == 8u);
  BOOST_TEST(result.at("predicted").at("steps") == 8);
  // Not where the rate rises over more steps, where the checkpoint is gone, or for another seed.
  refused(out, steps({"--schedule", "constant", "--save-every", "2", "--resume"}, "30"),
          {"the rate rose in 1 steps and would now rise in 2", "--warmup 1"});
  refused(out, steps({"--schedule", "constant", "--resume", "--seed", "3"}, "12"),
          {"more than --steps differs (", "seed was 1 and is 3"});
  fs::remove_all(out + "/checkpoints");
  refused(out, steps({"--schedule", "constant", "--resume"}, "12"), {"no checkpoint", "keeps"});
  // Stopped on the way from one to the other.
  const std::string on = scratch / "on";
  digest_of_run(on, steps(constant, "4"));
  const pid_t child = start_program(
      words("train", on, joined(steps(constant, "2000"), {"--warmup", "1", "--resume"})));
  for (int i = 0; i < 6000 && !fs::exists(on + "/checkpoints/step-00000008.json"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  kill(child, SIGKILL);
  wait_for(child);
  said = run(words("train", on, joined(steps(constant, "4"), {"--resume"})));
  BOOST_TEST((said.status == 1 && holds(said.err, "steps was 2000 and is 4")), said.err);
}

BOOST_AUTO_TEST_SUITE_END()
