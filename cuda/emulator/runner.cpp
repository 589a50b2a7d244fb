// Turns, barriers and exchanges of an emulated block, and what goes wrong in them.
#include "cuda/emulator/runner.h"

#include <atomic>
#include <cstdlib>
#include <mutex>

#include "cuda/emulator/memory.h"
#include "cuda/emulator/source_line.h"
#include "engine/error.h"
#include "engine/isa.h"
#include "engine/random.h"
#include "engine/threads.h"

namespace afina::emulated {

namespace {

std::string text(const dim3& d) {
  std::string out = "(" + std::to_string(d.x) + ", " + std::to_string(d.y) + ", " + std::to_string(d.z) + ")";
  return out;
}
std::string text(const Line& line) { return short_path(line.file) + ":" + std::to_string(line.line); }
dim3 place(unsigned i, const dim3& of) { return {i % of.x, i / of.x % of.y, i / (of.x * of.y)}; }

uint64_t first_seed() {
  const char* word = std::getenv("AFINA_EMULATOR_SEED");
  return word && *word ? std::strtoull(word, nullptr, 10) : 1;
}
uint64_t seed = first_seed();

}  // namespace

constinit thread_local Runner* Runner::running_ = nullptr;

Runner& Runner::mine() {
  static thread_local Runner* runner = new Runner;  // as long as the thread: kernels may run while others end
  return *runner;
}
void set_seed(uint64_t to) { seed = to; }

unsigned Runner::random(unsigned below) {
  random_ ^= random_ << 13, random_ ^= random_ >> 7, random_ ^= random_ << 17;
  return unsigned((random_ >> 11) % below);
}

bool Runner::run_block(const Launch& launch, unsigned block, uint64_t shuffle) {
  launch_ = &launch, block_ = place(block, launch.grid), error_.clear();
  random_ = shuffle * 0x9E3779B97F4A7C15ull + block + 1;
  unsigned count = launch.block.count();
  if (threads_.size() < count) threads_.resize(count);
  order_.resize(count);
  for (unsigned i = 0; i < count; ++i) threads_[i].state = State::ready, order_[i] = i;
  for (unsigned i = count; i > 1; --i) std::swap(order_[i - 1], order_[random(i)]);
  next_ = done_ = 0;
  shared_.begin_block(launch.shared);
  give_turns();
  if (error_.empty()) return true;
  idle_.clear(), ready_.clear(), turns_.clear();  // they stand in the middle of the kernel
  return false;
}

void Runner::give_turns() {
  unsigned count = launch_->block.count();
  while (error_.empty() && done_ < count) {
    if (next_ < count) {
      if (idle_.empty()) {
        turns_.push_back(std::make_unique<Turn>());
        turns_.back()->runner = this;
        turns_.back()->fiber.start(entry, turns_.back().get());
        idle_.push_back(turns_.back().get());
      }
      Turn* turn = idle_.back();
      idle_.pop_back();
      resume(*turn);
    } else if (!ready_.empty()) {
      unsigned i = random(unsigned(ready_.size()));
      Turn* turn = ready_[i];
      ready_[i] = ready_.back(), ready_.pop_back();
      resume(*turn);
    } else if (!release_warps() && !release_block()) {
      error_ = stuck();
    }
  }
}
void Runner::resume(Turn& turn) {
  current_ = &turn, running_ = this;
  main_.switch_to(turn.fiber);
  running_ = nullptr;
}

// A fiber runs one CUDA thread after the other, until one has to wait: then another fiber takes over the rest.
void Runner::entry(void* context) {
  Turn& turn = *static_cast<Turn*>(context);
  for (;;) {
    turn.runner->take_threads(turn);
    turn.runner->idle_.push_back(&turn);
    turn.fiber.switch_to(turn.runner->main_);
  }
}
void Runner::take_threads(Turn& turn) {
  while (next_ < launch_->block.count()) {
    turn.thread = order_[next_++], turn.index = place(turn.thread, launch_->block);
    threads_[turn.thread].turn = &turn;
    launch_->thread(launch_->arguments);
    threads_[turn.thread].state = State::done, ++done_;
  }
}
void Runner::wait(State state, unsigned mask, Line line) {
  Turn* turn = current_;
  Thread& me = threads_[turn->thread];
  me.state = state, me.mask = mask, me.at = line;
  turn->fiber.switch_to(main_);
}

void Runner::block_barrier(Line line) { wait(State::at_block_barrier, 0, line); }

void Runner::exchange_all(const void* value, size_t bytes, unsigned mask, void* all, Line line) {
  unsigned me = thread(), first = me / warp_lanes * warp_lanes;
  if (!(mask >> (me - first) & 1u)) wrong("at " + text(line) + ": its own lane is not in the mask that it gives");
  Thread& own = threads_[me];
  unsigned side = own.side;
  own.side ^= 1u;
  std::memcpy(own.sent[side].data(), value, bytes);
  wait(State::at_exchange, mask, line);
  unsigned count = launch_->block.count();
  for (unsigned lane = 0; lane < warp_lanes; ++lane) {
    auto* to = static_cast<unsigned char*>(all) + lane * bytes;
    if (first + lane < count && (mask >> lane & 1u)) std::memcpy(to, threads_[first + lane].sent[side].data(), bytes);
    else std::memset(to, 0, bytes);
  }
}

bool Runner::release_warps() {
  unsigned count = launch_->block.count();
  bool any = false;
  for (unsigned i = 0; i < count; ++i) {
    const Thread& one = threads_[i];
    if (one.state != State::at_exchange) continue;
    unsigned first = i / warp_lanes * warp_lanes, end = std::min(first + warp_lanes, count);
    bool all = true;
    for (unsigned t = first; t < end; ++t)
      all = all && (!(one.mask >> (t - first) & 1u) || (threads_[t].state == State::at_exchange && threads_[t].mask == one.mask &&
                                                        threads_[t].at.line == one.at.line && threads_[t].side == one.side));
    if (!all) continue;
    any = true;
    shared_.warp_synchronised(first / warp_lanes);
    for (unsigned t = first; t < end; ++t)
      if (one.mask >> (t - first) & 1u) threads_[t].state = State::ready, ready_.push_back(threads_[t].turn);
  }
  return any;
}
bool Runner::release_block() {
  unsigned count = launch_->block.count();
  for (unsigned t = 0; t < count; ++t)
    if (threads_[t].state != State::at_block_barrier || threads_[t].at.line != threads_[0].at.line) return false;
  shared_.block_barrier();
  for (unsigned t = 0; t < count; ++t) threads_[t].state = State::ready, ready_.push_back(threads_[t].turn);
  return true;
}

std::string Runner::where(unsigned t) const { return "thread " + text(place(t, launch_->block)); }

// Some wait for others who never come.
std::string Runner::stuck() const {
  unsigned count = launch_->block.count(), waiting = 0;
  while (threads_[waiting].state == State::done) ++waiting;
  const Thread& one = threads_[waiting];
  bool block = one.state == State::at_block_barrier;
  unsigned first = block ? 0 : waiting / warp_lanes * warp_lanes, end = block ? count : std::min(first + warp_lanes, count),
           other = waiting;
  for (unsigned t = first; t < end; ++t) {
    const Thread& o = threads_[t];
    bool expected = block || (one.mask >> (t - first) & 1u);
    if (expected && (o.state != one.state || o.at.line != one.at.line || o.mask != one.mask || o.side != one.side)) {
      other = t;
      break;
    }
  }
  std::string words = "kernel " + function_name(launch_->kernel) + ", block " + text(block_) + ", " + where(waiting) + ": waits at the " +
                      (block ? "barrier" : "exchange of its warp") + " at " + text(one.at) + ", and " + where(other);
  if (threads_[other].state == State::done) return words + " has ended without reaching it";
  return words + " waits at " + text(threads_[other].at) +
         (one.at.line == threads_[other].at.line ? " with another mask or in another turn" : "");
}

void Runner::wrong(const std::string& words) {
  error_ = "kernel " + function_name(launch_->kernel) + ", block " + text(block_) + ", " + where(thread()) + ": " + words;
  current_->fiber.switch_to(main_);
  __builtin_unreachable();
}

void Runner::check(const void* at, size_t bytes, bool write, const void* code) {
  unsigned other = 0;
  auto line = [&] { return " at " + source_line(code); };
  auto access = [&](const char* of) { return std::string(write ? "writes " : "reads ") + std::to_string(bytes) + " bytes of " + of; };
  switch (access_memory(at, bytes, write)) {
    case Access::fine: return;
    case Access::outside: wrong(access("the device's memory that belong to no tensor") + line());
    case Access::unwritten: wrong(access("the device's memory that nothing has written") + line());
    case Access::elsewhere: break;
  }
  switch (shared_.access(thread(), at, bytes, write, other)) {
    case SharedMemory::Judgement::fine: return;
    case SharedMemory::Judgement::unwritten: wrong(access("shared memory that no thread of the block has written") + line());
    case SharedMemory::Judgement::race:
      wrong(access("shared memory that ") + (other < most_threads ? where(other) : std::string("other threads")) +
            " touched with no barrier between" + line());
    case SharedMemory::Judgement::elsewhere: break;
  }
  if (shared_.beyond_dynamic(at)) wrong(access("shared memory beyond what the launch asked for") + line());
  auto* p = static_cast<const char*>(at);
  auto* arguments = static_cast<const char*>(launch_->arguments);
  if (current_->fiber.on_stack(at) || (p >= arguments && p + bytes <= arguments + launch_->size)) return;
  if (!write && in_program(at)) return;  // a table of constants
  wrong(access("memory that is not the device's") + line());
}

dim3 thread_index() { return Runner::running()->thread_index(); }
dim3 block_index() { return Runner::running()->block_index(); }
dim3 block_size() { return Runner::running()->launch().block; }
dim3 grid_size() { return Runner::running()->launch().grid; }
unsigned lane_index() { return Runner::running()->thread() % warp_lanes; }
unsigned char* dynamic_bytes() { return Runner::running()->dynamic_bytes(); }
void block_barrier(Line line) { Runner::running()->block_barrier(line); }
void exchange_all(const void* value, size_t bytes, unsigned mask, void* all, Line line) {
  Runner::running()->exchange_all(value, bytes, mask, all, line);
}
void exchange(void* value, size_t bytes, unsigned mask, unsigned from, Line line) {
  unsigned char all[warp_lanes * exchange_bytes];
  Runner& runner = *Runner::running();
  runner.exchange_all(value, bytes, mask, all, line);
  if (from >= warp_lanes || !(mask >> from & 1u))
    runner.wrong("at " + text(line) + ": asks for the value of lane " + std::to_string(from) + ", which is not in the mask");
  std::memcpy(value, all + from * bytes, bytes);
}

void run(const Launch& launch) {
  const dim3 &g = launch.grid, &b = launch.block;
  uint64_t blocks = uint64_t(g.x) * g.y * g.z;
  bool possible = blocks > 0 && g.y < 65536 && g.z < 65536 && b.count() > 0 && b.x <= most_threads && b.count() <= most_threads &&
                  b.z <= 64 && launch.shared <= (size_t(227) << 10);
  if (!possible)  // before any words are made: the kernel's name is asked of another program
    fail("kernel ", function_name(launch.kernel), ": a grid of ", text(g), " blocks of ", text(b), " threads with ", launch.shared,
         " bytes of shared memory cannot be launched");
  static uint64_t launches = 0;
  uint64_t shuffle = seed * 1000003 + ++launches;
  std::vector<uint32_t> order = permutation(uint32_t(blocks), Random(shuffle, "blocks"));
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::string error;
  parallel_for(int64_t(blocks), 1, [&](int64_t begin, int64_t end) {
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
