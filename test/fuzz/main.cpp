// Longer fuzzing: `fuzz [NAME|all] [MINUTES | RUNSx] [SEED]`, say `fuzz gguf 10000000x`. The input
// being run is kept in fuzz-NAME.input, so that one which takes the process with it is there to be
// looked at; `fuzz NAME FILE` runs one file. `fuzz NAME collect FOLDER [RUNSx]` keeps the shortest
// input for every kind of answer, without what the answer does not need: the beginning of a corpus.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>

#include "engine/error.h"
#include "engine/files/atomic_file.h"
#include "engine/threads.h"
#include "test/fuzz/fuzz.h"
#include "test/fuzz/mutate.h"

using namespace afina;

namespace {

// A mapped file: what is put there outlives the process, without a call of the system for each
// input. Its first 8 bytes are the length.
class Kept {
 public:
  static constexpr size_t most = 1 << 20;
  explicit Kept(std::string path) : path_(std::move(path)) {
    int file = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0666);
    require(file >= 0 && ::ftruncate(file, most) == 0, path_, ": cannot write");
    void* data = ::mmap(nullptr, most, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    require(data != MAP_FAILED, path_, ": cannot map");
    place_ = static_cast<char*>(data);
  }
  ~Kept() {
    ::munmap(place_, most);
    place_ = nullptr;
  }
  static void put(std::string_view input) {
    uint64_t bytes = std::min(input.size(), most - 8);
    std::memcpy(place_, &bytes, 8);
    std::memcpy(place_ + 8, input.data(), bytes);
  }
  static std::string read(const std::string& path) {
    std::string text = read_text_file(path);
    uint64_t bytes = 0;
    if (!path.ends_with(".input") || text.size() < 8) return text;
    std::memcpy(&bytes, text.data(), 8);
    return text.substr(8, size_t(bytes));
  }

 private:
  std::string path_;
  static inline char* place_ = nullptr;
};

void run_target(const FuzzTarget& target, const std::string& how, uint64_t seed) {
  auto start = std::chrono::steady_clock::now();
  std::string file = "fuzz-" + target.name + ".input";
  FuzzCount count;
  {
    Kept kept(file);
    bool by_runs = how.ends_with('x');
    count = fuzz(target, seed, by_runs ? std::atoll(how.c_str()) : INT64_MAX,
                 by_runs ? 1e18 : std::atof(how.c_str()) * 60, Kept::put);
  }
  std::filesystem::remove(file);
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%-16s %10lld runs, %.0f a second, %lld accepted, nothing found (seed %llu)\n",
              target.name.c_str(), (long long)count.runs, double(count.runs) / seconds,
              (long long)count.accepted, (unsigned long long)seed);
  std::fflush(stdout);
}

// What an Error says, without what it says of this input: names, numbers, values.
std::string kind_of(const std::string& message) {
  std::string kind;
  bool quoted = false;
  for (char c : message.substr(0, 200)) {
    if (c == '\'' || c == '"') quoted = !quoted;
    else if (!quoted && std::isalpha(static_cast<unsigned char>(c))) kind += c;
  }
  return kind;
}

// "" for an input that was read.
std::string answer_to(const FuzzTarget& target, const std::string& input) {
  try {
    target.run(input);
    return "";
  } catch (const Error& error) { return kind_of(error.what()); }
}

// Takes out what the answer does not depend on, large pieces first.
std::string minimised(const FuzzTarget& target, std::string input, const std::string& kind) {
  for (size_t piece = std::max<size_t>(1, input.size() / 2); piece > 0; piece /= 2)
    for (size_t at = 0; at + piece <= input.size();) {
      std::string less = input.substr(0, at) + input.substr(at + piece);
      if (answer_to(target, less) == kind) input = std::move(less);
      else at += piece;
    }
  return input;
}

void collect(const FuzzTarget& target, const std::string& folder, int64_t runs) {
  std::map<std::string, std::string> shortest;
  std::vector<std::string> seeds = target.seeds();
  for (int64_t i = 0; i < runs; ++i) {
    Draw draw(7, target.name, uint64_t(i));
    std::string input = mutate(target, seeds, draw), kind = answer_to(target, input);
    if (input.empty() || input.size() > 2048 || kind.empty()) continue;
    auto [at, fresh] = shortest.try_emplace(kind, input);
    if (!fresh && input.size() < at->second.size()) at->second = input;
  }
  std::filesystem::create_directories(folder);
  int number = 0;
  for (auto& [kind, input] : shortest) {
    if (number == 32) break;  // a corpus is small
    char name[16];
    std::snprintf(name, sizeof name, "/%02d", number++);
    write_text_file(folder + name, minimised(target, input, kind));
  }
  std::printf("%-16s %d inputs\n", target.name.c_str(), number);
}

int run(const std::vector<std::string>& words) {
  auto word = [&](size_t i, const char* otherwise) {
    return i < words.size() ? words[i] : std::string(otherwise);
  };
  std::string name = word(0, "all"), how = word(1, "1"), third = word(2, "");
  bool found = false;
  set_thread_count(1);  // what is built is tiny
  for (const FuzzTarget* target : FuzzTarget::all()) {
    if (name != "all" && name != target->name) continue;
    found = true;
    if (how == "collect") {
      collect(*target, name == "all" ? third + "/" + target->name : third,
              std::atoll(word(3, "200000x").c_str()));
    } else if (std::filesystem::is_regular_file(how)) {
      std::printf("%s\n", run_once(*target, Kept::read(how)) ? "accepted" : "refused");
    } else {
      auto now = std::chrono::system_clock::now().time_since_epoch().count();
      run_target(*target, how,
                 third.empty() ? uint64_t(now) : std::strtoull(third.c_str(), nullptr, 10));
    }
  }
  if (!found) std::fprintf(stderr, "no fuzz target '%s'\n", name.c_str());
  return found ? 0 : 2;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run({words + 1, words + count});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
