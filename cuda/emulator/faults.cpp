// Errors of emulated kernels: judges suspicious memory accesses, detects threads that wait forever,
// and words the messages.
#include <algorithm>

#include "cuda/emulator/runner.h"
#include "cuda/emulator/source_line.h"

namespace afina::emulated {

std::string text(const dim3& d) {
  return "(" + std::to_string(d.x) + ", " + std::to_string(d.y) + ", " + std::to_string(d.z) + ")";
}
std::string text(const Line& line) {
  return short_path(line.file) + ":" + std::to_string(line.line);
}

std::string Runner::where(unsigned t) const {
  const dim3& of = launch_->block;
  return "thread " + text({t % of.x, t / of.x % of.y, t / (of.x * of.y)});
}

// Threads that wait for others that never arrive.
std::string Runner::stuck() const {
  unsigned waiting = 0;
  while (threads_[waiting].state == State::done) ++waiting;
  const Thread& one = threads_[waiting];
  bool block = one.state == State::at_block_barrier;
  unsigned first = block ? 0 : waiting / warp_lanes * warp_lanes,
           end = block ? count_ : std::min(first + warp_lanes, count_), other = waiting;
  for (unsigned t = first; t < end; ++t) {
    const Thread& o = threads_[t];
    bool expected = block || (one.mask >> (t - first) & 1u);
    if (expected &&
        (o.state != one.state || o.at.line != one.at.line || (!block && o.mask != one.mask))) {
      other = t;
      break;
    }
  }
  std::string words = "kernel " + function_name(launch_->kernel) + ", block " + text(block_) +
                      ", " + where(waiting) + ": waits at the " +
                      (block ? "barrier" : "exchange of its warp") + " at " + text(one.at) +
                      ", and " + where(other);
  if (threads_[other].state == State::done) return words + " has ended without reaching it";
  return words + " waits at " + text(threads_[other].at) +
         (one.at.line == threads_[other].at.line ? " with another mask" : "");
}

// In two steps: the fiber is abandoned where it stands, and strings that it still holds would leak.
// A good place for a debugger's breakpoint.
void Runner::blame(const std::string& words) {
  error_ = "kernel " + function_name(launch_->kernel) + ", block " + text(block_) + ", " +
           where(thread()) + ": " + words;
}
void Runner::stop() {
  current_->fiber.switch_to(main_);
  __builtin_unreachable();
}
void Runner::wrong(const std::string& words) {
  blame(words);
  stop();
}

void Runner::check(const void* at, size_t bytes, bool write, const void* code) {
  Access of_device = Access::elsewhere;
  unsigned other = 0;
  if (in_device_range(at)) of_device = access_memory(at, bytes, write);
  else if (shared_.access(who_, at, bytes, write, other) == SharedMemory::Judgement::fine) return;
  if (of_device == Access::fine) return;
  {
    std::string words = fault(of_device, at, bytes, write, code);
    if (words.empty()) return;
    blame(words);
  }
  stop();
}

// What is wrong with an access; empty if it is only unusual.
std::string Runner::fault(Access of_device, const void* at, size_t bytes, bool write,
                          const void* code) {
  auto* p = static_cast<const char*>(at);
  auto* arguments = static_cast<const char*>(launch_->arguments);
  if (p >= arguments && p + bytes <= arguments + launch_->size) return "";
  auto line = [&] { return " at " + source_line(code); };
  auto access = [&](const char* of) {
    return std::string(write ? "writes " : "reads ") + std::to_string(bytes) + " bytes of " + of;
  };
  if (of_device == Access::outside)
    return access("the device's memory that belong to no tensor") + line();
  if (of_device == Access::unwritten)
    return access("the device's memory that nothing has written") + line();
  unsigned other = 0;
  switch (shared_.access(who_, at, bytes, write, other)) {
    case SharedMemory::Judgement::fine: return "";
    case SharedMemory::Judgement::unwritten:
      return access("shared memory that no thread of the block has written") + line();
    case SharedMemory::Judgement::race:
      return access("shared memory that ") +
             (other < most_threads ? where(other) : std::string("other threads")) +
             " touched with no barrier between" + line();
    case SharedMemory::Judgement::elsewhere: break;
  }
  if (shared_.beyond_dynamic(at))
    return access("shared memory beyond what the launch asked for") + line();
  if (!write && in_program(at)) return "";  // a table of constants
  return access("memory that is not the device's") + line();
}

}  // namespace afina::emulated
