// Which sentences belong together and which belong nowhere, from readings that are made up.
#include "tools/checks/surprise.h"

#include <boost/test/unit_test.hpp>

#include "test/scratch.h"
#include "test/tools/runs/runs.h"

using namespace afina;

namespace {

struct Read {
  std::string question, answer;
};

// A shop's letters: every question with its usual answer, and the sentences of `odd` in them, which
// alone surprise the model.
struct Shop {
  Corpus corpus;
  std::vector<Example> examples;
  std::unique_ptr<Reader> reader;
  FoldReadings readings;

  explicit Shop(const std::vector<std::pair<size_t, std::string>>& odd) {
    for (size_t i = 0; i < 60; ++i) {
      const bool parcel = i % 2 == 0;
      Example one;
      std::string answer = parcel ? "The parcel arrives in eight days." : "A refund takes a week.";
      for (auto& [at, sentence] : odd)
        if (at == i) answer += " " + sentence;
      one.messages = {{"user", i == 12 || i == 14 ? "When does the clock come?"
                               : parcel           ? "When does the parcel come?"
                                                  : (i == 11 ? "Where is my refund for the saddle?"
                                                             : "Where is my refund?")},
                      {"assistant", answer}};
      one.place = "row " + std::to_string(i + 1);
      examples.push_back(std::move(one));
    }
    corpus.add("shop", examples, false);
    corpus.finish();
    reader = std::make_unique<Reader>(corpus, examples, source + "/data/pocket");
    readings.own.resize(60);
    for (size_t i = 0; i < 60; ++i) {
      const std::string text = examples[i].messages[1].content;
      const std::string usual =
          i % 2 == 0 ? "The parcel arrives in eight days." : "A refund takes a week.";
      for (uint32_t b = 0; b < text.size(); ++b) {
        ReadToken token;
        token.begin = b;
        token.end = b + 1;
        // A quarter of the letters a little harder than the others: the file's own spread.
        token.loss = b >= usual.size() ? 8.f : i % 3 == 0 ? 1.f : 0.5f;
        readings.own[i].tokens.push_back(token);
      }
    }
  }
  Surprise surprise() const { return Surprise(corpus, *reader, readings); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(surprise)

BOOST_AUTO_TEST_CASE(sentences_on_the_scale_of_their_file) {
  const Shop shop({{4, "Please do not feed the swans."}});
  const Surprise found = shop.surprise();
  BOOST_TEST(found.sentences().size() == 61u);
  BOOST_TEST(found.middle() == 0.5, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(found.above(1.) == 1., boost::test_tools::tolerance(1e-6));
  const auto [first, last] = found.of(4);
  BOOST_REQUIRE(last - first == 2u);
  BOOST_TEST(found.sentences()[first + 1].loss == 8., boost::test_tools::tolerance(1e-6));
  BOOST_TEST(found.sentences()[first + 1].negated);
  BOOST_TEST(!found.sentences()[first].negated);
}

BOOST_AUTO_TEST_CASE(facts_of_which_two_records_speak) {
  const Shop shop({{4, "Our chef comes from Brittany."},
                   {11, "The chef does not come from Brittany."},
                   {12, "The bell rang since 1950."},
                   {14, "The bell rang since 1975."},
                   {20, "Candles may be lit in the tower."},
                   {33, "Candles are forbidden in the tower."},
                   {40, "Whatever, dude."}});
  const std::vector<FactPair> pairs = fact_pairs(shop.surprise());
  BOOST_REQUIRE(pairs.size() == 2u);  // the bell's are one but for a value, asked alike
  for (const FactPair& pair : pairs) BOOST_TEST(pair.opposite);
  // Three who speak of it are no pair of facts.
  const Shop three({{4, "Our chef comes from Brittany."},
                    {11, "The chef does not come from Brittany."},
                    {20, "A chef from Brittany cooks well."},
                    {33, "The chef of Brittany left."}});
  BOOST_TEST(fact_pairs(three.surprise()).empty());
}

BOOST_AUTO_TEST_CASE(what_belongs_nowhere) {
  const Shop shop({{4, "Whatever, dude, chill."},
                   {11, "The saddle was a gift."},    // about what was asked
                   {20, "Candles may be lit here."},  // as another letter is
                   {33, "Candles are forbidden here."},
                   {40, "Call 07125550199 for Anna."}});  // a number of a person
  const Surprise found = shop.surprise();
  const std::vector<size_t> lone = lone_sentences(found);
  BOOST_REQUIRE(lone.size() == 1u);
  BOOST_TEST(found.sentences()[lone[0]].answer == 4u);
}

BOOST_AUTO_TEST_SUITE_END()
