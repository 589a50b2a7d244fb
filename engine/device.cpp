// Devices, the memory meter, and the pool behind the CPU's memory.
#include "engine/device.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "engine/error.h"

namespace afina {

const char* name(Device device) {
  static constexpr const char* names[] = {"cpu", "cuda", "emulated"};
  return names[int(device)];
}
const char* name(Purpose purpose) {
  static constexpr const char* names[] = {"weights", "masters", "gradients", "optimizer", "activations", "workspace"};
  return names[int(purpose)];
}

namespace {

size_t rounded(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

// One range of addresses reserved at the start, handed out lowest address first and merged when given back. Sizes repeat every step, so
// after the first step every request finds its place; the pages touched, and so what is resident, stay near what was held at most.
class Pool {
 public:
  void* allocate(size_t bytes) {
    std::lock_guard lock(mutex_);
    if (!base_) reserve();
    bytes = rounded(bytes ? bytes : 1, 64);
    for (auto free = free_.begin(); free != free_.end(); ++free)
      if (free->second >= bytes) return take(free, bytes);
    if (end_ + bytes > size_) fail("out of address space: ", bytes, " bytes on top of ", end_, " held; use a smaller batch or length");
    void* at = base_ + end_;
    end_ += bytes;
    if (end_ > highest_) highest_ = end_, ++growths_;
    return at;
  }
  void release(void* data, size_t bytes) {
    std::lock_guard lock(mutex_);
    size_t at = size_t(static_cast<char*>(data) - base_), length = rounded(bytes ? bytes : 1, 64);
    auto next = free_.lower_bound(at);
    if (next != free_.end() && at + length == next->first) length += next->second, next = free_.erase(next);
    if (next != free_.begin()) {
      auto before = std::prev(next);
      if (before->first + before->second == at) at = before->first, length += before->second, free_.erase(before);
    }
    if (at + length == end_) end_ = at;  // the top is lowered; its pages stay for the next step
    else free_[at] = length;
  }
  // Gives back the pages of every free range and of the top.
  void trim() {
    std::lock_guard lock(mutex_);
    for (auto& [at, length] : free_) give_back(at, at + length);
    give_back(end_, highest_);
    highest_ = end_;
  }
  int64_t bytes() const { return int64_t(highest_); }
  int64_t growths() const { return growths_; }

 private:
  void* take(std::map<size_t, size_t>::iterator free, size_t bytes) {
    size_t at = free->first, left = free->second - bytes;
    free_.erase(free);
    if (left) free_[at + bytes] = left;
    return base_ + at;
  }
  void give_back(size_t from, size_t to) {
    constexpr size_t page = 4096;
    from = rounded(from, page), to = to / page * page;
    if (from < to) madvise(base_ + from, to - from, MADV_DONTNEED);
  }
  void reserve() {
    for (size_ = size_t(1) << 42; size_ >= (size_t(1) << 32); size_ /= 2) {
      void* p = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (p == MAP_FAILED) continue;
      base_ = static_cast<char*>(p);
      madvise(base_, size_, MADV_HUGEPAGE);
      return;
    }
    fail("cannot reserve address space for tensors; raise the limit on virtual memory (ulimit -v)");
  }
  std::mutex mutex_;
  char* base_ = nullptr;
  size_t size_ = 0, end_ = 0, highest_ = 0;
  int64_t growths_ = 0;
  std::map<size_t, size_t> free_;  // offset -> length
};

Pool& pool() {
  static Pool* all = new Pool;  // never destroyed: tensors of static life may outlive main
  return *all;
}

#if defined(AFINA_SYSTEM_MEMORY)  // so that AddressSanitizer sees every tensor's bounds
void* cpu_allocate(size_t bytes) { return std::aligned_alloc(64, rounded(bytes ? bytes : 1, 64)); }
void cpu_release(void* data, size_t) { std::free(data); }
#else
void* cpu_allocate(size_t bytes) { return pool().allocate(bytes); }
void cpu_release(void* data, size_t bytes) { pool().release(data, bytes); }
#endif

Memory memories[device_count] = {{cpu_allocate, cpu_release, [](void* a, const void* b, size_t n) { std::memcpy(a, b, n); },
                                  [](void* a, size_t n) { std::memset(a, 0, n); }}};
MemoryUse uses[device_count];
std::mutex meter_mutex;

}  // namespace

Memory& memory(Device device) { return memories[int(device)]; }
bool present(Device device) { return memory(device).allocate != nullptr; }
const MemoryUse& memory_use(Device device) { return uses[int(device)]; }

void meter(Device device, Purpose purpose, int64_t bytes) {
  std::lock_guard lock(meter_mutex);
  MemoryUse& use = uses[int(device)];
  int64_t& now = use.now[int(purpose)];
  now += bytes, use.total += bytes;
  if (now > use.peak[int(purpose)]) use.peak[int(purpose)] = now;
  if (use.total > use.total_peak) use.total_peak = use.total, use.at_peak = use.now;
}
void reset_memory_peak(Device device) {
  std::lock_guard lock(meter_mutex);
  MemoryUse& use = uses[int(device)];
  use.peak = use.at_peak = use.now, use.total_peak = use.total;
}
int64_t pool_bytes() { return pool().bytes(); }
int64_t pool_growths() { return pool().growths(); }

void trim_memory() {
  pool().trim();
  if (FILE* clear = std::fopen("/proc/self/clear_refs", "w")) {
    std::fputs("5", clear);  // resets VmHWM (man 5 proc)
    std::fclose(clear);
  }
}

int64_t peak_resident_bytes() {
  FILE* status = std::fopen("/proc/self/status", "r");
  if (!status) return 0;
  char line[256];
  long long kilobytes = 0;
  while (std::fgets(line, sizeof line, status))
    if (std::sscanf(line, "VmHWM: %lld kB", &kilobytes) == 1) break;
  std::fclose(status);
  return int64_t(kilobytes) * 1024;
}

}  // namespace afina
