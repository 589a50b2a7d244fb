// Models that are lists of words.
#include "data/tokenizer/word_list.h"

#include "test/scratch.h"

using namespace afina;

namespace {

std::vector<int32_t> ids_of(const WordModel& model, const std::string& word) {
  std::vector<BpeToken> tokens;
  model.encode(word, tokens);
  std::vector<int32_t> ids;
  for (const BpeToken& token : tokens) ids.push_back(token.id);
  return ids;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(word_list)

BOOST_AUTO_TEST_CASE(a_word_is_a_token_or_unknown) {
  const WordLevel model({{"a", 1}, {"<unk>", 0}}, "<unk>", "test");
  BOOST_TEST(ids_of(model, "a") == (std::vector<int32_t>{1}));
  BOOST_TEST(ids_of(model, "b") == (std::vector<int32_t>{0}));
  BOOST_TEST(ids_of(model, "").empty());
  const WordLevel none({{"a", 1}}, "<unk>", "t.json");
  check_error([&] { ids_of(none, "b"); }, {"t.json", "\"b\"", "<unk>"});
}

BOOST_AUTO_TEST_CASE(the_longest_beginning_then_the_longest_continuation) {
  using Ids = std::vector<int32_t>;
  const WordPiece model(
      {{"[UNK]", 0}, {"low", 1}, {"##er", 2}, {"##e", 3}, {"l", 4}, {"##\u00e9", 5}}, "[UNK]", "##",
      6, "test");
  BOOST_TEST(ids_of(model, "lower") == (Ids{1, 2}), boost::test_tools::per_element());
  BOOST_TEST(ids_of(model, "l\u00e9e") == (Ids{4, 5, 3}), boost::test_tools::per_element());
  // A part that is not known makes the word unknown, and so do too many characters.
  BOOST_TEST(ids_of(model, "lowx") == (Ids{0}), boost::test_tools::per_element());
  BOOST_TEST(ids_of(model, "lowerer") == (Ids{0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
