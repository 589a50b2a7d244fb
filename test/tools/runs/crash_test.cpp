// kill -9 at random moments, in the middle of checkpoints, on a disk that is slow or full, with
// checkpoints damaged afterwards: none is ever lost or half read, and every run ends with the bits
// of the one that was left alone. `make crash-test` does it 200 times, the tests a few times
// (AFINA_CRASHES, AFINA_CRASH_SEED).
#include <sys/mount.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "engine/files/atomic_file.h"
#include "engine/files/sha256.h"
#include "engine/train/checkpoint.h"
#include "test/fuzz/draw.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

namespace fs = std::filesystem;
using namespace afina;

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

int64_t number_from(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::atoll(text) : otherwise;
}

const std::string preload =
    "LD_PRELOAD=" AFINA_FAULT_DISK;  // empty under the sanitizers: then that disk has no faults

enum Kind { at_random, inside_a_checkpoint, full_disk, damaged_afterwards, kinds };

Words command(const std::string& out, bool resume = false) {
  // Small steps: most of the time goes into what is to be interrupted, starting and saving.
  Words more = {"--method",      "lora:rank=4,lr=3e-3",
                "--save-every",  "1",
                "--steps",       "12",
                "--eval-every",  "12",
                "--generations", "0",
                "--batch",       "1",
                "--length",      "32",
                "--limit",       "24",
                "--held-out",    "2",
                "--threads",     "1"};
  if (resume) more.push_back("--resume");
  return words("train", out, more);
}

// A run that is killed and resumed over and over.
class Crashing {
 public:
  Crashing(uint64_t seed, const std::string& folder)
      : seed_(seed), out_(folder + "/run"), said_(folder + "/said") {
    auto start = Clock::now();
    std::string whole = folder + "/whole";
    int status = wait_for(start_program(command(whole), said_));
    BOOST_REQUIRE_MESSAGE(status == 0, read_text_file(said_));
    took_ = std::chrono::duration_cast<Milliseconds>(Clock::now() - start);
    expected_ = digest(whole);
  }

  void crash(int64_t number) {
    Draw draw(seed_, "crash", uint64_t(number));
    Kind kind = Kind(number % kinds);
    BOOST_TEST_CONTEXT("crash " << number << " of AFINA_CRASH_SEED=" << seed_) {
      Words environment;
      if (kind == inside_a_checkpoint) environment = {preload, "FAULT_DELAY_US=1000"};
      if (kind == full_disk)
        environment = {preload, "FAULT_BYTES=" + std::to_string(draw.below(size_t(3 * bytes_)))};
      left_over_ = being_written();
      pid_t child = start_program(command(out_, true), said_, environment);
      if (kind == damaged_afterwards) wait_for_two(child);
      int status =
          kind == inside_a_checkpoint
              ? kill_inside(child, draw)
              : kill_within(child, draw.below(size_t(took_.count() *
                                                     (kind == damaged_afterwards ? 1 : 5) / 4)));
      ++count[WIFSIGNALED(status) ? kind : kinds];
      inside += WIFSIGNALED(status) && being_written() != left_over_;
      if (WIFEXITED(status)) ended(WEXITSTATUS(status), kind);
      check();
      if (kind == damaged_afterwards) damage(draw);
    }
  }

  // Resumes without a fault until the run is done.
  void finish() {
    int status = wait_for(start_program(command(out_, true), said_));
    ended(WIFEXITED(status) ? WEXITSTATUS(status) : -1, at_random);
    BOOST_TEST(finished > 0);
  }

  int64_t count[kinds + 1] = {}, inside = 0, finished = 0, damages = 0;

 private:
  std::string folder() const { return out_ + "/checkpoints"; }
  std::string stem(int64_t step) const {
    char text[32];
    std::snprintf(text, sizeof text, "/step-%08lld", (long long)step);
    return folder() + text;
  }

