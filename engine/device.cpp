// Devices, the memory meter, and the pool behind the CPU's memory.
#include "engine/device.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <mutex>
#include <string>

#include "engine/error.h"
#include "engine/ranges.h"

namespace afina {

const char* name(Device device) {
  static constexpr const char* names[] = {"cpu", "cuda", "emulated", "shapes"};
  return names[int(device)];
}

namespace {

size_t rounded(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

// One address range, reserved at the start. The pages that were touched, and with them the resident
// memory, stay near the peak of allocated bytes.
class Pool {
 public:
  void* allocate(size_t bytes, bool zeros) {
    size_t offset, clean;
    {
      std::lock_guard lock(mutex_);
      if (!base_) reserve();
      offset = ranges_.take(padded(bytes), size_);
      clean = clean_;
      if (offset == Ranges::none)
        fail("out of address space: ", bytes, " bytes on top of ", ranges_.end(),
             " allocated; use a smaller batch or length");
      if (ranges_.end() > highest_) {
        highest_ = ranges_.end();
        ++growths_;
      }
      clean_ = std::max(clean_, highest_);
    }
    if (zeros && offset < clean) std::memset(base_ + offset, 0, std::min(bytes, clean - offset));
    return base_ + offset;
  }
  void release(void* data, size_t bytes) {
    std::lock_guard lock(mutex_);
    // Its pages stay resident for the next step.
    ranges_.give_back(size_t(static_cast<char*>(data) - base_), padded(bytes));
  }
  // Returns the pages of all free parts and those beyond the end to the system.
  void trim() {
    std::lock_guard lock(mutex_);
    ranges_.each_free([&](size_t from, size_t to) { give_back(from, to); });
    give_back(ranges_.end(), rounded(highest_, page));
    highest_ = ranges_.end();
    clean_ = rounded(highest_, page);
  }
  int64_t bytes() const { return int64_t(highest_); }
  int64_t growths() const { return growths_; }

 private:
  static constexpr size_t page = 4096;
  static size_t padded(size_t bytes) { return rounded(bytes ? bytes : 1, 64); }
  void give_back(size_t from, size_t to) {
    from = rounded(from, page);
    to = to / page * page;
    if (from < to) madvise(base_ + from, to - from, MADV_DONTNEED);
  }
  void reserve() {
    for (size_ = size_t(1) << 42; size_ >= (size_t(1) << 32); size_ /= 2) {
      void* p = mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (p == MAP_FAILED) continue;
      base_ = static_cast<char*>(p);
      madvise(base_, size_, MADV_HUGEPAGE);
      return;
    }
    fail("cannot reserve address space for tensors; raise the limit on virtual memory (ulimit -v)");
  }
  std::mutex mutex_;
  char* base_ = nullptr;
  size_t size_ = 0, highest_ = 0;
  // Beyond this offset pages are as the system maps them: zeros that take no memory until they are
  // written.
  size_t clean_ = 0;
  int64_t growths_ = 0;
  Ranges ranges_;
};

Pool& pool() {
  static Pool* all = new Pool;  // never destroyed: static tensors may outlive main
  return *all;
}

#if defined(AFINA_SYSTEM_MEMORY)  // so that AddressSanitizer sees every tensor's bounds
void* cpu_allocate(size_t bytes) { return std::aligned_alloc(64, rounded(bytes ? bytes : 1, 64)); }
constexpr auto cpu_allocate_zeros = nullptr;
void cpu_release(void* data, size_t) { std::free(data); }
#else
void* cpu_allocate(size_t bytes) { return pool().allocate(bytes, false); }
void* cpu_allocate_zeros(size_t bytes) { return pool().allocate(bytes, true); }
void cpu_release(void* data, size_t bytes) { pool().release(data, bytes); }
#endif

Memory memories[device_count] = {
    {cpu_allocate, cpu_release, [](void* a, const void* b, size_t n) { std::memcpy(a, b, n); },
     [](void* a, size_t n) { std::memset(a, 0, n); }, nullptr, nullptr, cpu_allocate_zeros}};
MemoryUse uses[device_count];
std::mutex meter_mutex;

struct Limit {
  int64_t bytes = 0;
  std::string set_by;
};
Limit limits[device_count];

// Whole units, of which there is at least one.
std::string size_text(int64_t bytes) {
  if (bytes < 1 << 10) return std::to_string(bytes) + " B";
  if (bytes < 1 << 20) return std::to_string((bytes + (1 << 9)) >> 10) + " KiB";
  return std::to_string((bytes + (1 << 19)) >> 20) + " MiB";
}

void hold_limit(const Limit& limit, const MemoryUse& use, Purpose purpose, int64_t bytes) {
  if (!limit.bytes || use.total + bytes <= limit.bytes) return;
  std::string split;
  for (int p = 0; p < purpose_count; ++p)
    if (use.now[size_t(p)])
      split += (split.empty() ? " (" : ", ") + std::string(name(Purpose(p))) + " " +
               size_text(use.now[size_t(p)]);
  if (!split.empty()) split += ")";
  fail("memory: ", size_text(bytes), " more for ", name(purpose),
       " do not fit: ", size_text(use.total), " are allocated", split, " and the limit is ",
       size_text(limit.bytes), " (", limit.set_by,
       "). Use a smaller --batch with more --accumulate (the same result), --checkpoint block, "
       "--dtype bf16 or fewer trained parameters; "
       "'afina plan --budget' says which of them suffices");
}

}  // namespace

Memory& memory(Device device) { return memories[int(device)]; }
bool built_for(Device device) { return memory(device).allocate != nullptr; }
bool present(Device device) { return !why_absent(device); }
const char* why_absent(Device device) {
  const Memory& m = memory(device);
  if (!m.allocate)
    return "this program was built without it: nvcc was not found, or CUDA was switched off "
           "(-DCUDA=OFF)";
  return m.absent ? m.absent() : nullptr;
}
void wait_for(Device device) {
  if (memory(device).wait) memory(device).wait();
}
const MemoryUse& memory_use(Device device) { return uses[int(device)]; }

void meter(Device device, Purpose purpose, int64_t bytes) {
  std::lock_guard lock(meter_mutex);
  MemoryUse& use = uses[int(device)];
  if (bytes > 0) hold_limit(limits[int(device)], use, purpose, bytes);
  int64_t& now = use.now[int(purpose)];
  now += bytes;
  use.total += bytes;
  if (now > use.peak[int(purpose)]) use.peak[int(purpose)] = now;
  if (use.total > use.total_peak) {
    use.total_peak = use.total;
    use.at_peak = use.now;
  }
}
void reset_memory_peak(Device device) {
  std::lock_guard lock(meter_mutex);
  MemoryUse& use = uses[int(device)];
  use.peak = use.at_peak = use.now;
  use.total_peak = use.total;
}
void limit_memory(Device device, int64_t bytes, const std::string& set_by) {
  std::lock_guard lock(meter_mutex);
  limits[int(device)] = {bytes, set_by};
}
int64_t pool_bytes() { return pool().bytes(); }
int64_t pool_growths() { return pool().growths(); }

void trim_memory() {
  pool().trim();
#ifdef __GLIBC__
  malloc_trim(0);  // what reading tokenizers and records leaves
#endif
  if (FILE* clear = std::fopen("/proc/self/clear_refs", "w")) {
    std::fputs("5", clear);  // resets VmHWM (man 5 proc)
    std::fclose(clear);
  }
}

namespace {
int64_t bytes_in_status(const char* key) {
  FILE* status = std::fopen("/proc/self/status", "r");
  if (!status) return 0;
  char line[256];
  long long kilobytes = 0;
  std::string format = std::string(key) + ": %lld kB";
  while (std::fgets(line, sizeof line, status))
    if (std::sscanf(line, format.c_str(), &kilobytes) == 1) break;
  std::fclose(status);
  return int64_t(kilobytes) * 1024;
}
}  // namespace

int64_t resident_bytes() { return bytes_in_status("VmRSS"); }
int64_t peak_resident_bytes() { return bytes_in_status("VmHWM"); }

}  // namespace afina
