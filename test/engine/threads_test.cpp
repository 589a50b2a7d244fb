// The thread pool: every piece once, loops inside loops, thread counts that change, loops from
// several threads of the host program.
#include "engine/threads.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <thread>
#include <vector>

#include "engine/error.h"
#include "engine/isa.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(threads)

static std::vector<int> visits(int64_t n, int64_t grain) {
  std::vector<std::atomic<int>> seen(static_cast<size_t>(n));
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++seen[size_t(i)];
  });
  return {seen.begin(), seen.end()};
}

BOOST_AUTO_TEST_CASE(every_index_is_visited_once) {
  int before = thread_count();
  for (int count : {1, 2, 5, 1, 3}) {
    set_thread_count(count);
    BOOST_TEST(thread_count() == count);
    for (int64_t n : {0, 1, 2, 7, 1000})
      for (int64_t grain : {0, 1, 3, 5000})
        BOOST_TEST(visits(n, grain) == std::vector<int>(size_t(n), 1));
  }
  set_thread_count(before);
}

BOOST_AUTO_TEST_CASE(loops_nest_and_follow_each_other) {
  int before = thread_count();
  set_thread_count(3);
  std::atomic<int64_t> sum{0};
  for (int round = 0; round < 500; ++round)
    parallel_for(6, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        parallel_for(4, 1, [&](int64_t b, int64_t e) { sum += e - b; });
    });
  BOOST_TEST(sum == 500 * 6 * 4);
  set_thread_count(before);
}

BOOST_AUTO_TEST_CASE(several_callers_at_once) {
  int before = thread_count();
  set_thread_count(2);
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 3; ++c)
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round)
        parallel_for(10, 1, [&](int64_t b, int64_t e) { sum += e - b; });
    });
  for (auto& c : callers) c.join();
  BOOST_TEST(sum == 3 * 200 * 10);
  set_thread_count(before);
}

BOOST_AUTO_TEST_CASE(counts_out_of_range_are_errors) {
  BOOST_CHECK_THROW(set_thread_count(0), Error);
  BOOST_CHECK_THROW(set_thread_count(1 << 20), Error);
}

BOOST_AUTO_TEST_CASE(denormals_are_flushed_in_every_thread) {
  int before = thread_count();
  set_thread_count(3);
  std::atomic<int> kept{0};
  parallel_for(64, 1, [&](int64_t begin, int64_t end) {
    for (volatile float tiny = 0x1p-126f; begin < end; ++begin)
      if (tiny * 0.5f != 0) ++kept;
  });
  BOOST_TEST(kept == 0);
  set_thread_count(before);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(instruction_sets)

BOOST_AUTO_TEST_CASE(the_one_in_use_is_usable) {
  auto all = usable_isas();
  BOOST_TEST((all.front() == Isa::scalar));
  BOOST_TEST((all.back() == best_isa()));
  Isa before = isa();
  for (Isa i : all) {
    set_isa(i);
    BOOST_TEST((isa() == i));
  }
  set_isa(before);
}

BOOST_AUTO_TEST_SUITE_END()
