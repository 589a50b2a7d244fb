// Fuzzing: readers of strangers' files get damaged input and must answer with an Error, never with
// a crash, a hang or another exception.
//
// To add a target, add one file test/fuzz/fuzz_NAME.cpp with
//     static void run(std::string_view input) { ...read it; let Error out, check what must hold of
//     what was read... } static std::vector<std::string> seeds() { return {...valid inputs, small
//     ones...}; } static const afina::FuzzTarget registered("NAME", run, seeds, {"words", "that
//     matter", "in such input"});
// and, where one damage makes all others invisible (a length in front that no longer fits), a
// function that mends it as the last argument. It then runs for about a second in `make test`,
// longer in `make fuzz MINUTES=5` (all targets) or `build/fuzz NAME 5`, and under libFuzzer with
// coverage where CMake is given -DFUZZ=ON with clang: `build-fuzz/fuzz NAME corpus-folder
// -max_total_time=300`. test/fuzz/corpus/NAME holds small inputs that led somewhere new
// (`build/fuzz NAME collect FOLDER`); they are run first and are damaged further, as the seeds are.
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
  int64_t most_memory;  // bytes that a run may take beyond 256 for each byte of input
  void (*mend)(std::string& input);

  FuzzTarget(const char* name, void (*run)(std::string_view), std::vector<std::string> (*seeds)(),
             std::vector<std::string> words = {}, int64_t most_memory = 4 << 20,
             void (*mend)(std::string&) = nullptr)
      : name(name),
        run(run),
        seeds(seeds),
        words(std::move(words)),
        most_memory(most_memory),
        mend(mend) {
    all().push_back(this);
  }
  static std::vector<const FuzzTarget*>& all() {
    static std::vector<const FuzzTarget*> targets;
    return targets;
  }
};

// One run of a target on a copy of the input that ends where it says, so that AddressSanitizer sees
// a step beyond. True if it was read, false if an Error refused it; anything else comes out as it
// is.
bool run_once(const FuzzTarget& target, std::string_view input);

// How often a target ran, and how often it read the input without an Error.
struct FuzzCount {
  int64_t runs = 0, accepted = 0;
};
// Runs a target on its seeds and corpus, then on damaged ones until so many runs or seconds are
// over. Each run depends on (seed, its number) alone. An Error with the input: a seed that is
// refused, another exception than Error, a run of more than five seconds, a run that takes more
// memory than its input promises. Memory that is still held at the end is an Error too. `before` is
// called with each input; it may store it, for the case that the run takes the process with it.
FuzzCount fuzz(const FuzzTarget& target, uint64_t seed, int64_t runs, double seconds,
               void (*before)(std::string_view) = nullptr);
// The files of test/fuzz/corpus/NAME.
std::vector<std::string> corpus_of(const FuzzTarget& target);

// Bytes that operator new gave to this thread and were not given back, and the most there were
// since `peak` was set.
struct HeapUse {
  int64_t now = 0, peak = 0;
};
HeapUse& heap_use();
// Bytes that this process holds of malloc's, whoever asked for them; nothing under
// AddressSanitizer, which looks for leaks itself.
int64_t heap_held();

}  // namespace afina
