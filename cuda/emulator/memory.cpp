// The emulated GPU's memory: a separate address range with a byte of notes per byte, and gaps
// between allocations.
#include "cuda/emulator/memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <mutex>

#include "engine/error.h"
#include "engine/graph.h"
#include "engine/ranges.h"

namespace afina::emulated {

DeviceRange device_range;

namespace {

constexpr size_t alignment = 256,
                 gap = 256;  // as cudaMalloc aligns; the gap after an allocation belongs to nobody

#if defined(AFINA_SYSTEM_MEMORY)  // AddressSanitizer watches the bounds itself
constexpr bool watched = false;
#else
constexpr bool watched = true;
#endif

Ranges places[2];  // of the lower half, and of the upper half, reserved for captured steps
size_t highest[2] = {0, 0};
int64_t growths = 0;
std::mutex mutex;

Byte* of(const void* p) {
  return device_range.notes + (static_cast<const char*>(p) - device_range.base);
}

char* reserved(size_t size) {
  void* p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
  return p == MAP_FAILED ? nullptr : static_cast<char*>(p);
}
void reserve() {
  for (size_t size = size_t(1) << 38; size >= (size_t(1) << 30); size /= 2) {
    char *base = reserved(size), *notes = reserved(size);
    if (base && notes) {
      device_range = {base, reinterpret_cast<Byte*>(notes), size};
      return;
    }
    if (base) munmap(base, size);
    if (notes) munmap(notes, size);
  }
  fail(
      "cannot reserve address space for the emulated GPU; raise the limit on virtual memory "
      "(ulimit -v)");
}
size_t padded(size_t bytes) { return (bytes + gap + alignment - 1) / alignment * alignment; }
void note(const void* p, size_t bytes, Byte what) { std::memset(of(p), int(what), bytes); }

}  // namespace

void* allocate_memory(size_t bytes) {
  if (!watched) {
    void* data = nullptr;  // exactly as long as requested
    require(posix_memalign(&data, alignment, bytes + !bytes) == 0,
            "no memory for the emulated GPU: ", bytes, " bytes");
    return data;
  }
  std::lock_guard lock(mutex);
  if (!device_range.base) reserve();
  const int part = StepMemory::takes(Device::emulated);
  const size_t half = device_range.size / 2, at = places[part].take(padded(bytes), half),
               end = places[part].end();
  require(at != Ranges::none, "the emulated GPU's memory is full: ", bytes, " bytes on top of ",
          end);
  if (end > highest[part]) {
    highest[part] = end;
    ++growths;
  }
  char* data = device_range.base + (part ? half : 0) + at;
  note(data, bytes, Byte::unwritten);
  return data;
}

void release_memory(void* data, size_t bytes) {
  if (!watched) return std::free(data);
  std::lock_guard lock(mutex);
  note(data, bytes, Byte::nobodys);
  size_t at = size_t(static_cast<char*>(data) - device_range.base), half = device_range.size / 2;
  places[at >= half].give_back(at % half, padded(bytes));
}

bool is_device_memory(const void* p) { return in_device_range(p); }
bool in_step_memory(const void* p) {
  return in_device_range(p) && p >= device_range.base + device_range.size / 2;
}
int64_t step_memory_bytes() { return int64_t(places[1].end()); }
int64_t memory_growths() { return growths; }
void note_memory(void* data, size_t bytes, Byte what) { note(data, bytes, what); }

void copy_memory(void* to, const void* from, size_t bytes) {
  std::memcpy(to, from, bytes);
  if (!in_device_range(to)) return;
  if (in_device_range(from)) std::memcpy(of(to), of(from), bytes);
  else note(to, bytes, Byte::written);
}
void zero_memory(void* data, size_t bytes) {
  std::memset(data, 0, bytes);
  if (in_device_range(data)) note(data, bytes, Byte::written);
}

Access access_memory(const void* at, size_t bytes, bool write) {
  if (!in_device_range(at)) return Access::elsewhere;
  Byte* notes = of(at);
  Byte least = Byte::written;
  for (size_t i = 0; i < bytes; ++i)
    if (notes[i] < least) least = notes[i];
  if (least == Byte::nobodys) return Access::outside;
  if (write) std::memset(notes, int(Byte::written), bytes);
  return write || least == Byte::written ? Access::fine : Access::unwritten;
}

}  // namespace afina::emulated
