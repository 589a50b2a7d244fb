// The test program: cases that follow from registrations are added once main has begun, when every
// device and kernel is there. AFINA_TESTS_PART=2/3 runs the second of three parts of all cases.
#include <boost/test/tree/traverse.hpp>
#include <boost/test/tree/visitor.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>

namespace afina {
// Hooks that add generated cases (one per operation, method, ...) before the run starts.
std::vector<void (*)()>& case_makers() {
  static std::vector<void (*)()> all;
  return all;
}
}  // namespace afina

namespace {

namespace ut = boost::unit_test;

// Leaves every count-th case, from the part-th on, and disables the others. Neighbours, which take
// about as long, so come into different parts.
struct KeepPart : ut::test_tree_visitor {
  KeepPart(int part, int count) : part(part), count(count) {}
  void visit(const ut::test_case& one) override {
    if (!one.p_decorators.get().empty()) return;  // a disabled case, which may not be set again
    if (seen++ % count == part - 1) return;
    ut::framework::get(one.p_id, ut::TUT_CASE).p_default_status.value = ut::test_unit::RS_DISABLED;
  }
  int part, count, seen = 0;
};

bool add_cases() {
  for (auto make : afina::case_makers()) make();
  if (const char* asked = std::getenv("AFINA_TESTS_PART")) {
    int part = 0, count = 0;
    char rest = 0;
    if (std::sscanf(asked, "%d/%d%c", &part, &count, &rest) != 2 || part < 1 || part > count) {
      std::fprintf(stderr, "AFINA_TESTS_PART=%s: expected a part and their number, as 1/2\n",
                   asked);
      return false;
    }
    KeepPart keep(part, count);
    ut::traverse_test_tree(ut::framework::master_test_suite(), keep, true);
  }
  return true;
}

}  // namespace

int main(int count, char** words) {
  setenv("AFINA_PROFILE", "off",
         0);  // machines are measured in one test only, and no user's cache is touched
  return ut::unit_test_main(add_cases, count, words);
}
