// operator new and delete of the programs that fuzz, counting: a reader must not take more than its
// input promises.
#include <malloc.h>

#include <cstdlib>
#include <new>

#include "test/fuzz/fuzz.h"

namespace {

constinit thread_local afina::HeapUse use;

void* counted(void* data) {
  if (!data) throw std::bad_alloc();
  use.now += int64_t(malloc_usable_size(data));
  if (use.now > use.peak) use.peak = use.now;
  return data;
}
void released(void* data) {
  use.now -= int64_t(malloc_usable_size(data));
  std::free(data);
}

}  // namespace

afina::HeapUse& afina::heap_use() { return use; }
int64_t afina::heap_held() {
  struct mallinfo2 info = mallinfo2();
  return int64_t(info.uordblks + info.hblkhd);
}

void* operator new(size_t bytes) { return counted(std::malloc(bytes ? bytes : 1)); }
void* operator new(size_t bytes, std::align_val_t align) {
  return counted(std::aligned_alloc(
      size_t(align), ((bytes ? bytes : 1) + size_t(align) - 1) / size_t(align) * size_t(align)));
}
// Without these two, a sanitizer's own would meet the delete from here.
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  void* data = std::malloc(bytes ? bytes : 1);
  return data ? counted(data) : nullptr;
}
void operator delete(void* data, const std::nothrow_t&) noexcept { released(data); }
void operator delete(void* data) noexcept { released(data); }
void operator delete(void* data, size_t) noexcept { released(data); }
void operator delete(void* data, std::align_val_t) noexcept { released(data); }
void operator delete(void* data, size_t, std::align_val_t) noexcept { released(data); }
