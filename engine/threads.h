// A thread pool for loops over independent pieces of work. What a piece computes never depends on
// the thread that runs it.
#pragma once
#include <cstdint>
#include <type_traits>

#include "engine/anywhere.h"

namespace afina {

int thread_count();
// count >= 1. Takes effect at the next loop; must not be called from inside one.
void set_thread_count(int count);

// Calls run(context, begin, end) on pieces of [0, n) of `grain` each, on all threads, and returns
// when all are done. From inside a loop, runs the whole range in the calling thread.
void run_parallel(int64_t n, int64_t grain, void (*run)(void* context, int64_t begin, int64_t end),
                  void* context);

// The same for a callable f(begin, end), which must not throw.
template <class F>
AFINA_INLINE void parallel_for(int64_t n, int64_t grain, F&& f) {
  using Body = std::remove_reference_t<F>;
  run_parallel(
      n, grain,
      [](void* body, int64_t begin, int64_t end) { (*static_cast<Body*>(body))(begin, end); },
      (void*)&f);
}

}  // namespace afina
