// Memory without bytes, and the counting of kernel calls.
#include "engine/shapes.h"

#include <cstring>
#include <mutex>

#include "engine/kernel.h"
#include "engine/ranges.h"

namespace afina {

namespace {

Device modelled = Device::cpu;
std::function<void(const KernelCall&)> observer;
int64_t counted = 0;  // FLOPs at the last call

int64_t all_flops() {
  int64_t sum = 0;
  for (int64_t one : flops().of) sum += one;
  return sum;
}

// Addresses that no processor maps: reading or writing them faults.
constexpr uintptr_t base = uintptr_t(1) << 60;
constexpr size_t size = size_t(1) << 56;

std::mutex mutex;
Ranges ranges;
size_t highest = 0;

// As in the CPU's pool.
size_t padded(size_t bytes) { return ((bytes ? bytes : 1) + 63) / 64 * 64; }
bool is_here(const void* data) { return uintptr_t(data) >= base && uintptr_t(data) < base + size; }

void* allocate(size_t bytes) {
  std::lock_guard lock(mutex);
  size_t offset = ranges.take(padded(bytes), size);
  require(offset != Ranges::none, "out of addresses: ", bytes, " bytes on top of ", ranges.end());
  highest = std::max(highest, ranges.end());
  return reinterpret_cast<void*>(base + offset);
}
void release(void* data, size_t bytes) {
  std::lock_guard lock(mutex);
  ranges.give_back(uintptr_t(data) - base, padded(bytes));
}
// Copies to the host give zeros. (Tokens, targets and masks are kept on the host: Buffer::host.)
void copy(void* to, const void*, size_t bytes) {
  if (!is_here(to)) std::memset(to, 0, bytes);
}

[[maybe_unused]] const bool registered = [] {
  Memory& m = memory(Device::shapes);
  m.allocate = allocate;
  m.release = release;
  m.copy = copy;
  m.zero = [](void*, size_t) {};
  return true;
}();

}  // namespace

Device stood_for() { return modelled; }
void stand_for(Device device) {
  require(device != Device::shapes && built_for(device), "device '", name(device),
          "' cannot be predicted: it is not in this build");
  modelled = device;
}

void count_call(const KernelSlot& slot, std::initializer_list<const Tensor*> arguments) {
  require(slot.runs_on(modelled), "no kernel '", slot.name(), "' for device ", name(modelled));
  int64_t now = all_flops();
  if (observer) observer({slot, arguments, now - counted});
  counted = now;
}

CallObserver::CallObserver(std::function<void(const KernelCall&)> see) : see_(std::move(see)) {
  counted = all_flops();
  outer_.swap(observer);
  observer = see_;
}
CallObserver::~CallObserver() { observer.swap(outer_); }

int64_t shapes_pool_bytes() { return int64_t(highest); }
void trim_shapes() {
  std::lock_guard lock(mutex);
  highest = ranges.end();
}

}  // namespace afina
