// Memory for tables that are read at random: in large pages where the system gives them on request,
// since else finding the page takes longer than reading it.
#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <vector>

namespace afina {

template <class T>
struct HugePages {
  using value_type = T;
  static constexpr size_t page = size_t(2) << 20;
  HugePages() = default;
  template <class Other>
  HugePages(const HugePages<Other>&) {}

  static std::align_val_t alignment(size_t count) {
    return std::align_val_t(count * sizeof(T) < page ? alignof(std::max_align_t) * 4 : page);
  }
  T* allocate(size_t count) {
    const size_t bytes = count * sizeof(T);
    void* made = ::operator new(bytes, alignment(count));
    if (bytes >= page) (void)::madvise(made, bytes / page * page, MADV_HUGEPAGE);
    return static_cast<T*>(made);
  }
  void deallocate(T* made, size_t count) { ::operator delete(made, alignment(count)); }
  bool operator==(const HugePages&) const = default;
};
template <class T>
using HugeVector = std::vector<T, HugePages<T>>;

}  // namespace afina
