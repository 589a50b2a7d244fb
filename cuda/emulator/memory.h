// The memory of the emulated GPU, and what is known about each byte.
#pragma once
#include <cstddef>
#include <cstdint>

#include "engine/anywhere.h"

namespace afina::emulated {

void* allocate_memory(size_t bytes);
void release_memory(void* data, size_t bytes);
void copy_memory(void* to, const void* from, size_t bytes);  // either side may be host memory
void zero_memory(void* data, size_t bytes);

bool is_device_memory(const void* p);
// About the part reserved for steps (engine/graph.h): whether p is in it, and how many bytes of it
// are in use.
bool in_step_memory(const void* p);
int64_t step_memory_bytes();
// How often the memory in use reached a new maximum.
int64_t memory_growths();

// What a kernel may do with a byte of the range.
enum class Byte : uint8_t { nobodys = 0, unwritten = 1, written = 2 };
// Marks every byte, on allocation and release.
void note_memory(void* data, size_t bytes, Byte what);
enum class Access : uint8_t { elsewhere, fine, outside, unwritten };
// Judges an access of a kernel and notes what was written. elsewhere: outside this address range.
Access access_memory(const void* at, size_t bytes, bool write);

// The range and the notes for its bytes. Size 0 until the first allocation.
struct DeviceRange {
  char* base = nullptr;
  Byte* notes = nullptr;
  size_t size = 0;
};
extern DeviceRange device_range;
inline bool in_device_range(const void* at) {
  return size_t(static_cast<const char*>(at) - device_range.base) < device_range.size;
}

// Whether these bytes of the range were all written before. True for most accesses, which then need
// no judging and no notes.
template <size_t bytes>
AFINA_INLINE bool written_before(const void* at) {
  static_assert(bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8 || bytes == 16);
  constexpr uint64_t all = 0x0202020202020202u;
  uint64_t found[2] = {all, all};
  __builtin_memcpy(found, device_range.notes + (static_cast<const char*>(at) - device_range.base),
                   bytes);
  return found[0] == all && (bytes <= 8 || found[1] == all);
}

}  // namespace afina::emulated
