// The emulated GPU's memory: a range of addresses of its own with a byte of notes for every byte, and gaps between allocations.
#include "cuda/emulator/memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <mutex>

#include "engine/error.h"
#include "engine/ranges.h"

namespace afina::emulated {

namespace {

constexpr size_t alignment = 256, gap = 256;  // as cudaMalloc aligns; what lies behind an allocation belongs to nobody

#if defined(AFINA_SYSTEM_MEMORY)  // AddressSanitizer watches the bounds itself
constexpr bool watched = false;
#else
constexpr bool watched = true;
#endif

struct Range {
  char* base = nullptr;
  Byte* notes = nullptr;
  size_t size = 0;
  Ranges places;
  std::mutex mutex;

  bool holds(const void* p) const { return base && p >= base && p < base + size; }
  Byte* of(const void* p) const { return notes + (static_cast<const char*>(p) - base); }
};
Range range;

char* reserved(size_t size) {
  void* p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? nullptr : static_cast<char*>(p);
}
void reserve() {
  for (range.size = size_t(1) << 38; range.size >= (size_t(1) << 30); range.size /= 2) {
    range.base = reserved(range.size);
    range.notes = reinterpret_cast<Byte*>(reserved(range.size));
    if (range.base && range.notes) return;
    if (range.base) munmap(range.base, range.size);
    if (range.notes) munmap(range.notes, range.size);
  }
  fail("cannot reserve address space for the emulated GPU; raise the limit on virtual memory (ulimit -v)");
}
size_t padded(size_t bytes) { return (bytes + gap + alignment - 1) / alignment * alignment; }
void note(const void* p, size_t bytes, Byte what) { std::memset(range.of(p), int(what), bytes); }

}  // namespace

void* allocate_memory(size_t bytes) {
  if (!watched) return std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
  std::lock_guard lock(range.mutex);
  if (!range.base) reserve();
  size_t at = range.places.take(padded(bytes), range.size);
  require(at != Ranges::none, "the emulated GPU's memory is full: ", bytes, " bytes on top of ", range.places.end());
  note(range.base + at, bytes, Byte::unwritten);
  return range.base + at;
}

void release_memory(void* data, size_t bytes) {
  if (!watched) return std::free(data);
  std::lock_guard lock(range.mutex);
  note(data, bytes, Byte::nobodys);
  range.places.give_back(size_t(static_cast<char*>(data) - range.base), padded(bytes));
}

void copy_memory(void* to, const void* from, size_t bytes) {
  std::memcpy(to, from, bytes);
  if (!range.holds(to)) return;
  if (range.holds(from)) std::memcpy(range.of(to), range.of(from), bytes);
  else note(to, bytes, Byte::written);
}
void zero_memory(void* data, size_t bytes) {
  std::memset(data, 0, bytes);
  if (range.holds(data)) note(data, bytes, Byte::written);
}

Access access_memory(const void* at, size_t bytes, bool write) {
  if (!range.holds(at)) return Access::elsewhere;
  Byte* notes = range.of(at);
  uint32_t four;
  if (bytes == 4 && (std::memcpy(&four, notes, 4), four == 0x02020202u)) return Access::fine;  // written, all of it: most accesses
  Byte least = Byte::written;
  for (size_t i = 0; i < bytes; ++i)
    if (notes[i] < least) least = notes[i];
  if (least == Byte::nobodys) return Access::outside;
  if (write) std::memset(notes, int(Byte::written), bytes);
  return write || least == Byte::written ? Access::fine : Access::unwritten;
}

}  // namespace afina::emulated
