// Longer fuzzing: `fuzz [NAME|all] [MINUTES] [SEED]`. The input being run is kept in fuzz-NAME.input, so that one which takes the process
// with it is there to be looked at; `fuzz NAME FILE` runs one file.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/error.h"
#include "engine/files/atomic_file.h"
#include "test/fuzz/fuzz.h"

using namespace afina;

namespace {

std::FILE* kept = nullptr;

void keep(std::string_view input) {
  std::rewind(kept);
  std::fwrite(input.data(), 1, input.size(), kept);
  std::fflush(kept);
  std::error_code ignored;
  std::filesystem::resize_file("/proc/self/fd/" + std::to_string(fileno(kept)), input.size(), ignored);
}

void run_target(const FuzzTarget& target, double minutes, uint64_t seed) {
  std::string file = "fuzz-" + target.name + ".input";
  kept = std::fopen(file.c_str(), "wb");
  require(kept, file, ": cannot write");
  FuzzCount count = fuzz(target, seed, INT64_MAX, minutes * 60, keep);
  std::fclose(kept);
  std::filesystem::remove(file);
  std::printf("%-16s %10lld runs, %lld accepted, nothing found (seed %llu)\n", target.name.c_str(), (long long)count.runs,
              (long long)count.accepted, (unsigned long long)seed);
}

int run(const std::string& name, const std::string& how, const std::string& seed) {
  bool found = false;
  for (const FuzzTarget* target : FuzzTarget::all()) {
    if (name != "all" && name != target->name) continue;
    found = true;
    if (std::filesystem::is_regular_file(how)) {
      std::printf("%s\n", run_once(*target, read_text_file(how)) ? "accepted" : "refused");
    } else {
      auto now = std::chrono::system_clock::now().time_since_epoch().count();
      run_target(*target, std::atof(how.c_str()), seed.empty() ? uint64_t(now) : std::strtoull(seed.c_str(), nullptr, 10));
    }
  }
  if (!found) std::fprintf(stderr, "no fuzz target '%s'\n", name.c_str());
  return found ? 0 : 2;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run(count > 1 ? words[1] : "all", count > 2 ? words[2] : "1", count > 3 ? words[3] : "");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
