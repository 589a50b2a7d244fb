// Records to measure on: as many as were asked for, those that would be left out not counted.
#include <boost/test/unit_test.hpp>

#include "data/batches.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(usable)

BOOST_AUTO_TEST_CASE(the_first_records_that_are_not_left_out) {
  Tokenizer tokenizer = Tokenizer::from_file(AFINA_SOURCE_DIR "/data/pocket");
  ChatTemplate chat = ChatTemplate::named("chatml", tokenizer);
  std::string words;
  for (int i = 0; i < 40; ++i) words += " word";
  std::vector<Example> all;
  for (const std::string& answer :
       {words, std::string("B."), words, std::string("E."), std::string("G.")})
    all.push_back({{{"user", "A?"}, {"assistant", answer}}, "", std::to_string(all.size() + 1)});
  auto places = [&](OnTooLong on_too_long, int64_t count) {
    SampleOptions options;
    options.length = 32;
    options.on_too_long = on_too_long;
    std::string found;
    for (const Example& e : first_usable(all, count, tokenizer, chat, options)) found += e.place;
    return found;
  };
  BOOST_TEST(places(OnTooLong::skip, 2) == "24");
  BOOST_TEST(places(OnTooLong::skip, 9) == "245");
  BOOST_TEST(places(OnTooLong::cut, 2) == "12");
  BOOST_TEST(places(OnTooLong::error, 2) == "12");  // make_samples says it
}

BOOST_AUTO_TEST_SUITE_END()
