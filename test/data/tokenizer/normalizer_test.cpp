// Normalizers that are refused; what the others do is compared with the library's answers in
// tokenizer_kinds_test.cpp.
#include "data/tokenizer/normalizer.h"

#include "test/scratch.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(normalizers)

// The library puts the content between all characters; nobody means that.
BOOST_AUTO_TEST_CASE(replacing_nothing_is_refused) {
  auto replace = [](const char* kind, const char* pattern) {
    Normalizer({{"type", "Replace"}, {"pattern", {{kind, pattern}}}, {"content", "x"}}, "t.json");
  };
  check_error([&] { replace("String", ""); }, {"t.json", "an empty String"});
  check_error([&] { replace("Regex", "b*"); }, {"t.json", "\"b*\"", "where nothing stands"});
  replace("String", "b");
  replace("Regex", "b+");
}

BOOST_AUTO_TEST_SUITE_END()
