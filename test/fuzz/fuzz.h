// Fuzzing: readers of strangers' files get damaged input and must answer with an Error, never with a crash, a hang or another exception.
//
// To add a target, add one file test/fuzz/fuzz_NAME.cpp with
//     static void run(std::string_view input) { ...read it; let Error out, check what must hold of what was read... }
//     static std::vector<std::string> seeds() { return {...valid inputs, small ones...}; }
//     static const afina::FuzzTarget registered("NAME", run, seeds, {"words", "that matter", "in such input"});
// It then runs for about a second in `make test`, longer in `make fuzz MINUTES=5` (all targets) or `build/fuzz NAME 5`, and under
// libFuzzer with coverage where CMake is given -DFUZZ=ON with clang: `build-fuzz/fuzz NAME corpus-folder -max_total_time=300`.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace afina {

struct FuzzTarget {
  std::string name;
  void (*run)(std::string_view input);
  std::vector<std::string> (*seeds)();
  std::vector<std::string> words;

  FuzzTarget(const char* name, void (*run)(std::string_view), std::vector<std::string> (*seeds)(), std::vector<std::string> words = {})
      : name(name), run(run), seeds(seeds), words(std::move(words)) {
    all().push_back(this);
  }
  static std::vector<const FuzzTarget*>& all() {
    static std::vector<const FuzzTarget*> targets;
    return targets;
  }
};

// One run of a target on a copy of the input that ends where it says, so that AddressSanitizer sees a step beyond. True if it was read,
// false if an Error refused it; anything else comes out as it is.
bool run_once(const FuzzTarget& target, std::string_view input);

// How often a target ran, and how often it read the input without an Error.
struct FuzzCount {
  int64_t runs = 0, accepted = 0;
};
// Runs a target on its seeds, then on damaged ones until so many runs or seconds are over. Each run depends on (seed, its
// number) alone. A seed that is refused, another exception than Error and a run of more than five seconds are an Error with the input.
// `before` is called with each input; it may store it, for the case that the run takes the process with it.
FuzzCount fuzz(const FuzzTarget& target, uint64_t seed, int64_t runs, double seconds, void (*before)(std::string_view) = nullptr);

}  // namespace afina
