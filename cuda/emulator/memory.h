// The memory of the emulated GPU, and what is known of each of its bytes.
#pragma once
#include <cstddef>
#include <cstdint>

namespace afina::emulated {

void* allocate_memory(size_t bytes);
void release_memory(void* data, size_t bytes);
void copy_memory(void* to, const void* from, size_t bytes);  // either side may be the host's
void zero_memory(void* data, size_t bytes);

// What a kernel may do with a byte of the range.
enum class Byte : uint8_t { nobodys = 0, unwritten = 1, written = 2 };
enum class Access : uint8_t { elsewhere, fine, outside, unwritten };
// Judges an access of a kernel, and notes what was written. elsewhere: not in this memory's range of addresses.
Access access_memory(const void* at, size_t bytes, bool write);

}  // namespace afina::emulated
