// Grow-only workspace buffers of each thread, counted together.
#include "engine/scratch.h"

#include <atomic>
#include <cstdlib>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "engine/error.h"

namespace afina {
namespace {

std::atomic<size_t> allocated{0};

struct Buffers {
  void* data[16] = {};
  size_t bytes[16] = {};
  ~Buffers() {
    for (int i = 0; i < 16; ++i) {
      std::free(data[i]);
      allocated -= bytes[i];
    }
  }
};
thread_local Buffers mine;

}  // namespace

void* scratch(int which, size_t bytes) {
  Buffers& b = mine;
  if (bytes <= b.bytes[which]) return b.data[which];
  // Packed operands are read across so many small pages that finding these would take time.
  constexpr size_t small_page = 4096, large_page = 2 << 20;
  const size_t page = bytes >= large_page ? large_page : small_page,
               size = (bytes + page - 1) / page * page;
  std::free(b.data[which]);
  allocated -= b.bytes[which];
  b.bytes[which] = 0;
  b.data[which] = std::aligned_alloc(page == large_page ? page : 64, size);
  require(b.data[which] != nullptr, "workspace: the system has no ", size,
          " bytes left. Use a smaller batch or length.");
#if defined(MADV_HUGEPAGE)
  if (page == large_page) madvise(b.data[which], size, MADV_HUGEPAGE);
#endif
  b.bytes[which] = size;
  allocated += size;
  return b.data[which];
}

size_t scratch_bytes() { return allocated; }

}  // namespace afina