  // Only where there are two checkpoints can one be damaged without loss.
  void wait_for_two(pid_t child) const {
    for (auto start = Clock::now();
         checkpoint_steps(folder()).size() < 2 && Clock::now() - start < 4 * took_;) {
      siginfo_t gone = {};
      if (waitid(P_PID, id_t(child), &gone, WEXITED | WNOHANG | WNOWAIT) != 0 ||
          gone.si_pid == child)
        return;
      std::this_thread::sleep_for(Milliseconds(1));
    }
  }
  static int kill_within(pid_t child, size_t milliseconds) {
    std::this_thread::sleep_for(Milliseconds(milliseconds));
    kill(child, SIGKILL);
    return wait_for(child);
  }
  // Waits until a checkpoint is being written.
  int kill_inside(pid_t child, Draw& draw) {
    size_t later = 1 + draw.below(6);  // not always the first that is written
    std::set<std::string> last = left_over_;
    for (auto start = Clock::now(); later > 0 && Clock::now() - start < 10 * took_;) {
      int status = 0;
      if (waitpid(child, &status, WNOHANG) == child) return status;
      auto now = being_written();
      if (now != left_over_ && now != last) --later;
      last = now;
      std::this_thread::sleep_for(Milliseconds(1));
    }
    return kill_within(child, draw.below(40));
  }
  // Temporary files of checkpoints; a process that was killed leaves its own behind until that
  // checkpoint is written.
  std::set<std::string> being_written() const {
    std::set<std::string> names;
    std::error_code gone;
    for (fs::directory_iterator entry(folder(), gone), end; !gone && entry != end;
         entry.increment(gone))
      if (entry->path().filename().string().find(".tmp-") != std::string::npos)
        names.insert(entry->path().filename());
    return names;
  }

  // The program ended by itself: it was done, or says what is wrong.
  void ended(int status, Kind kind) {
    std::string said = read_text_file(said_);
    if (status == 0) {
      BOOST_TEST(digest(out_) == expected_);
      ++finished;
      newest_ = 0;
      damaged_ = 0;
      had_two_ = false;
      fs::remove_all(out_);
      return;
    }
    BOOST_TEST(status == 1);
    BOOST_TEST((kind == full_disk && holds(said, "No space left on device")), said);
  }

  // Every checkpoint that is there is whole, and the newest is no older than the newest there ever
  // was.
  void check() {
    if (fs::exists(out_ + "/run.json")) return;  // done: the checkpoints are being removed
    std::vector<int64_t> steps = checkpoint_steps(folder());
    for (int64_t step : steps) {
      if (damaged_ == step) continue;
      BOOST_TEST(parse_json_file(stem(step) + ".json").at("sha256").get<std::string>() ==
                 sha256_file(stem(step) + ".safetensors"));
    }
    if (damaged_ && (steps.empty() || steps.back() != damaged_)) damaged_ = 0;
    if (damaged_) steps.pop_back();
    BOOST_TEST((newest_ == 0 || !steps.empty()));
    if (steps.empty()) return;
    BOOST_TEST(steps.back() >= newest_);
    newest_ = steps.back();
    bytes_ = int64_t(fs::file_size(stem(newest_) + ".safetensors"));
    BOOST_TEST((!had_two_ || damaged_ || steps.size() >= 2));
    had_two_ = steps.size() >= 2;
  }

  void damage(Draw& draw) {
    std::vector<int64_t> steps = checkpoint_steps(folder());
    if (steps.size() < 2 || damaged_) return;
    std::string path = stem(steps.back()) + (draw.below(4) ? ".safetensors" : ".json"),
                bytes = read_text_file(path);
    if (draw.below(2)) bytes.resize(draw.below(bytes.size()));
    else bytes[draw.below(bytes.size())] ^= char(1 << draw.below(8));
    std::ofstream(path, std::ios::binary) << bytes;
    damaged_ = steps.back();
    newest_ = steps[steps.size() - 2];
    had_two_ = false;
    ++damages;
  }

  uint64_t seed_;
  std::string out_, said_, expected_;
  Milliseconds took_{};
  int64_t newest_ = 0, damaged_ = 0;  // steps; 0: none
  bool had_two_ = false;
  std::set<std::string> left_over_;
  int64_t bytes_ = 300'000;  // of a checkpoint
};

}  // namespace

BOOST_AUTO_TEST_SUITE(crashes)

BOOST_AUTO_TEST_CASE(no_checkpoint_is_lost_and_every_run_ends_with_the_same_bits) {
  ScratchFolder scratch;
  int64_t crashes = number_from("AFINA_CRASHES", 8);
  Crashing crashing(
      uint64_t(number_from(
          "AFINA_CRASH_SEED",
          crashes > 8 ? std::chrono::system_clock::now().time_since_epoch().count() : 1)),
      scratch.path());
  for (int64_t i = 0; i < crashes; ++i) crashing.crash(i);
  crashing.finish();
  BOOST_TEST(crashing.inside > 0);
  std::cout << crashes << " crashes: killed " << crashes - crashing.count[kinds] << " times, "
            << crashing.inside << " of them inside a checkpoint, " << crashing.count[full_disk]
            << " on a disk that was filling; ended before that " << crashing.count[kinds]
            << " times; " << crashing.damages
            << " checkpoints damaged; finished with the same digest " << crashing.finished << "\n";
}

