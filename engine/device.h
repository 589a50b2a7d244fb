// Devices and their memory: what a device must offer before it has any kernel, and the meter of
// what is held and for what.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace afina {

// shapes: tensors without bytes, on which the same code only counts (engine/shapes.h).
enum class Device : uint8_t { cpu, cuda, emulated, shapes };
inline constexpr int device_count = 4;
const char* name(Device device);
inline bool holds_bytes(Device device) { return device != Device::shapes; }

struct Memory {
  void* (*allocate)(size_t bytes);  // 64-byte aligned; throws Error when it cannot
  void (*release)(void* data, size_t bytes);
  void (*copy)(void* to, const void* from,
               size_t bytes);  // either side may be the host; a host side is done with on return
  void (*zero)(void* data, size_t bytes);
  const char* (*absent)();  // why it cannot be used on this machine, nullptr when it can; none: it
                            // always can
  void (*wait)();  // until everything given to the device is done; none: nothing is ever under way
  void* (*allocate_zeros)(size_t bytes) =
      nullptr;  // as allocate, the bytes zero; none: allocate, then zero
};
Memory& memory(Device device);
bool built_for(Device device);  // is this device in this build, whatever the machine?
bool present(Device device);    // is this device in this build, and its hardware there?
// Why a device cannot be used; nullptr when it can. Finding out wakes the device's driver, so ask
// only when it is wanted.
const char* why_absent(Device device);
void wait_for(Device device);

// What memory is held for: the columns of the memory ledger.
enum class Purpose : uint8_t { weights, masters, gradients, optimizer, activations, workspace };
inline constexpr int purpose_count = 6;
const char* name(Purpose purpose);

// Bytes held now and at most, by purpose and in all. The peak of the whole is that of the sum, not
// the sum of peaks.
struct MemoryUse {
  std::array<int64_t, purpose_count> now{}, peak{},
      at_peak{};  // at_peak: the split at the moment of the whole's peak
  int64_t total = 0, total_peak = 0;
};
const MemoryUse& memory_use(Device device);
// + before it is taken, - when given back. An Error, and nothing counted, when it would go beyond
// the limit.
void meter(Device device, Purpose purpose, int64_t bytes);
void reset_memory_peak(Device device);
// The sum may not rise above `bytes` from now on; 0: no limit. set_by says in the Error what set it
// ("--memory-limit 8G").
void limit_memory(Device device, int64_t bytes, const std::string& set_by);
// Bytes the pool has had from the system at most, and how often it asked: after the first step the
// count must stand still.
int64_t pool_bytes();
int64_t pool_growths();
// Gives the pages of memory that is not held back to the system, and starts the peak of resident
// memory anew where the system can: between runs, so that one's figures do not show in the next
// one's.
void trim_memory();
// Resident bytes of this process now (VmRSS); 0 where unknown.
int64_t resident_bytes();
// Peak resident bytes of this process as the system counts them (VmHWM); 0 where unknown.
int64_t peak_resident_bytes();

// While alive, tensors made in this thread are metered under this purpose. The default is
// activations.
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
