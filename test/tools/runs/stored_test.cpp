// Runs that are stopped when their weights are stored and their figures are not, and folders in
// which nothing may be written.
#include <chrono>
#include <filesystem>
#include <thread>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"
#include "tools/results/results.h"

namespace fs = std::filesystem;
using namespace afina;

namespace {

Words joined(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Measuring takes so long that the process is killed in it.
const Words slowly_measured = {"--limit", "826", "--held-out", "400", "--threads", "1"};

// Trains as a process of its own, which is killed as soon as `file` is there.
void stop_at(const std::string& out, const std::string& file, const Words& more) {
  const pid_t child = start_program(words("train", out, joined(slowly_measured, more)));
  for (int i = 0; i < 60000 && !fs::exists(out + file); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  kill(child, SIGKILL);
  wait_for(child);
  BOOST_REQUIRE(fs::exists(out + file));
  BOOST_REQUIRE(!fs::exists(out + "/run.json"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stored_runs)

BOOST_AUTO_TEST_CASE(a_run_that_is_stored_and_not_measured_goes_on_from_what_is_stored) {
  ScratchFolder scratch;
  const struct {
    const char *method, *file;
  } kinds[] = {{"lora:rank=4,lr=3e-3", "/adapter/adapter_model.safetensors"},
               {"full:lr=1e-3", "/model/model.safetensors"}};
  for (auto& kind : kinds) BOOST_TEST_CONTEXT(kind.method) {
      const Words method = {"--method", kind.method};
      const std::string out = scratch / "run", whole = scratch / "whole";
      fs::remove_all(out);
      const std::string expected = digest_of_run(whole, joined(slowly_measured, method));
      stop_at(out, "/trained.json", method);
      BOOST_TEST(!fs::exists(out + "/checkpoints"));
      const auto stored = fs::last_write_time(out + kind.file);
      Said said = run(words("train", out, joined(slowly_measured, method)));
      BOOST_TEST((said.status == 1 && holds(said.err, "stopped before its figures")), said.err);
      const Words again = joined(joined(slowly_measured, method), {"--resume"});
      said = run(words("train", out, again));
      BOOST_TEST(said.status == 0, said.err);
      BOOST_TEST(holds(said.out, "which are not trained again"), said.out);
      BOOST_TEST(digest(out) == expected);
      BOOST_TEST((fs::last_write_time(out + kind.file) == stored));
      BOOST_TEST(!fs::exists(out + "/trained.json"));
      const Json a = parse_json_file(out + "/run.json").at("run"),
                 b = parse_json_file(whole + "/run.json").at("run");
      for (const char* key : {"after", "examples", "tokens", "steps", "diverged"})
        BOOST_TEST((a.value(key, Json()) == b.value(key, Json())), key);
      for (const char* key : {"step", "loss", "learning_rate"})
        BOOST_TEST((a.at("curve").at(key) == b.at("curve").at(key)), key);
      // Read back as any finished run.
      BOOST_TEST(run(words("train", out, again)).status == 0);
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_exactly_what_was_trained_is_said) {
  ScratchFolder scratch;
  const Words method = {"--method", "lora:rank=4,lr=3e-3"};
  const std::string out = scratch / "run", file = out + "/adapter/adapter_model.safetensors";
  const Words again = joined(joined(slowly_measured, method), {"--resume"});
  stop_at(out, "/trained.json", method);
  const std::string bytes = read_text_file(file);
  std::string other = bytes;
  other[other.size() - 3] ^= 1;
  write_text_file(file, other);
  Said said = run(words("train", out, again));
  BOOST_TEST(said.status == 1);
  for (const char* part : {"cannot go on from them", "digest", "Remove", "/trained.json"})
    BOOST_TEST(holds(said.err, part), said.err);
  // Without that file it is trained again, which is said.
  fs::remove(out + "/trained.json");
  said = run(words("train", out, again));
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "from step 1, to the same weights"), said.out);
  BOOST_TEST((read_text_file(file) == bytes));
}

BOOST_AUTO_TEST_CASE(nothing_is_written_into_the_folder_of_another_run) {
  ScratchFolder scratch;
  const Words method = {"--method", "lora:rank=2,lr=1e-3", "--steps", "2"};
  auto refused = [&](const char* command, const std::string& out,
                     std::initializer_list<std::string> parts) {
    const Said said = run(words(command, out, method));
    BOOST_TEST(said.status == 1, said.out);
    for (const std::string& part : parts) BOOST_TEST(holds(said.err, part), said.err);
    BOOST_TEST(!fs::exists(out));
  };
  // A folder called runs is none of a comparison, nor are results of another program.
  const std::string one = scratch / "runs/train", both = scratch / "runs/compare";
  write_text_file(scratch / "results.json", "{}");
  BOOST_REQUIRE(run(words("train", one, method)).status == 0);
  BOOST_REQUIRE(run(words("compare", both, method)).status == 0);
  for (const char* command : {"train", "compare"}) {
    refused(command, one + "/checkpoints/mine", {"in the folder of a run, " + one, "--out"});
    refused(command, one + "/mine", {"in the folder of a run"});
    refused(command, both + "/runs/mine", {"among the runs of the comparison in " + both});
    refused(command, both + "/runs/lora-rank2/lr-0.001/seed-2", {"among the runs"});
  }
  fs::remove(both + "/results.json");  // as if it was stopped
  refused("train", both + "/runs/mine", {"among the runs of the comparison"});
  fs::create_directory_symlink(both + "/runs", scratch / "link");
  refused("train", scratch / "link/mine", {"among the runs of the comparison"});
}

BOOST_AUTO_TEST_CASE(what_lies_in_the_way_is_said_before_anything_is_trained) {
  ScratchFolder scratch;
  const Words method = {"--method", "lora:rank=2,lr=1e-3", "--steps", "2"};
  int count = 0;
  auto refused = [&](const char* command, const std::string& name, bool folder,
                     std::initializer_list<std::string> parts) {
    const std::string out = scratch / ("out" + std::to_string(count++));
    fs::create_directories(out);
    if (command == std::string("train")) write_text_file(out + "/begun.json", "{}");
    if (folder) {
      fs::remove(out + name);
      fs::create_directory(out + name);
    } else {
      write_text_file(out + name, "x");
    }
    for (const Words& more : {Words{}, Words{"--resume"}}) {
      const Said said = run(words(command, out, joined(method, more)));
      BOOST_TEST(said.status == 1, said.out);
      for (const std::string& part : parts) BOOST_TEST(holds(said.err, part), said.err);
    }
  };
  for (const char* name : {"/adapter", "/model", "/checkpoints"})
    refused("train", name, false, {name, "is no folder", "remove it", "--out"});
  for (const char* name : {"/run.json", "/begun.json", "/manifest.json", "/log.jsonl"})
    refused("train", name, true, {name, "is a folder", "remove it", "--out"});
  refused("compare", "/runs", false, {"/runs", "is no folder"});
  refused("compare", "/results.json", true, {"/results.json", "is a folder"});
  // Names of folders that cannot be.
  write_text_file(scratch / "file", "x");
  fs::create_symlink(scratch / "nowhere", scratch / "dangling");
  const std::pair<std::string, const char*> names[] = {
      {"", "is empty"},
      {scratch / "file", "it is a file"},
      {scratch / "file/x", "file is a file"},
      {scratch / "dangling", "it is a link to"},
      {scratch / std::string(300, 'n'), "at most 255"},
      {"/proc/x", "in /proc"}};
  for (const char* command : {"train", "compare"})
    for (auto& [out, why] : names) {
      const Said said = run(words(command, out, method));
      BOOST_TEST(said.status == 1);
      for (const char* part : {why, "; choose another --out"})
        BOOST_TEST(holds(said.err, part), said.err);
      BOOST_TEST(!holds(said.err, "filesystem error"), said.err);
    }
  for (auto& [out, why] : names) {
    const Said said = run(
        {"merge", "--model", source + "/data/pocket", "--adapter", scratch / "none", "--out", out});
    BOOST_TEST(said.status != 0);
    BOOST_TEST(!holds(said.err, "filesystem error"), said.err);
  }
}

BOOST_AUTO_TEST_CASE(a_name_that_is_not_utf8_is_said_before_anything_is_trained) {
  ScratchFolder scratch;
  const std::string data = scratch / "d\xff.jsonl";
  fs::copy_file(source + "/data/samples/support.jsonl", data);
  for (const char* command : {"train", "compare"}) {
    const Said said =
        run(words(command, scratch / "out", {"--method", "lora:lr=1e-3", "--data", data}));
    BOOST_TEST(said.status == 1);
    for (const char* part : {"--data", "d\\xff.jsonl", "not UTF-8", "rename it"})
      BOOST_TEST(holds(said.err, part), said.err);
  }
  // What writes no name down reads it.
  const std::string losses = scratch / "losses.jsonl";
  const Said said = run({"eval", "--model", source + "/data/pocket", "--data", data, "--limit", "3",
                         "--on-too-long", "cut", "--out", losses});
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(read_text_file(losses), "d\xEF\xBF\xBD.jsonl, line 1"));
}

BOOST_AUTO_TEST_SUITE_END()
