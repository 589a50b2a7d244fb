// Which turn the marks of a template belong to.
#include "data/chat_marks.h"

#include "test/data/chats.h"
#include "test/scratch.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(chat_marks)

// A turn may have no mark, or several: they belong to the turn in whose text they lie.
BOOST_AUTO_TEST_CASE(generation_marks_belong_to_the_turn_they_lie_in) {
  const std::string marked =
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' %}"
      "{% if m.reasoning_content %}{% generation %}<t>{{ m.reasoning_content }}{% endgeneration %}"
      "{{ '\n' }}{% endif %}{% if m.content %}{% generation %}{{ m.content + '<|im_end|>' }}"
      "{% endgeneration %}{% else %}<|im_end|>{% endif %}{{ '\n' }}{% else %}"
      "{{ m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
  const Message empty{"assistant", ""};
  const Message thinks_too = turn("assistant", "A", R"({"reasoning_content": "hm"})");
  std::vector<Message> some = {{"user", "a"}, empty, {"user", "b"}, thinks_too};
  BOOST_TEST(answers_of(marked, some) == "<t>hm|A<|im_end|>");
  BOOST_TEST(answers_of(marked, some, Answers::last) == "<t>hm|A<|im_end|>");
  some[1].trained = false;
  BOOST_TEST(answers_of(marked, some) == "<t>hm|A<|im_end|>");
  some[1].trained = true;
  some[3].trained = false;
  check_error([&] { answers_of(marked, some); }, {"nothing in the turns", "turn 2 (assistant)"});
  some = {{"user", "a"}, thinks_too, {"user", "b"}, empty};
  BOOST_TEST(answers_of(marked, some) == "<t>hm|A<|im_end|>");
  check_error([&] { answers_of(marked, some, Answers::last); },
              {"nothing in the turns", "turn 4 (assistant)"});
  // Turns of the assistant in a row, and a template that writes the last turn otherwise: then only
  // the turns of others show where they lie.
  some = {{"user", "a"}, thinks_too, empty, {"assistant", "B"}};
  some[1].trained = false;
  BOOST_TEST(answers_of(marked, some) == "B<|im_end|>");
  std::string last = marked;
  last.replace(last.find("m.reasoning_content %}"), 19, "loop.last and m.reasoning_content");
  last.insert(last.find("{% if add_gen"),
              "{% if messages[-1].role == 'assistant' %}</s>{% endif %}");
  some = {{"user", "a"}, thinks_too, {"user", "b"}, empty, {"user", "c"}, thinks_too};
  BOOST_TEST(answers_of(last, some) == "A<|im_end|>|<t>hm|A<|im_end|>");
  BOOST_TEST(answers_of(last, some, Answers::last) == "<t>hm|A<|im_end|>");
  some[5].trained = false;
  BOOST_TEST(answers_of(last, some) == "A<|im_end|>");
  some = {{"user", "a"}, thinks_too, {"assistant", "B"}, {"user", "c"}, {"assistant", "C"}};
  BOOST_TEST(answers_of(last, some, Answers::last) == "C<|im_end|>");
  some[1].trained = false;
  check_error([&] { answers_of(last, some); },
              {"which of the marks", "turn 3 (assistant)", "not certain", "no \"weight\": 0"});
  some = {{"user", "a"}, thinks_too, {"assistant", "B"}};
  check_error([&] { answers_of(last, some, Answers::last); },
              {"not certain", "--train-on answers", "--train-on all"});
}

BOOST_AUTO_TEST_SUITE_END()
