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

BOOST_AUTO_TEST_CASE(one_paragraph_is_filled) {
  BOOST_TEST(filled("one two three", 80) == "one two three");
  BOOST_TEST(filled("one two three four", 9, 2) == "one two\n  three\n  four");
  BOOST_TEST(filled("", 80) == "");
  // A long word is parted behind a sign, and one without a sign stays whole.
  BOOST_TEST(filled("model.layers.up_proj", 14) == "model.layers.\nup_proj");
  BOOST_TEST(filled("at abcdefghijk b", 6) == "at\nabcdefghijk\nb");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
