// Runs fuzz targets on damaged input.
#include "test/fuzz/fuzz.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <memory>

#include "engine/device.h"
#include "engine/error.h"
#include "engine/files/atomic_file.h"
#include "test/fuzz/mutate.h"

namespace afina {

namespace {

std::string hex(std::string_view input) {
  std::string text;
  for (unsigned char c : input.substr(0, 4096)) {
    text += "0123456789abcdef"[c >> 4];
    text += "0123456789abcdef"[c & 15];
  }
  return text + (input.size() > 4096 ? "..." : "");
}

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}
int64_t held() { return heap_held() + memory_use(Device::cpu).total; }

// Runs one input after the other and says what is wrong with which.
class Runner {
 public:
  Runner(const FuzzTarget& target, uint64_t seed, void (*before)(std::string_view))
      : target_(target), seed_(seed), before_(before) {}

  bool run(const std::string& input, int64_t number) {
    if (before_) before_(input);
    auto begin = Clock::now();
    HeapUse& heap = heap_use();
    const int64_t heap_before = heap.peak = heap.now,
                  tensors_before = memory_use(Device::cpu).total;
    reset_memory_peak(Device::cpu);
    bool accepted = false;
    try {
      accepted = run_once(target_, input);
    } catch (const std::exception& error) {
      stop(input, number, "not an Error but: ", error.what());
    }
    int64_t took = heap.peak - heap_before + memory_use(Device::cpu).total_peak - tensors_before;
    if (took > target_.most_memory + 256 * int64_t(input.size()))
      stop(input, number, "took ", took, " bytes of memory for an input of ", input.size());
    if (seconds_since(begin) > 5 && processor_seconds(input) > 5)
      stop(input, number, "took more than 5 s");
    return accepted;
  }

 private:
  template <class... Words>
  [[noreturn]] void stop(const std::string& input, int64_t number, Words... words) const {
    fail("fuzz target ", target_.name, ", run ", number, " of seed ", seed_, ": ", words...,
         "; input ", hex(input));
  }
  // Once more, by the processor's time: the machine may have been busy with something else.
  double processor_seconds(const std::string& input) const {
    std::clock_t start = std::clock();
    run_once(target_, input);
    return double(std::clock() - start) / CLOCKS_PER_SEC;
  }
  const FuzzTarget& target_;
  uint64_t seed_;
  void (*before_)(std::string_view);
};

}  // namespace

std::vector<std::string> corpus_of(const FuzzTarget& target) {
  namespace fs = std::filesystem;
  std::vector<std::string> files, all;
  std::error_code none;
  for (fs::directory_iterator entry(AFINA_SOURCE_DIR "/test/fuzz/corpus/" + target.name, none), end;
       !none && entry != end; ++entry)
    files.push_back(entry->path().string());
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) all.push_back(read_text_file(file));
  return all;
}

bool run_once(const FuzzTarget& target, std::string_view input) {
  std::unique_ptr<char[]> exact(new char[input.size()]);
  std::copy(input.begin(), input.end(), exact.get());
  try {
    target.run({exact.get(), input.size()});
    return true;
  } catch (const Error&) { return false; }
}

FuzzCount fuzz(const FuzzTarget& target, uint64_t seed, int64_t runs, double seconds,
               void (*before)(std::string_view)) {
  std::vector<std::string> material = target.seeds();
  require(!material.empty(), "fuzz target ", target.name, " has no seeds");
  auto start = Clock::now();
  FuzzCount count;
  Runner runner(target, seed, before);
  for (const std::string& good : material)
    require(runner.run(good, 0), "fuzz target ", target.name, ": a seed is refused: ", hex(good));
  for (std::string& more : corpus_of(target)) {
    runner.run(more, 0);
    material.push_back(std::move(more));
  }
  int64_t held_before = held();
  for (; count.runs < runs && seconds_since(start) < seconds; ++count.runs) {
    Draw draw(seed, target.name, uint64_t(count.runs));
    count.accepted += runner.run(mutate(target, material, draw), count.runs);
  }
  int64_t grown = held() - held_before;
  require(grown < (2 << 20) + count.runs / 16, "fuzz target ", target.name, ": ", grown,
          " bytes more are held after ", count.runs, " runs of seed ", seed,
          " than before: something leaks");
  return count;
}

}  // namespace afina
