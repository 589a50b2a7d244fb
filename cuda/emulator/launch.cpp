// A launch: runs the blocks of a grid on all system threads, in a shuffled order, and answers a
// kernel's questions about where it runs.
#include <atomic>
#include <cstdlib>
#include <mutex>

#include "cuda/emulator/runner.h"
#include "cuda/emulator/source_line.h"
#include "engine/error.h"
#include "engine/isa.h"
#include "engine/random.h"
#include "engine/threads.h"

namespace afina::emulated {

static uint64_t first_seed() {
  const char* word = std::getenv("AFINA_EMULATOR_SEED");
  return word && *word ? std::strtoull(word, nullptr, 10) : 1;
}
static uint64_t seed = first_seed();
void set_seed(uint64_t to) { seed = to; }

static unsigned along(const dim3& d, int axis) { return axis == 0 ? d.x : axis == 1 ? d.y : d.z; }
unsigned thread_place(int axis) { return along(Runner::running()->thread_index(), axis); }
unsigned block_place(int axis) { return along(Runner::running()->block_index(), axis); }
unsigned block_extent(int axis) { return along(Runner::running()->launch().block, axis); }
unsigned grid_extent(int axis) { return along(Runner::running()->launch().grid, axis); }
unsigned lane_index() { return Runner::running()->thread() % warp_lanes; }
unsigned char* dynamic_bytes() { return Runner::running()->dynamic_bytes(); }
void block_barrier(Line line) { Runner::running()->block_barrier(line); }
void exchange(void* value, size_t bytes, unsigned mask, unsigned from, Line line) {
  Runner::running()->exchange_one(value, bytes, mask, from, line);
}
void exchange_all(const void* value, size_t bytes, unsigned mask, void* all, Line line) {
  Runner::running()->exchange_all(value, bytes, mask, all, line);
}

void run(const Launch& launch) {
  const dim3 &g = launch.grid, &b = launch.block;
  uint64_t blocks = uint64_t(g.x) * g.y * g.z;
  bool possible = blocks > 0 && g.y < 65536 && g.z < 65536 && b.count() > 0 &&
                  b.x <= most_threads && b.count() <= most_threads && b.z <= 64 &&
                  launch.shared <= (size_t(227) << 10);
  if (!possible)  // before composing a message: finding the kernel's name starts another program
    fail("kernel ", function_name(launch.kernel), ": a grid of ", text(g), " blocks of ", text(b),
         " threads with ", launch.shared, " bytes of shared memory cannot be launched");
  static std::atomic<uint64_t> launches{0};
  uint64_t shuffle = seed * 1000003 + ++launches;
  std::vector<uint32_t> order = permutation(uint32_t(blocks), Random(shuffle, "blocks"));
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::string error;
  // Running a few threads takes less time than waking others to share them.
  int64_t grain = blocks * b.count() <= 1024 ? int64_t(blocks) : 1;
  parallel_for(int64_t(blocks), grain, [&](int64_t begin, int64_t end) {
    flush_denormals();  // as kernels are compiled
    Runner& runner = Runner::mine();
    for (int64_t i = begin; i < end && !failed; ++i) {
      if (runner.run_block(launch, order[size_t(i)], shuffle)) continue;
      std::lock_guard lock(mutex);
      if (!failed) error = runner.error();
      failed = true;
    }
  });
  if (failed) throw Error(error);
}

}  // namespace afina::emulated
