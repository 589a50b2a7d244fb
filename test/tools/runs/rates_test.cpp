// Learning rates inside a method's text, and labels.
#include "tools/runs/rates.h"

#include <boost/test/unit_test.hpp>

#include "engine/error.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(rates)

BOOST_AUTO_TEST_CASE(are_taken_out_of_the_method) {
  MethodSpec spec = parse_method("lora:rank=8,lr=1e-4/3e-4/1e-3");
  BOOST_TEST(take_rates(spec, 0.) == (std::vector<double>{1e-4, 3e-4, 1e-3}));
  BOOST_TEST(!spec.options.count("lr"));
  BOOST_TEST(label_of(spec) == "lora rank=8");
  MethodSpec plain = parse_method("full");
  BOOST_TEST(take_rates(plain, 2e-5) == std::vector<double>{2e-5});
  BOOST_CHECK_THROW(take_rates(plain, 0.), Error);
  for (const char* wrong : {"full:lr=x", "full:lr=0", "full:lr=-1", "full:lr=1e9"}) {
    MethodSpec bad = parse_method(wrong);
    BOOST_CHECK_THROW(take_rates(bad, 1.), Error);
  }
}

BOOST_AUTO_TEST_SUITE_END()
