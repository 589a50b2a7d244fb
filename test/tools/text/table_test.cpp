// Columns for a terminal: as wide as they must be, and wrapped where they do not fit.
#include "tools/text/table.h"

#include <boost/test/unit_test.hpp>
#include <sstream>

namespace afina {

BOOST_AUTO_TEST_SUITE(text_table)

BOOST_AUTO_TEST_CASE(columns_that_do_not_fit_stand_beneath) {
  Table table("l");
  table.add({"", "one", "two", "three"});
  table.add({"row", "1", "22", "333"});
  std::ostringstream whole, wrapped, narrow;
  table.print(whole);
  BOOST_TEST(whole.str() == "     one  two  three\nrow    1   22    333\n");
  table.print(wrapped, 14);
  BOOST_TEST(wrapped.str() == "     one  two\nrow    1   22\n\n     three\nrow    333\n");
  table.print(narrow, 3);  // one column at a time, however wide
  BOOST_TEST(narrow.str() ==
             "     one\nrow    1\n\n     two\nrow   22\n\n     three\nrow    333\n");
  std::ostringstream single;
  Table names("l");
  names.add({"alone"});
  names.print(single, 80);
  BOOST_TEST(single.str() == "alone\n");
}

BOOST_AUTO_TEST_CASE(columns_of_text_are_wrapped) {
  Table table("lwr");
  table.add({"name", "words", "n"});
  table.add({"a", "one two three four five six\nseven", "1"});
  std::ostringstream whole, wrapped, narrow;
  table.print(whole);  // no width: a line feed alone begins a line
  BOOST_TEST(whole.str() ==
             "name  words                        n\n"
             "a     one two three four five six  1\n"
             "      seven\n");
  table.print(wrapped, 28);
  BOOST_TEST(wrapped.str() ==
             "name  words               n\n"
             "a     one two three four  1\n"
             "      five six\n"
             "      seven\n");
  // A column is not wrapped to less than 16: what does not fit then stands beneath.
  table.print(narrow, 20);
  BOOST_TEST(narrow.str() ==
             "name  words\na     one two three\n      four five six\n      seven\n\n"
             "name  n\na     1\n\n\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
