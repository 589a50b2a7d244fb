// Every memory access of a kernel ends up here: kernels are compiled with the compiler's
// instrumentation for data races (-fsanitize=thread), which calls these functions. The rest of the
// program is compiled without it.
#include <cstddef>
#include <cstdint>

#include "cuda/emulator/memory.h"
#include "cuda/emulator/runner.h"

namespace {

using afina::emulated::in_device_range;
using afina::emulated::Runner;

// Handles the most frequent cases: the thread's own variables, device memory that was written
// before, shared memory.
template <size_t bytes, bool write>
AFINA_INLINE void accessed(const void* at, const void* code) {
  Runner* runner = Runner::running();
  if (!runner || runner->on_stack(at)) return;
  if (in_device_range(at) && afina::emulated::written_before<bytes>(at)) return;
  runner->check(at, bytes, write, static_cast<const char*>(code) - 1);
}
void range_accessed(const void* at, size_t bytes, bool write, const void* code) {
  Runner* runner = Runner::running();
  if (runner && !runner->on_stack(at))
    runner->check(at, bytes, write, static_cast<const char*>(code) - 1);
}

}  // namespace

#define ACCESS(size)                                                                           \
  void __tsan_read##size(const void* at) {                                                     \
    accessed<size, false>(at, __builtin_return_address(0));                                    \
  }                                                                                            \
  void __tsan_write##size(void* at) { accessed<size, true>(at, __builtin_return_address(0)); } \
  void __tsan_unaligned_read##size(const void* at) {                                           \
    accessed<size, false>(at, __builtin_return_address(0));                                    \
  }                                                                                            \
  void __tsan_unaligned_write##size(void* at) {                                                \
    accessed<size, true>(at, __builtin_return_address(0));                                     \
  }                                                                                            \
  void __tsan_volatile_read##size(const void* at) {                                            \
    accessed<size, false>(at, __builtin_return_address(0));                                    \
  }                                                                                            \
  void __tsan_volatile_write##size(void* at) {                                                 \
    accessed<size, true>(at, __builtin_return_address(0));                                     \
  }

// Only host code of a kernel file uses atomic operations (reference counts); they are passed on.
#define ATOMIC(bits)                                                                              \
  using Int##bits = uint##bits##_t;                                                               \
  Int##bits __tsan_atomic##bits##_load(const Int##bits* p, int) {                                 \
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                                  \
  }                                                                                               \
  void __tsan_atomic##bits##_store(Int##bits* p, Int##bits v, int) {                              \
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST);                                                     \
  }                                                                                               \
  Int##bits __tsan_atomic##bits##_exchange(Int##bits* p, Int##bits v, int) {                      \
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);                                           \
  }                                                                                               \
  Int##bits __tsan_atomic##bits##_fetch_add(Int##bits* p, Int##bits v, int) {                     \
    return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);                                            \
  }                                                                                               \
  Int##bits __tsan_atomic##bits##_fetch_sub(Int##bits* p, Int##bits v, int) {                     \
    return __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST);                                            \
  }                                                                                               \
  Int##bits __tsan_atomic##bits##_fetch_and(Int##bits* p, Int##bits v, int) {                     \
    return __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST);                                            \
  }                                                                                               \
  Int##bits __tsan_atomic##bits##_fetch_or(Int##bits* p, Int##bits v, int) {                      \
    return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST);                                             \
  }                                                                                               \
  int __tsan_atomic##bits##_compare_exchange_strong(Int##bits* p, Int##bits* e, Int##bits v, int, \
                                                    int) {                                        \
    return __atomic_compare_exchange_n(p, e, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);       \
  }                                                                                               \
  int __tsan_atomic##bits##_compare_exchange_weak(Int##bits* p, Int##bits* e, Int##bits v, int,   \
                                                  int) {                                          \
    return __atomic_compare_exchange_n(p, e, v, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);        \
  }

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_read_range(const void* at, size_t bytes) {
  range_accessed(at, bytes, false, __builtin_return_address(0));
}
void __tsan_write_range(void* at, size_t bytes) {
  range_accessed(at, bytes, true, __builtin_return_address(0));
}
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
ATOMIC(8)
ATOMIC(16)
ATOMIC(32)
ATOMIC(64)
void __tsan_atomic_thread_fence(int) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
void __tsan_atomic_signal_fence(int) {}
}
