// The emulator of the GPU: what it must find wrong in a kernel, and that the order of threads shows
// in nothing.
#include <boost/test/unit_test.hpp>

#include "engine/error.h"
#include "engine/ops.h"
#include "test/cuda/emulator/faults.h"
#include "test/engine/ops/op_case.h"

namespace afina::emulated {
void set_seed(uint64_t seed);  // cuda/emulator/runner.h
}

using namespace afina;

BOOST_AUTO_TEST_SUITE(emulator)

// Under the sanitizers AddressSanitizer watches memory, and ends the program where it finds
// something: only barriers are tried then.
BOOST_AUTO_TEST_CASE(faults_are_named_with_kernel_block_thread_and_line) {
  for (const Fault& fault : faults()) {
#if defined(AFINA_SYSTEM_MEMORY)
    if (fault.words.find("reaching") == std::string::npos &&
        fault.words.find("mask") == std::string::npos)
      continue;
#endif
    std::string said;
    try {
      fault.run();
      said = "nothing";
    } catch (const Error& e) { said = e.what(); }
    std::string line = "faults.cu:" + std::to_string(fault.line);
    BOOST_TEST(said.find(fault.words) != std::string::npos,
               fault.name << ": expected '" << fault.words << "', found: " << said);
    BOOST_TEST(said.find("kernel " + fault.name) != std::string::npos,
               fault.name << ": its name is not in: " << said);
    BOOST_TEST(said.find("block (") != std::string::npos, said);
    BOOST_TEST(said.find("thread (") != std::string::npos, said);
    BOOST_TEST(said.find(line) != std::string::npos,
               fault.name << ": expected " << line << ", found: " << said);
  }
}

BOOST_AUTO_TEST_CASE(a_kernel_runs_after_one_that_failed) {
  for (const Fault& fault : faults())
    if (fault.name == "left_out")
      BOOST_CHECK_THROW(fault.run(), Error);  // one that is found under the sanitizers as well
  Tensor x = Tensor::from(std::vector<float>{1.f, 2.f, 3.f}, {3}, Dtype::f32, Device::emulated);
  BOOST_TEST(bool((x + x).values() == (std::vector<float>{2.f, 4.f, 6.f})));
}

BOOST_AUTO_TEST_CASE(the_order_of_threads_shows_in_no_bit) {
  CaseDevice there(Device::emulated);
  Tensor x = random_tensor({20, 300}, Dtype::f32, 1), y = random_tensor({300, 40}, Dtype::f32, 2);
  auto bits = [&](uint64_t seed) {
    emulated::set_seed(seed);
    return bits_of(matmul(x, y) * sum_columns(x));
  };
  auto first = bits(1);
  for (uint64_t seed : {2, 3, 4}) BOOST_TEST(bool(bits(seed) == first));
  emulated::set_seed(1);
}

BOOST_AUTO_TEST_CASE(memory_is_metered_and_given_back) {
  int64_t before = memory_use(Device::emulated).total;
  {
    Tensor x({1000}, Dtype::f32, Device::emulated);
    BOOST_TEST(memory_use(Device::emulated).total == before + 4000);
  }
  BOOST_TEST(memory_use(Device::emulated).total == before);
}

BOOST_AUTO_TEST_SUITE_END()
