// Characters that stand for others in regular expressions.
#include "data/tokenizer/unicode_table.h"
#include "data/tokenizer/utf8.h"
#include "test/scratch.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(stand_ins)

BOOST_AUTO_TEST_CASE(as_long_as_what_they_stand_for_and_in_order) {
  for (size_t i = 0; i < stand_in_count; ++i) {
    const StandIn& one = afina::stand_ins[i];
    BOOST_REQUIRE(one.first <= one.last);
    BOOST_REQUIRE((i == 0 || afina::stand_ins[i - 1].last < one.first));
    std::string first, last, stands;
    append_utf8(first, one.first);
    append_utf8(last, one.last);
    append_utf8(stands, one.stands);
    BOOST_REQUIRE((first.size() == stands.size() && last.size() == stands.size()));
  }
}

BOOST_AUTO_TEST_CASE(text_without_them_is_the_text_itself) {
  std::string store;
  const std::string plain = "aé中🙂\n", odd = "a\u1c89中\U0002ebf0";
  BOOST_TEST(with_stand_ins(plain, store).data() == plain.data());
  BOOST_TEST(store == "");
  BOOST_TEST(std::string(with_stand_ins(odd, store)) == "a\u1e00中\U00020000");
}

BOOST_AUTO_TEST_SUITE_END()
