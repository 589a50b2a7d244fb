// Texts of errors: every kind of word is written as a stream writes it.
#include "engine/error.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sstream>

using namespace afina;

namespace {

template <class... Words>
void check_text(const Words&... words) {
  std::ostringstream expected;
  (expected << ... << words);
  try {
    fail(words...);
  } catch (const Error& error) {
    BOOST_TEST(error.what() == expected.str());
    return;
  }
  BOOST_TEST(false, "fail() returned");
}

enum Level { low, high = 7 };

}  // namespace

BOOST_AUTO_TEST_SUITE(errors)

BOOST_AUTO_TEST_CASE(words_are_written_as_a_stream_writes_them) {
  const std::string text = "a text";
  const char* none = "";
  check_text("file.txt", ": expected ", text, ", found ", std::string_view(text).substr(2), none);
  check_text(1, ' ', -2, ' ', INT64_MIN, ' ', UINT64_MAX, ' ', size_t(3), ' ', short(-4), ' ', 5u);
  check_text(true, false, 'c', uint8_t('d'), int8_t('e'), high);
  check_text(0.1, ' ', 0.1f, ' ', 1e300, ' ', 1. / 3, ' ', -0., ' ', 1e-7f, ' ', 123456789.);
  check_text(std::filesystem::path("a folder/file"), " beside ", static_cast<const void*>(nullptr));
}

BOOST_AUTO_TEST_CASE(require_fails_only_where_it_does_not_hold) {
  require(true, "nothing");
  BOOST_CHECK_EXCEPTION(require(false, "row ", 3, ": ", 2.5), Error, [](const Error& error) {
    return std::string(error.what()) == "row 3: 2.5";
  });
}

BOOST_AUTO_TEST_SUITE_END()
