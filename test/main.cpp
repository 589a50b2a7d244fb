// The test program: cases that follow from registrations are added once main has begun, when every device and kernel is there.
#include <boost/test/unit_test.hpp>

namespace afina {
// Hooks that add generated cases (one per operation, method, ...) before the run starts.
std::vector<void (*)()>& case_makers() {
  static std::vector<void (*)()> all;
  return all;
}
}  // namespace afina

static bool add_cases() {
  for (auto make : afina::case_makers()) make();
  return true;
}

int main(int count, char** words) { return boost::unit_test::unit_test_main(add_cases, count, words); }