// A small disk of its own, where we may make one.
struct Disk {
  std::string path;
  bool made;
  explicit Disk(const std::string& p) : path(p) {
    fs::create_directory(path);
    made = ::mount("afina-test", path.c_str(), "tmpfs", 0, "size=600k") == 0;
  }
  ~Disk() {
    if (made) ::umount2(path.c_str(), MNT_DETACH);
  }
  void grow() const {
    BOOST_TEST(::mount("afina-test", path.c_str(), "tmpfs", MS_REMOUNT, "size=16m") == 0);
  }
};

BOOST_AUTO_TEST_CASE(a_disk_that_is_too_small_and_one_that_fills_up) {
  ScratchFolder scratch;
  Disk disk(scratch / "disk");
  if (!disk.made) {
    BOOST_TEST_MESSAGE("no right to mount a disk: left out");
    return;
  }
  std::string out = disk.path + "/run", said = scratch / "said";
  // Too small from the start: said before the first step.
  BOOST_TEST(WEXITSTATUS(wait_for(start_program(command(out), said))) == 1);
  BOOST_TEST((holds(read_text_file(said), "the run will write") && !fs::exists(out + "/log.jsonl")),
             read_text_file(said));
  // Filled by somebody else while we train.
  disk.grow();
  pid_t child = start_program(command(out), said, {preload, "FAULT_DELAY_US=2000"});
  for (int i = 0; i < 6000 && checkpoint_steps(out + "/checkpoints").size() < 2; ++i)
    std::this_thread::sleep_for(Milliseconds(5));
  std::ofstream(disk.path + "/other") << std::string(16 << 20, 'x');
  BOOST_TEST(WEXITSTATUS(wait_for(child)) == 1);
  BOOST_TEST(holds(read_text_file(said), "No space left on device"), read_text_file(said));
  BOOST_TEST(checkpoint_steps(out + "/checkpoints").size() == 2u);
  // Room again.
  fs::remove(disk.path + "/other");
  int status = wait_for(start_program(command(out, true), said));
  BOOST_TEST(status == 0, read_text_file(said));
  BOOST_TEST(wait_for(start_program(command(scratch / "whole"), said)) == 0);
  BOOST_TEST(digest(out) == digest(scratch / "whole"));
}

// Ctrl-C, and what `timeout` and `make` make of it: the same wish twice.
BOOST_AUTO_TEST_CASE(a_signal_leaves_a_run_that_goes_on) {
  ScratchFolder scratch;
  std::string said = scratch / "said";
  BOOST_TEST(wait_for(start_program(command(scratch / "whole"), said)) == 0);
  for (std::vector<int> signals :
       {std::vector{SIGINT}, {SIGTERM}, {SIGINT, SIGINT}, {SIGTERM, SIGINT, SIGTERM}}) {
    std::string out =
        scratch / ("run" + std::to_string(signals.size()) + std::to_string(signals[0]));
    pid_t child = start_program(command(out), said, {preload, "FAULT_DELAY_US=2000"});
    for (int i = 0; i < 60000 && checkpoint_steps(out + "/checkpoints").empty(); ++i)
      std::this_thread::sleep_for(Milliseconds(1));
    for (int signal : signals) {
      kill(child, signal);
      std::this_thread::sleep_for(Milliseconds(2));
    }
    int status = wait_for(child);
    BOOST_TEST(WIFEXITED(status));
    BOOST_TEST(WEXITSTATUS(status) == 1);
    for (const char* words : {"interrupted after step", "--resume"})
      BOOST_TEST(holds(read_text_file(said), words), read_text_file(said));
    BOOST_TEST(wait_for(start_program(command(out, true), said)) == 0, read_text_file(said));
    BOOST_TEST(digest(out) == digest(scratch / "whole"));
  }
}

BOOST_AUTO_TEST_CASE(no_checkpoint_is_whole) {
  ScratchFolder scratch;
  std::string out = scratch / "run", said = scratch / "said", folder = out + "/checkpoints";
  pid_t child = start_program(command(out), said);
  for (int i = 0; i < 6000 && checkpoint_steps(folder).size() < 2; ++i)
    std::this_thread::sleep_for(Milliseconds(5));
  kill(child, SIGKILL);
  wait_for(child);
  auto steps = checkpoint_steps(folder);
  BOOST_REQUIRE(steps.size() >= 2);
  for (auto& entry : fs::directory_iterator(folder))
    fs::resize_file(entry.path(), fs::file_size(entry.path()) / 2);
  BOOST_TEST(WEXITSTATUS(wait_for(start_program(command(out, true), said))) == 1);
  std::string text = read_text_file(said);
  for (const char* words : {"no checkpoint is complete", "Remove the folder"})
    BOOST_TEST(holds(text, words), text);
}

BOOST_AUTO_TEST_SUITE_END()
