// Readings: their losses are evaluation's, their places the answer's bytes, and no answer is read
// by a model that has seen it.
#include "tools/checks/two_fold.h"

#include <boost/test/unit_test.hpp>

#include "test/scratch.h"
#include "test/tools/runs/runs.h"
#include "tools/runs/evaluate.h"

using namespace afina;

namespace {

std::vector<Example> rows(size_t count, const std::string& last) {
  std::vector<Example> all;
  for (size_t i = 0; i < count; ++i) {
    Example one;
    one.messages = {{"user", "What is " + std::to_string(i % 7) + "?"},
                    {"assistant", i + 1 == count ? last : "It is seven."}};
    one.place = "row " + std::to_string(i + 1);
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(two_fold)

BOOST_AUTO_TEST_CASE(tokens_stand_where_the_answer_has_them) {
  const std::vector<Example> examples = rows(3, "  It is añil, no?");
  Corpus corpus;
  corpus.add("rows", examples, false);
  corpus.finish();
  Reader reader(corpus, examples, source + "/data/pocket");
  BOOST_REQUIRE(reader.records().size() == 3u);
  const auto model = load_model(reader.files(), "", Dtype::f32);
  const std::vector<size_t> all = {0, 1, 2};
  const Samples samples = reader.rows(all, [](size_t i) { return i; });
  const auto read = reader.read(*model, all, samples, true, {}),
             plain = reader.read(*model, all, samples, false, {});
  const Evaluation expected = evaluate(*model, samples, 8, 256);
  for (size_t i = 0; i < 3; ++i) {
    BOOST_TEST(read[i].loss() == expected.losses[i], boost::test_tools::tolerance(1e-4));
    BOOST_TEST(plain[i].loss() == expected.losses[i], boost::test_tools::tolerance(1e-5));
    const std::string_view text = corpus.text(reader.turn(i));
    std::string said;
    for (const ReadToken& token : read[i].tokens) {
      BOOST_TEST(token.margin() >= 0.f);
      if (token.begin == token.end) continue;
      // The blank before a word, which its token holds, is no part of the word.
      const std::string bytes = reader.tokenizer().token_bytes(token.id);
      said += text.substr(token.begin, token.end - token.begin);
      BOOST_TEST(std::string(text.substr(token.begin, token.end - token.begin)) ==
                 bytes.substr(bytes.size() > 1 && bytes[0] == ' ' ? 1 : 0));
    }
    std::string dense(text);
    std::erase(dense, ' ');
    std::erase(said, ' ');
    BOOST_TEST(said == dense);
  }
}

BOOST_AUTO_TEST_CASE(no_answer_is_read_by_a_model_that_has_seen_it) {
  // 23 equal answers and one of its own: the half that has learned the 23 expects them, and the one
  // has no other to be learned from.
  const std::vector<Example> examples = rows(24, "Blue whales sing.");
  Corpus corpus;
  corpus.add("rows", examples, false);
  corpus.finish();
  Reader reader(corpus, examples, source + "/data/pocket");
  WarmUpOptions options;
  options.method = "full:lr=2e-3";
  options.epochs = 6;
  double last = 0;
  const FoldReadings readings = read_two_fold(reader, options, [&](double share) {
    BOOST_TEST(share >= last);
    last = share;
  });
  BOOST_TEST(last == 1., boost::test_tools::tolerance(1e-9));
  BOOST_TEST(readings.own[0].loss() < 0.5);
  BOOST_TEST(readings.own[23].loss() > 4.);
  const FoldReadings again = read_two_fold(reader, options, {});
  for (size_t i = 0; i < 24; ++i) BOOST_TEST(readings.own[i].loss() == again.own[i].loss());
}

BOOST_AUTO_TEST_SUITE_END()
