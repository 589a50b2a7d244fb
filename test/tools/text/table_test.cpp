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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
