// Scheduling, barriers and exchanges of the threads of an emulated block.
#include "cuda/emulator/runner.h"

#include <algorithm>

namespace afina::emulated {

constinit thread_local Runner* Runner::running_ = nullptr;

static dim3 place(unsigned i, const dim3& of) {
  return {i % of.x, i / of.x % of.y, i / (of.x * of.y)};
}

Runner& Runner::mine() {
  static thread_local auto runner = std::make_unique<Runner>();
  return *runner;
}

unsigned Runner::random(unsigned below) {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return unsigned(((random_ >> 32) * below) >> 32);
}

bool Runner::run_block(const Launch& launch, unsigned block, uint64_t shuffle) {
  launch_ = &launch;
  block_ = place(block, launch.grid);
  error_.clear();
  random_ = shuffle * 0x9E3779B97F4A7C15ull + block + 1;
  count_ = launch.block.count();
  next_ = done_ = at_barrier_ = 0;
  if (threads_.size() < count_) threads_.resize(count_);
  order_.resize(count_);
  for (unsigned i = 0; i < count_; ++i) order_[i] = i;
  for (unsigned i = count_; i > 1; --i) std::swap(order_[i - 1], order_[random(i)]);
  for (unsigned& lanes : at_exchange_) lanes = 0;
  shared_.begin_block(launch.shared);
  running_ = this;
  main_.switch_to(next_turn()->fiber);
  running_ = nullptr;
  if (error_.empty()) return true;
  idle_.clear();
  ready_.clear();
  turns_.clear();  // they are in the middle of the kernel
  return false;
}

// Which fiber continues: nullptr if the block is finished or stuck.
Runner::Turn* Runner::next_turn() {
  if (next_ < count_) {
    if (idle_.empty()) {
      turns_.push_back(std::make_unique<Turn>());
      turns_.back()->runner = this;
      turns_.back()->fiber.start(entry, turns_.back().get());
      return turns_.back().get();
    }
    Turn* turn = idle_.back();
    idle_.pop_back();
    return turn;
  }
  if (!ready_.empty()) {
    unsigned i = random(unsigned(ready_.size()));
    Turn* turn = ready_[i];
    ready_[i] = ready_.back();
    ready_.pop_back();
    return turn;
  }
  if (done_ < count_) error_ = stuck();
  return nullptr;
}
// Yields to another fiber; returns when one yields back.
void Runner::leave(Turn& turn) {
  Turn* next = next_turn();
  if (next != &turn) turn.fiber.switch_to(next ? next->fiber : main_);
}
// Makes the fiber and its CUDA thread the running ones.
void Runner::arrive(Turn& turn) {
  current_ = &turn;
  stack_ = turn.fiber.stack();
  stack_bytes_ = turn.fiber.stack_bytes();
  who_ = shared_.who(turn.thread);
}

// A fiber runs one CUDA thread after another until one has to wait; then another fiber takes over
// the rest.
void Runner::entry(void* context) {
  Turn& turn = *static_cast<Turn*>(context);
  for (;;) {
    turn.runner->take_threads(turn);
    turn.runner->idle_.push_back(&turn);
    turn.runner->leave(turn);
  }
}
void Runner::take_threads(Turn& turn) {
  while (next_ < count_) {
    turn.thread = order_[next_++];
    turn.index = place(turn.thread, launch_->block);
    Thread& one = threads_[turn.thread];
    one.turn = &turn;
    one.state = State::ready;
    arrive(turn);
    launch_->thread(launch_->arguments);
    one.state = State::done;
    ++done_;
  }
}
void Runner::wait(State state, Line line) {
  Turn& turn = *current_;
  Thread& me = threads_[turn.thread];
  me.state = state;
  me.at = line;
  if (state == State::at_block_barrier) {
    if (++at_barrier_ == count_) release_block();
  } else {
    unsigned first = turn.thread / warp_lanes * warp_lanes;
    release_warp(first, me.mask);
  }
  leave(turn);
  arrive(turn);
}

void Runner::block_barrier(Line line) { wait(State::at_block_barrier, line); }

void Runner::release_block() {
  for (unsigned t = 0; t < count_; ++t)
    if (threads_[t].at.line != threads_[0].at.line) return;
  at_barrier_ = 0;
  shared_.block_barrier();
  for (unsigned t = 0; t < count_; ++t) {
    threads_[t].state = State::ready;
    ready_.push_back(threads_[t].turn);
  }
}

void Runner::exchange(const void* value, size_t bytes, unsigned mask, unsigned from, void* to,
                      Line line) {
  unsigned me = thread(), lane = me % warp_lanes;
  if (!(mask >> lane & 1u))
    blame("at " + text(line) + ": its own lane is not in the mask that it gives");
  else if (from != from_all && (from > from_all || !(mask >> from & 1u)))
    blame("at " + text(line) + ": asks for the value of lane " + std::to_string(from) +
          ", which is not in the mask");
  if (!error_.empty()) stop();
  Thread& own = threads_[me];
  own.mask = mask;
  own.from = from;
  own.bytes = bytes;
  own.to = to;
  std::memcpy(own.sent, value, bytes);
  at_exchange_[me / warp_lanes] |= 1u << lane;
  wait(State::at_exchange, line);
}
void Runner::exchange_one(void* value, size_t bytes, unsigned mask, unsigned from, Line line) {
  if (from == from_all) from = ~0u;  // no lane
  exchange(value, bytes, mask, from, value, line);
}
void Runner::exchange_all(const void* value, size_t bytes, unsigned mask, void* all, Line line) {
  exchange(value, bytes, mask, from_all, all, line);
}

// Releases the lanes of a mask once all of them have arrived.
void Runner::release_warp(unsigned first, unsigned mask) {
  unsigned end = std::min(first + warp_lanes, count_),
           arrived = mask & (~0u >> (warp_lanes - (end - first)));
  unsigned& waiting = at_exchange_[first / warp_lanes];
  if ((waiting & arrived) != arrived) return;
  const Thread& one = threads_[first + unsigned(__builtin_ctz(arrived))];
  for (unsigned t = first; t < end; ++t)
    if ((arrived >> (t - first) & 1u) &&
        (threads_[t].mask != mask || threads_[t].at.line != one.at.line))
      return;
  waiting &= ~arrived;
  shared_.warp_synchronised(first / warp_lanes);
  give_values(first, arrived, end);
  for (unsigned t = first; t < end; ++t)
    if (arrived >> (t - first) & 1u) {
      threads_[t].state = State::ready;
      ready_.push_back(threads_[t].turn);
    }
}
// Delivers what the lanes have sent; zeros for lanes that sent nothing.
void Runner::give_values(unsigned first, unsigned arrived, unsigned end) {
  alignas(16) unsigned char all[warp_lanes * exchange_bytes];
  size_t gathered = 0;  // bytes per lane in `all`
  for (unsigned t = first; t < end; ++t) {
    const Thread& one = threads_[t];
    if (!(arrived >> (t - first) & 1u)) continue;
    if (one.from != from_all) {
      if (!(arrived >> one.from & 1u)) std::memset(one.to, 0, one.bytes);
      else if (one.bytes == 4) std::memcpy(one.to, threads_[first + one.from].sent, 4);
      else std::memcpy(one.to, threads_[first + one.from].sent, one.bytes);
      continue;
    }
    if (gathered != one.bytes) {
      gathered = one.bytes;
      for (unsigned lane = 0; lane < warp_lanes; ++lane)
        if (arrived >> lane & 1u)
          std::memcpy(all + lane * gathered, threads_[first + lane].sent, gathered);
        else std::memset(all + lane * gathered, 0, gathered);
    }
    std::memcpy(one.to, all, warp_lanes * gathered);
  }
}

}  // namespace afina::emulated
