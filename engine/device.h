// Devices and their memory: the functions that a device must provide before it has any kernel, and
// the meter that counts allocated bytes by purpose.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>

namespace afina {

// shapes: tensors without bytes, on which the same code only counts work (engine/shapes.h).
enum class Device : uint8_t { cpu, cuda, emulated, shapes };
inline constexpr int device_count = 4;
const char* name(Device device);
inline bool holds_bytes(Device device) { return device != Device::shapes; }

// A device's functions for memory. Null pointers are allowed where a default is given.
struct Memory {
  void* (*allocate)(size_t bytes);  // 64-byte aligned; throws an Error when out of memory
  void (*release)(void* data, size_t bytes);
  // Either side may be the host; host memory may be reused as soon as the call returns.
  void (*copy)(void* to, const void* from, size_t bytes);
  void (*zero)(void* data, size_t bytes);
  const char* (*absent)();  // why this machine lacks the device, nullptr if it has it; default: has
  void (*wait)();           // until all submitted work is done; default: no work is asynchronous
  void* (*allocate_zeros)(size_t bytes) = nullptr;  // default: allocate, then zero
};
Memory& memory(Device device);
bool built_for(Device device);  // does this build include the device?
bool present(Device device);    // and does this machine have it?
// Why a device cannot be used; nullptr when it can. Asking starts the device's driver, so ask only
// about a device that is requested.
const char* why_absent(Device device);
void wait_for(Device device);

// What memory is allocated for: the columns of the memory ledger.
enum class Purpose : uint8_t { weights, masters, gradients, optimizer, activations, workspace };
inline constexpr const char* purpose_names[] = {"weights",   "masters",     "gradients",
                                                "optimizer", "activations", "workspace"};
inline constexpr int purpose_count = int(std::size(purpose_names));
inline const char* name(Purpose purpose) { return purpose_names[int(purpose)]; }

// Bytes allocated now and at peak, by purpose and in total. The total's peak is the greatest sum,
// not the sum of the peaks; at_peak is its split by purpose at that moment.
struct MemoryUse {
  std::array<int64_t, purpose_count> now{}, peak{}, at_peak{};
  int64_t total = 0, total_peak = 0;
};
const MemoryUse& memory_use(Device device);
// Counts an allocation (bytes > 0, before it is made) or a release (bytes < 0). Throws an Error,
// and counts nothing, if the total would exceed the limit.
void meter(Device device, Purpose purpose, int64_t bytes);
void reset_memory_peak(Device device);
// Limits the total to `bytes`; 0 removes the limit. set_by: the option that set it
// ("--memory-limit 8G"), for the Error.
void limit_memory(Device device, int64_t bytes, const std::string& set_by);
// Peak bytes of the CPU's pool, and how often it grew: after the first step it must not grow.
int64_t pool_bytes();
int64_t pool_growths();
// Returns the pages of free memory to the system and, where the system allows it, resets the peak
// of resident memory: called between runs, so that one does not show in the figures of the next.
void trim_memory();
// Resident bytes of this process now (VmRSS); 0 where unknown.
int64_t resident_bytes();
// Peak resident bytes of this process as the system counts them (VmHWM); 0 where unknown.
int64_t peak_resident_bytes();

// While alive, memory that this thread allocates counts under this purpose; under activations
// without one.
class PurposeScope {
 public:
  explicit PurposeScope(Purpose purpose) : outer_(current_) { current_ = purpose; }
  ~PurposeScope() { current_ = outer_; }
  PurposeScope(const PurposeScope&) = delete;
  static Purpose current() { return current_; }

 private:
  Purpose outer_;
  static inline thread_local Purpose current_ = Purpose::activations;
};

}  // namespace afina
