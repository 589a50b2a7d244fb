// Two processes on one folder: the second is refused, and a killed one leaves no lock.
#include "tools/runs/folder_lock.h"

#include <chrono>
#include <filesystem>
#include <thread>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

namespace fs = std::filesystem;
using namespace afina;

namespace {

std::string refusal(const std::string& folder) {
  try {
    FolderLock lock(folder);
  } catch (const Error& error) { return error.what(); }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(folder_locks)

BOOST_AUTO_TEST_CASE(one_holder_at_a_time_and_nothing_left) {
  ScratchFolder scratch;
  const std::string folder = scratch / "a/b", file = folder + "/.afina-lock";
  {
    const FolderLock lock(folder);
    const std::string said = refusal(folder);
    for (std::string part : {folder, "process " + std::to_string(getpid()), std::string("--out")})
      BOOST_TEST(holds(said, part), said);
    BOOST_TEST(fs::exists(file));
  }
  BOOST_TEST(!fs::exists(folder));  // nothing came into it
  fs::create_directories(folder);
  write_text_file(file, "123");  // left by a process that was killed: a file is no lock
  BOOST_TEST(refusal(folder) == "");
  BOOST_TEST(fs::exists(folder));  // it was there before
  write_text_file(folder + "/kept", "");
  BOOST_TEST(refusal(folder) == "");
  BOOST_TEST((fs::exists(folder + "/kept") && !fs::exists(file)));
  BOOST_TEST(holds(refusal(folder + "/kept"), "a folder is expected"));
  fs::create_symlink(scratch / "elsewhere", file);
  BOOST_TEST(holds(refusal(folder), "cannot be opened"));
  BOOST_TEST(!fs::exists(scratch / "elsewhere"));
}

// A process that trains is killed with signal 9 while another wants its folder.
BOOST_AUTO_TEST_CASE(a_killed_process_leaves_no_lock) {
  ScratchFolder scratch;
  const std::string out = scratch / "run";
  const Words all = words(
      "train", out, {"--method", "lora:rank=4,lr=3e-3", "--save-every", "1", "--steps", "4000"});
  const pid_t child = start_program(all);
  for (int i = 0; i < 6000 && !fs::exists(out + "/checkpoints"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  BOOST_REQUIRE(fs::exists(out + "/checkpoints"));
  for (const char* command : {"train", "compare"}) {
    Words same = all;
    same[0] = command;
    const Said said = run(same);
    BOOST_TEST(said.status == 1);
    BOOST_TEST(holds(said.err, "another process (process " + std::to_string(child)), said.err);
  }
  kill(child, SIGKILL);
  wait_for(child);
  BOOST_TEST(fs::exists(out + "/.afina-lock"));
  BOOST_TEST(refusal(out) == "");
}

BOOST_AUTO_TEST_SUITE_END()
