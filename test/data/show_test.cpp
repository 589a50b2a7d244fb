// What `show` prints: the text with what is learned marked, and nothing a terminal would obey.
#include "data/show.h"

#include <boost/test/unit_test.hpp>

using namespace afina;

BOOST_AUTO_TEST_SUITE(show)

BOOST_AUTO_TEST_CASE(learned_tokens_are_marked_and_control_characters_escaped) {
  Tokenizer tokenizer = Tokenizer::from_file(AFINA_SOURCE_DIR "/data/pocket");
  Example example{{{"user", "Q\x1b[31m"}, {"assistant", "It is 3.\nYes 🙂"}}, "", "here"};
  SampleOptions options;
  options.length = 64;
  Sample sample =
      make_samples({example}, tokenizer, ChatTemplate::named("chatml", tokenizer), options).rows[0];
  ShowOptions plain;
  plain.colour = false;
  BOOST_TEST(show_sample(sample, tokenizer, plain) ==
             "<|im_start|>user\\n\nQ\\u{1b}[31m<|im_end|>\\n\n<|im_start|>assistant\\n\n[It is "
             "3.\\n\nYes 🙂][<|im_end|>]\\n\n\n");
  BOOST_TEST(show_sample(sample, tokenizer).find("\x1b[32mIt is 3.") != std::string::npos);
  plain.ids = true;
  plain.losses.assign(sample.tokens.size(), 1.5f);
  std::string table = show_sample(sample, tokenizer, plain);
  BOOST_TEST(size_t(std::count(table.begin(), table.end(), '\n')) == sample.tokens.size());
  BOOST_TEST(table.find("learned    1.500  <|im_end|>") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
