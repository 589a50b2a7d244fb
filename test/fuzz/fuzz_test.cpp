// Every fuzz target for about a second: the same damaged inputs each time.
#include <boost/test/unit_test.hpp>

#include "test/fuzz/fuzz.h"

namespace afina {
std::vector<void (*)()>& case_makers();
}
using namespace afina;

namespace {

void add_targets() {
  auto suite = BOOST_TEST_SUITE("fuzz");
  for (const FuzzTarget* target : FuzzTarget::all()) {
    auto run = [target] {
      FuzzCount count = fuzz(*target, 1, 20'000, 1.5);
      BOOST_TEST_MESSAGE(target->name << ": " << count.runs << " runs, " << count.accepted
                                      << " accepted");
      BOOST_TEST(count.runs > 0);
    };
    suite->add(boost::unit_test::make_test_case(run, target->name, __FILE__, __LINE__));
  }
  boost::unit_test::framework::master_test_suite().add(suite);
}
const bool added = (case_makers().push_back(add_targets), true);

}  // namespace
