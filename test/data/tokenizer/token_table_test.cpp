// The table of tokens against a map of the standard library.
#include "data/tokenizer/token_table.h"

#include <map>

#include "engine/random.h"
#include "test/scratch.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(token_table)

BOOST_AUTO_TEST_CASE(finds_what_a_map_finds) {
  const Random random(1, "token table", 0);
  uint64_t at = 0;
  auto text = [&] {
    std::string made(size_t(random.below(at++, 24)), ' ');
    for (char& c : made) c = char('a' + random.below(at++, 3));
    if (random.below(at++, 500) == 0) made.resize(100'000, 'x');  // more than a block
    return made;
  };
  for (const bool reserved : {false, true}) {
    TokenTable table;
    std::map<std::string, int32_t> map;
    if (reserved) table.reserve(5000);
    for (int32_t id = 0; id < 5000; ++id) {
      const std::string one = text();
      BOOST_REQUIRE(table.emplace(one, id) == map.emplace(one, id).second);
    }
    BOOST_TEST(table.size() == map.size());
    for (auto& [one, id] : map) BOOST_REQUIRE(table.id_of(one) == id);
    for (size_t i = 0; i < 5000; ++i) {
      const std::string one = text();
      BOOST_REQUIRE(table.count(one) == map.count(one));
    }
    int32_t last = -1;
    for (auto& [one, id] : table) {
      BOOST_REQUIRE(id > last);  // in the order in which they came
      BOOST_REQUIRE(map.at(std::string(one)) == id);
      last = id;
    }
  }
}

BOOST_AUTO_TEST_CASE(empty_ones) {
  TokenTable table;
  BOOST_TEST(table.id_of("") == -1);
  BOOST_TEST(table.find("a") == table.end());
  table.emplace("", 7);
  BOOST_TEST(table.id_of("") == 7);
  BOOST_TEST(table.id_of("a") == -1);
}

// Texts of one length that begin and end the same.
BOOST_AUTO_TEST_CASE(hashes_see_every_byte) {
  for (size_t size = 1; size < 40; ++size)
    for (size_t i = 0; i < size; ++i) {
      std::string a(size, 'a'), b = a;
      b[i] = 'b';
      BOOST_TEST(token_hash(a) != token_hash(b));
      BOOST_TEST(token_hash(a) != token_hash(a + "a"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
