// A thread pool whose workers spin briefly and then sleep. A loop does not wait for workers that
// the system has not woken yet.
#include "engine/threads.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>
#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "engine/error.h"
#include "engine/isa.h"
#include "engine/loop_settings.h"

namespace afina {
namespace {

thread_local bool inside = false;  // is this thread running a piece of a loop?

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until `value` is no longer `old`: spins for about 40 us, longer than the gap between two
// loops of a training step, then sleeps.
void wait_change(const std::atomic<int>& value, int old) {
  auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(40);
  do {
    for (int i = 0; i < 32; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  value.wait(old, std::memory_order_acquire);
}

class Pool {
 public:
  ~Pool() { stop(); }

  void run(int threads, int64_t n, int64_t grain, void (*body)(void*, int64_t, int64_t),
           void* context) {
    if (threads != int(workers_.size()) + 1) start(threads);
    body_ = body;
    context_ = context;
    n_ = n;
    grain_ = grain;
    settings_ = loop_settings();
    const int64_t pieces = (n + grain - 1) / grain;
    for (int t = 0; t < threads; ++t) {
      shares_[size_t(t)].next.store(pieces * t / threads, std::memory_order_relaxed);
      shares_[size_t(t)].end = pieces * (t + 1) / threads;
    }
    joined_.fetch_and(~closed, std::memory_order_release);
    epoch_.fetch_add(1, std::memory_order_release);
    epoch_.notify_all();
    work(0);
    // Workers that have joined must finish; those that wake up later find the loop closed and do
    // not touch it.
    int in = joined_.fetch_or(closed, std::memory_order_acq_rel) | closed;
    while (in != closed) {
      wait_change(joined_, in);
      in = joined_.load(std::memory_order_acquire);
    }
  }

 private:
  static constexpr int closed = 1 << 30;
  // The pieces that a thread starts with.
  struct alignas(64) Share {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };

  // A thread starts with its own share and then helps with the others'. Most loops run over the
  // rows of a batch, so a thread finds what it wrote in the previous loop in its own cache.
  void work(size_t thread) {
    inside = true;
    for (size_t i = 0, count = shares_.size(); i < count; ++i) {
      Share& share = shares_[(thread + i) % count];
      for (;;) {
        int64_t piece = share.next.fetch_add(1, std::memory_order_relaxed), begin = piece * grain_;
        if (piece >= share.end) break;
        body_(context_, begin, begin + grain_ < n_ ? begin + grain_ : n_);
      }
    }
    inside = false;
  }

  void live(size_t thread, int seen) {
    flush_denormals();
    for (;;) {
      wait_change(epoch_, seen);
      seen = epoch_.load(std::memory_order_acquire);
      if (stopping_.load(std::memory_order_acquire)) return;
      if (!(joined_.fetch_add(1, std::memory_order_acq_rel) & closed)) {
        loop_settings() = settings_;
        work(thread);
      }
      joined_.fetch_sub(1, std::memory_order_acq_rel);
      joined_.notify_all();
    }
  }

  void start(int threads) {
    stop();
    stopping_ = false;
    shares_ = std::vector<Share>(size_t(threads));
    int seen = epoch_.load();
    for (int i = 1; i < threads; ++i)
      workers_.emplace_back([this, i, seen] { live(size_t(i), seen); });
  }

  void stop() {
    stopping_.store(true, std::memory_order_release);
    epoch_.fetch_add(1, std::memory_order_release);
    epoch_.notify_all();
    for (auto& w : workers_) w.join();
    workers_.clear();
  }

  std::vector<std::thread> workers_;
  std::vector<Share> shares_;
  void (*body_)(void*, int64_t, int64_t) = nullptr;
  void* context_ = nullptr;
  int64_t n_ = 0, grain_ = 1;
  LoopSettings settings_;  // of the thread that runs the loop
  // The number of workers inside the loop, plus `closed` when no more may join.
  alignas(64) std::atomic<int> joined_{closed};
  alignas(64) std::atomic<int> epoch_{0};
  std::atomic<bool> stopping_{false};
};

int usable_cores() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
  unsigned n = std::thread::hardware_concurrency();
  return n ? int(n) : 1;
}

constexpr int most_threads = 1024;

int default_count() {
  const char* word = std::getenv("AFINA_THREADS");
  if (!word || !*word) return usable_cores();
  char* end = nullptr;
  errno = 0;
  long n = std::strtol(word, &end, 10);
  require(!*end && !errno && n >= 1 && n <= most_threads, "AFINA_THREADS=", word,
          ": expected a whole number from 1 to ", most_threads);
  return int(n);
}

std::atomic<int> wanted{0};
// Loops started by different threads of the host program take turns with the pool.
std::mutex one_loop;

}  // namespace

int thread_count() {
  int n = wanted.load(std::memory_order_relaxed);
  if (!n) wanted = n = default_count();
  return n;
}

void set_thread_count(int count) {
  require(count >= 1 && count <= most_threads, "threads: ", count, " asked for, from 1 to ",
          most_threads, " are possible");
  wanted = count;
}

void run_parallel(int64_t n, int64_t grain, void (*run)(void* context, int64_t begin, int64_t end),
                  void* context) {
  if (n <= 0) return;
  flush_denormals();
  if (grain < 1) grain = 1;
  int threads = inside ? 1 : thread_count();
  std::unique_lock<std::mutex> lock(one_loop, std::defer_lock);
  if (threads == 1 || n <= grain || !lock.try_lock()) {
    run(context, 0, n);
    return;
  }
  static Pool pool;
  pool.run(threads, n, grain, run, context);
}

}  // namespace afina
