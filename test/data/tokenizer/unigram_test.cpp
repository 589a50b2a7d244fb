// The Unigram model against its definition, and what it refuses.
#include "data/tokenizer/unigram.h"

#include <algorithm>
#include <map>

#include "data/tokenizer/tokenizer.h"
#include "data/tokenizer/utf8.h"
#include "test/fuzz/draw.h"
#include "test/scratch.h"

using namespace afina;

namespace {

std::vector<int32_t> ids_of(const Unigram& model, const std::string& word) {
  std::vector<BpeToken> tokens;
  model.encode(word, tokens);
  std::vector<int32_t> ids;
  uint32_t at = 0;
  for (const BpeToken& token : tokens) {
    BOOST_REQUIRE(token.end >= at);
    at = token.end;
    ids.push_back(token.id);
  }
  BOOST_REQUIRE(at == word.size());
  return ids;
}

// Every prefix's best way, found by trying every token that may end it, those that begin first
// first.
std::vector<int32_t> by_definition(const Unigram::Vocabulary& vocabulary, int32_t unknown,
                                   const std::string& word) {
  std::map<std::string, int32_t> ids;
  double least = 1e300;
  for (size_t id = 0; id < vocabulary.size(); ++id) {
    ids[vocabulary[id].first] = int32_t(id);
    least = std::min(least, vocabulary[id].second);
  }
  struct Way {
    double score = 0;
    std::vector<int32_t> ids;
    std::vector<std::string> pieces;
    bool there = false;
  };
  std::vector<Way> ways(word.size() + 1);
  ways[0].there = true;
  for (size_t end = 1; end <= word.size(); ++end)
    for (size_t begin = 0; begin < end; ++begin) {
      const std::string piece = word.substr(begin, end - begin);
      if (!ways[begin].there || !is_utf8(piece)) continue;
      auto found = ids.find(piece);
      const bool single = character_at(piece, 0).bytes == piece.size();
      if (found == ids.end() && !single) continue;
      const int32_t id = found == ids.end() ? unknown : found->second;
      const double score =
          (found == ids.end() ? least - 10. : vocabulary[size_t(id)].second) + ways[begin].score;
      if (ways[end].there && score <= ways[end].score) continue;
      ways[end] = ways[begin];
      ways[end].score = score;
      ways[end].there = true;
      ways[end].ids.push_back(id);
      ways[end].pieces.push_back(piece);
    }
  std::vector<int32_t> out;
  const Way& best = ways.back();
  for (size_t i = 0; i < best.ids.size();) {
    std::string piece = best.pieces[i];
    int32_t id = best.ids[i++];
    if (id == unknown) {
      while (i < best.ids.size() && best.ids[i] == unknown) piece += best.pieces[i++];
      if (auto found = ids.find(piece); found != ids.end()) id = found->second;
    }
    out.push_back(id);
  }
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(unigram)

BOOST_AUTO_TEST_CASE(ways_are_the_best_by_definition) {
  Draw draw(7, "unigram", 0);
  const std::vector<std::string> letters = {"a", "b", "\u00e9", "\u4e2d", "c"};
  for (int round = 0; round < 200; ++round) {
    auto word = [&](int64_t most) {
      std::string text;
      for (int64_t i = 1 + int64_t(draw.below(size_t(most))); i > 0; --i)
        text += letters[draw.below(letters.size())];
      return text;
    };
    Unigram::Vocabulary vocabulary = {{"<unk>", 0.}};
    // Few different scores: most ways tie.
    for (int i = 0; i < 12; ++i) vocabulary.emplace_back(word(4), -1. - double(draw.below(3)));
    const Unigram model(vocabulary, 0, false, "test");
    for (int i = 0; i < 20; ++i) {
      const std::string text = word(12);
      BOOST_TEST_CONTEXT(text)
      BOOST_TEST(ids_of(model, text) == by_definition(vocabulary, 0, text),
                 boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(unknown_text_is_one_token_bytes_or_an_error) {
  Unigram::Vocabulary vocabulary = {
      {"<unk>", 0.}, {"a", -1.}, {"<0xC3>", -5.}, {"<0xA9>", -5.}, {"zz", -100.}};
  const Unigram plain(vocabulary, 0, false, "test"), bytes(vocabulary, 0, true, "test"),
      none(vocabulary, -1, true, "t.json: model");
  using Ids = std::vector<int32_t>;
  BOOST_TEST(ids_of(plain, "a\u00e9\u00e9a") == (Ids{1, 0, 1}), boost::test_tools::per_element());
  BOOST_TEST(ids_of(bytes, "a\u00e9\u00e9a") == (Ids{1, 2, 3, 2, 3, 1}),
             boost::test_tools::per_element());
  // Where a byte has no token the run stays unknown.
  BOOST_TEST(ids_of(bytes, "\u00e9\u4e2d") == (Ids{0}), boost::test_tools::per_element());
  // Two unknown characters are likelier than the token of both, and are that token all the same.
  BOOST_TEST(ids_of(plain, "zza") == (Ids{4, 1}), boost::test_tools::per_element());
  BOOST_TEST(ids_of(plain, "").empty());
  check_error([&] { ids_of(none, "a\u00e9"); }, {"t.json: model", "\u00e9", "unk_id"});
  check_error([&] { Unigram(vocabulary, 5, false, "t.json"); }, {"t.json", "unk_id is 5", "5"});
}

BOOST_AUTO_TEST_CASE(of_equal_tokens_the_last_counts) {
  const Tokenizer tokenizer = Tokenizer::from_json(
      R"({"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1],["b",-1],["a",-9]]},)"
      R"("decoder":{"type":"Fuse"}})",
      "t.json");
  BOOST_TEST(tokenizer.encode("ab") == (std::vector<int32_t>{3, 2}),
             boost::test_tools::per_element());
  BOOST_TEST(tokenizer.decode(std::vector<int32_t>{1, 2, 3}) == "aba");
  BOOST_TEST(tokenizer.id_of("a") == 3);
}

BOOST_AUTO_TEST_CASE(scores_are_read_as_the_library_reads_them) {
  // Pairs that tokenizers 0.23 writes back for what it was given.
  BOOST_TEST(as_serde_reads(-10.425487518310547) == -10.425487518310549);
  BOOST_TEST(as_serde_reads(-13.372241973876953) == -13.372241973876951);
  BOOST_TEST(as_serde_reads(-3.6601955890655518) == -3.660195589065552);
  for (double same : {0., -0.5, -2., 1e-7, 1e22, 123456789., -1e300, 5e-324})
    BOOST_TEST(as_serde_reads(same) == same);
}

BOOST_AUTO_TEST_CASE(a_long_word_takes_time_in_proportion) {
  Unigram::Vocabulary vocabulary = {{"<unk>", 0.}, {"a", -1.}, {"aa", -1.5}};
  const Unigram model(vocabulary, 0, false, "test");
  BOOST_TEST(ids_of(model, std::string(1 << 20, 'a')).size() == size_t(1 << 19));
}

BOOST_AUTO_TEST_CASE(a_class_that_transformers_builds_itself_is_noted) {
  auto notes = [](const std::string& kind) {
    return Tokenizer::from_json(R"({"model":{"type":"Unigram","vocab":[["a",-1]]}})", "t.json",
                                R"({"tokenizer_class":")" + kind + R"("})")
        .notes();
  };
  BOOST_TEST(notes("PreTrainedTokenizerFast").empty());
  BOOST_TEST(notes("TokenizersBackend").empty());
  BOOST_REQUIRE(notes("T5TokenizerFast").size() == 1);
  BOOST_TEST(notes("T5TokenizerFast")[0].find("tokenizer_class is T5Tokenizer, ") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_lies_is_refused) {
  auto refused = [](const std::string& model, std::initializer_list<std::string> words) {
    check_error([&] { Tokenizer::from_json("{\"model\":" + model + "}", "t.json"); }, words);
  };
  refused(R"({"type":"Unigram","vocab":{"a":0}})", {"t.json: model", "[token, score]", "object"});
  refused(R"({"type":"Unigram","vocab":[]})", {"[token, score]"});
  refused(R"({"type":"Unigram","vocab":[["a",-1],["b"]]})", {"vocab[1]", "[token, score]"});
  refused(R"({"type":"Unigram","vocab":[["a","x"]]})", {"vocab[0]"});
  refused(R"({"type":"Unigram","unk_id":1,"vocab":[["a",-1]]})", {"unk_id is 1", "1 tokens"});
  refused(R"({"type":"Unigram","unk_id":-1,"vocab":[["a",-1]]})", {"unk_id is -1"});
  refused(R"({"type":"Fancy","vocab":{"a":0}})", {"\"Fancy\"", "Unigram", "WordLevel"});
  refused(R"({"type":"WordLevel","vocab":{"a":-1}})", {"\"a\"", "-1"});
  refused(R"({"type":"WordLevel","vocab":{"a":1,"b":1}})", {"two tokens", "id 1"});
}

BOOST_AUTO_TEST_SUITE_END()
