// The test program: cases that follow from registrations are added once main has begun, when every
// device and kernel is there.
#include <boost/test/unit_test.hpp>
#include <cstdlib>

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

int main(int count, char** words) {
  setenv("AFINA_PROFILE", "off",
         0);  // machines are measured in one test only, and no user's cache is touched
  return boost::unit_test::unit_test_main(add_cases, count, words);
}
