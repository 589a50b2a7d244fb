// A system thread that runs blocks of an emulated kernel: its CUDA threads are fibers that yield at
// barriers.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "cuda/emulator/cuda.h"
#include "cuda/emulator/fiber.h"
#include "cuda/emulator/memory.h"
#include "cuda/emulator/shared_memory.h"

namespace afina::emulated {

inline constexpr unsigned most_threads = 1024, warp_lanes = 32, exchange_bytes = 64;

class Runner {
 public:
  // The runner of the calling system thread.
  static Runner& mine();
  // The runner whose kernel is running on the calling system thread; nullptr outside kernels.
  AFINA_INLINE static Runner* running() { return running_; }

  // Runs one block. Returns false if the kernel did something wrong; error() then says what.
  bool run_block(const Launch& launch, unsigned block, uint64_t seed);
  const std::string& error() const { return error_; }

  // Called by kernels through cuda.h.
  void block_barrier(Line line);
  void exchange_one(void* value, size_t bytes, unsigned mask, unsigned from, Line line);
  void exchange_all(const void* value, size_t bytes, unsigned mask, void* all, Line line);
  bool on_stack(const void* at) const {
    return size_t(static_cast<const char*>(at) - stack_) < stack_bytes_;
  }
  void check(const void* at, size_t bytes, bool write, const void* code);
  unsigned thread() const { return current_->thread; }
  const dim3& thread_index() const { return current_->index; }
  const dim3& block_index() const { return block_; }
  const Launch& launch() const { return *launch_; }
  unsigned char* dynamic_bytes() { return shared_.dynamic(); }
  // Aborts the kernel with this message, prefixed by its name, block and thread.
  [[noreturn]] void wrong(const std::string& words);

 private:
  enum class State : uint8_t { ready, at_block_barrier, at_exchange, done };
  struct Turn {  // a fiber, and the CUDA thread it is running
    Fiber fiber{size_t(128) << 10};
    Runner* runner = nullptr;
    unsigned thread = 0;
    dim3 index;
  };
  struct Thread {
    State state = State::ready;
    Line at{"", 0};
    Turn* turn = nullptr;
    // The exchange it waits for. from: the lane whose value it wants, or all lanes.
    unsigned mask = 0, from = 0;
    size_t bytes = 0;
    void* to = nullptr;
    alignas(16) unsigned char sent[exchange_bytes];
  };
  static constexpr unsigned from_all = warp_lanes;

  static void entry(void* turn);
  void take_threads(Turn& turn);
  void arrive(Turn& turn);
  void wait(State state, Line line);
  void exchange(const void* value, size_t bytes, unsigned mask, unsigned from, void* to, Line line);
  void leave(Turn& turn);
  Turn* next_turn();
  void release_warp(unsigned first, unsigned mask);
  void give_values(unsigned first, unsigned mask, unsigned end);
  void release_block();
  [[gnu::cold]] std::string stuck() const;
  [[gnu::cold]] std::string fault(Access of_device, const void* at, size_t bytes, bool write,
                                  const void* code);
  [[gnu::cold]] void blame(const std::string& words);
  [[noreturn]] void stop();
  std::string where(unsigned thread) const;
  unsigned random(unsigned below);

  static constinit thread_local Runner* running_;
  // Of the running CUDA thread: its stack, and its identity in the notes on shared memory.
  const char* stack_ = nullptr;
  size_t stack_bytes_ = 0;
  uint32_t who_ = 0;
  SharedMemory shared_;
  Turn* current_ = nullptr;
  Fiber main_;
  std::vector<std::unique_ptr<Turn>> turns_;
  std::vector<Turn*> idle_, ready_;
  std::vector<Thread> threads_;
  std::vector<unsigned> order_;
  unsigned count_ = 0, next_ = 0, done_ = 0, at_barrier_ = 0;
  unsigned at_exchange_[most_threads / warp_lanes] =
      {};  // lanes of each warp that wait for an exchange
  const Launch* launch_ = nullptr;
  dim3 block_;
  uint64_t random_ = 1;
  std::string error_;
};

std::string text(const dim3& d);
std::string text(const Line& line);

// Seeds the order in which threads and blocks run (a correct kernel gives the same bits for any).
// Initially 1, or AFINA_EMULATOR_SEED.
void set_seed(uint64_t seed);

}  // namespace afina::emulated
