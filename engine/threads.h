// A thread pool for loops over independent tiles. What a tile computes never depends on which
// thread runs it.
#pragma once
#include <cstdint>
#include <type_traits>

namespace afina {

int thread_count();
// At least 1. Takes effect at the next loop; not to be called from inside one.
void set_thread_count(int count);

// Calls run(context, begin, end) over pieces of [0, n), on all threads, and returns when all are
// done. Pieces are handed out in order, `grain` at a time. Called from inside a loop it runs the
// whole range in place.
void run_parallel(int64_t n, int64_t grain, void (*run)(void* context, int64_t begin, int64_t end),
                  void* context);

// The same for a callable f(begin, end). It must not throw.
template <class F>
[[gnu::always_inline]] inline void parallel_for(int64_t n, int64_t grain, F&& f) {
  using Body = std::remove_reference_t<F>;
  run_parallel(
      n, grain,
      [](void* body, int64_t begin, int64_t end) { (*static_cast<Body*>(body))(begin, end); },
      (void*)&f);
}

}  // namespace afina
