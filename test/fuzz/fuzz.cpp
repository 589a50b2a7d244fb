// Runs fuzz targets on damaged input.
#include "test/fuzz/fuzz.h"

#include <chrono>
#include <memory>

#include "engine/error.h"
#include "test/fuzz/mutate.h"

namespace afina {

namespace {

std::string hex(std::string_view input) {
  std::string text;
  for (unsigned char c : input.substr(0, 4096)) text += "0123456789abcdef"[c >> 4], text += "0123456789abcdef"[c & 15];
  return text + (input.size() > 4096 ? "..." : "");
}

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

bool run_once(const FuzzTarget& target, std::string_view input) {
  std::unique_ptr<char[]> exact(new char[input.size()]);
  std::copy(input.begin(), input.end(), exact.get());
  try {
    target.run({exact.get(), input.size()});
    return true;
  } catch (const Error&) { return false; }
}

FuzzCount fuzz(const FuzzTarget& target, uint64_t seed, int64_t runs, double seconds, void (*before)(std::string_view)) {
  std::vector<std::string> seeds = target.seeds();
  require(!seeds.empty(), "fuzz target ", target.name, " has no seeds");
  auto start = Clock::now();
  FuzzCount count;
  auto run = [&](const std::string& input) {
    if (before) before(input);
    auto begin = Clock::now();
    bool accepted = false;
    try {
      accepted = run_once(target, input);
    } catch (const std::exception& error) {
      fail("fuzz target ", target.name, ", run ", count.runs, " of seed ", seed, ": not an Error but: ", error.what(), "; input ",
           hex(input));
    }
    double took = seconds_since(begin);
    require(took < 5, "fuzz target ", target.name, ", run ", count.runs, " of seed ", seed, ": took ", took, " s; input ", hex(input));
    return accepted;
  };
  for (const std::string& good : seeds) require(run(good), "fuzz target ", target.name, ": a seed is refused: ", hex(good));
  for (; count.runs < runs && seconds_since(start) < seconds; ++count.runs) {
    Draw draw(seed, target.name, uint64_t(count.runs));
    count.accepted += run(mutate(seeds, target.words, draw));
  }
  return count;
}

}  // namespace afina
