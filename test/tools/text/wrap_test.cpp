// Paragraphs filled anew.
#include "tools/text/wrap.h"

#include <boost/test/unit_test.hpp>

namespace afina {

BOOST_AUTO_TEST_SUITE(wrap)

BOOST_AUTO_TEST_CASE(paragraphs_are_filled_and_examples_stay) {
  BOOST_TEST(reflowed("one two three\nfour five\n\n  afina compare --a b --long c\n\nsix", 12) ==
             "one two\nthree four\nfive\n\n  afina compare --a b --long c\n\nsix");
  BOOST_TEST(reflowed("ñandú ñandú ñandú\n", 11) == "ñandú ñandú\nñandú\n");
  BOOST_TEST(reflowed("", 10) == "");
  BOOST_TEST(reflowed("unbreakable", 4) == "unbreakable");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
