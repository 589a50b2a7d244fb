// The answers in rendered conversations, and what of a conversation a template must not drop.
#include "test/data/chats.h"
#include "test/scratch.h"

using namespace afina;

namespace {

const std::vector<Message> talk = {
    {"user", " One? "}, {"assistant", "Yes."}, {"user", "Two?"}, {"assistant", "No."}};

const std::string chatml =
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
// As the templates of models that think: reasoning is written in the turns after the last question.
const std::string thinks =
    "{% set ns = namespace(last=0) %}{% for m in messages %}{% if m.role == 'user' %}"
    "{% set ns.last = loop.index0 %}{% endif %}{% endfor %}{% for m in messages %}"
    "{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' and loop.index0 > ns.last %}"
    "{{ '<think>' ~ m.reasoning_content ~ '</think>' }}{% endif %}"
    "{{ m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

}  // namespace

BOOST_AUTO_TEST_SUITE(chat_rendering)

BOOST_AUTO_TEST_CASE(answers_begin_where_the_prompt_ends_and_end_with_their_token) {
  BOOST_TEST(answers_of(chatml, talk) == "Yes.<|im_end|>|No.<|im_end|>");
  BOOST_TEST(answers_of(chatml, talk, Answers::last) == "No.<|im_end|>");
  BOOST_TEST(answers_of(chatml, talk, Answers::none) == "");
  // The token that ends the text comes after the one that ends the turn.
  std::string with_eos = chatml;
  with_eos.insert(with_eos.find("{% endfor %}"),
                  "{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}");
  BOOST_TEST(answers_of(with_eos, talk) == "Yes.<|im_end|>|No.<|im_end|>");
  // An answer that begins with a newline that the prompt has not, and one before its end.
  const std::string lines =
      "{% for m in messages %}{% if m.role == 'user' %}{{ 'Q:' + m.content + '\n' }}{% else %}"
      "{{ 'A:\n' + m.content + '\n</s>\n' }}{% endif %}{% endfor %}"
      "{% if add_generation_prompt %}A:{% endif %}";
  BOOST_TEST(answers_of(lines, talk) == "\nYes.\n</s>|\nNo.\n</s>");
  // White space that the template trims is not looked for.
  std::string trims = chatml;
  trims.replace(trims.find("m.content"), 9, "m.content | trim");
  BOOST_TEST(answers_of(trims, {{"user", " a "}, {"assistant", " b "}}) == "b<|im_end|>");
}

BOOST_AUTO_TEST_CASE(a_turn_that_is_not_trained_is_no_target) {
  std::vector<Message> some = talk;
  some[1].trained = false;
  BOOST_TEST(answers_of(chatml, some) == "No.<|im_end|>");
  some[3].trained = false;
  BOOST_TEST(answers_of(chatml, some) == "");
  BOOST_TEST(answers_of(chatml, some, Answers::last) == "");
}

BOOST_AUTO_TEST_CASE(generation_marks_count_where_a_template_has_them) {
  const std::string marked =
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' %}"
      "{% generation %}{{ m.content + '<|im_end|>\n' }}{% endgeneration %}{% else %}"
      "{{ m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
  BOOST_TEST(answers_of(marked, talk) == "Yes.<|im_end|>\n|No.<|im_end|>\n");
  BOOST_TEST(answers_of(marked, talk, Answers::last) == "No.<|im_end|>\n");
  std::vector<Message> some = talk;
  some[3].trained = false;
  BOOST_TEST(answers_of(marked, some) == "Yes.<|im_end|>\n");
  // Two marks in a turn: both are the turn's.
  std::string twice = marked;
  twice.replace(twice.find("{{ m.content + '<|im_end|>\n' }}{% endgen"), 31,
                "{{ m.content }}{% endgeneration %},{% generation %}<|im_end|>");
  BOOST_TEST(answers_of(twice, talk, Answers::last) == "No.|<|im_end|>");
  // Marks in each other: the outer one has all the text.
  std::string nested = marked;
  nested.replace(nested.find("{{ m.content + '<|im_end|>\n' }}{% endgen"), 31,
                 "a{% generation %}{{ m.content }}{% endgeneration %}{% generation %}c"
                 "{% endgeneration %}</s>");
  BOOST_TEST(answers_of(nested, talk) == "aYes.c</s>|aNo.c</s>");
  BOOST_TEST(answers_of(nested, talk, Answers::last) == "aNo.c</s>");
  const std::string never = chatml +
                            "{% if messages | length > 9 %}{% generation %}x"
                            "{% endgeneration %}{% endif %}";
  check_error([&] { answers_of(never, talk); }, {"marks", "nothing in this conversation"});
}

BOOST_AUTO_TEST_CASE(keys_that_are_null_are_not_there_as_with_transformers) {
  const std::string shows =
      "{% for m in messages %}{{ m.keys() | list | join(',') }}[{{ m.content }}]"
      "{% for c in m.tool_calls or [] %}{{ c | tojson }}{% endfor %};{% endfor %}";
  Message call = turn("assistant", "", R"({"tool_calls": [{"f": null}], "content": null})");
  // What a call holds is not touched.
  BOOST_TEST(chat_of(shows).text({{"user", "Q"}, call}) ==
             "role,content[Q];role,tool_calls[]{\"f\": null};");
  // An empty list of tools is a list.
  TemplateInput input{OrderedJson::parse("[]"), {}};
  const std::string tools = "{{ 'none' if tools is none else tools | tojson }}";
  BOOST_TEST(chat_of(tools).text(talk, false, input) == "[]");
  BOOST_TEST(chat_of(tools).text(talk) == "none");
}

BOOST_AUTO_TEST_CASE(what_is_not_certain_is_an_error_with_turn_and_reason) {
  // Thoughts that are not given are written into the prompt, not into earlier turns.
  std::string prompted = chatml;
  prompted.replace(prompted.rfind("assistant\n"), 10, "assistant\n<think></think>");
  check_error([&] { answers_of(prompted, talk); },
              {"the model's chat template", "turn 2 (assistant)", "not the beginning",
               "{% generation %}", "--train-on"});
  // No token ends an answer: a model could not learn to stop.
  check_error(
      [] { answers_of("{% for m in messages %}{{ m.content + '\n\n' }}{% endfor %}", talk); },
      {"\n\n", "no token of this tokenizer", "--template"});
  // An earlier answer without an end.
  const std::string open =
      "{% for m in messages %}{{ '<s>' if m.role == 'user' }}{{ m.content }}{% if m.role == "
      "'assistant' and loop.last %}</s>{% endif %}{% endfor %}";
  check_error([&] { answers_of(open, talk); },
              {"turn 2 (assistant)", "not followed by </s>", "--train-on last or all"});
  BOOST_TEST(answers_of(open, talk, Answers::last) == "No.</s>");
  check_error(
      [&] {
        answers_of(open, {{"user", "a"}, {"assistant", "b"}, {"assistant", "c"}});
      },
      {"turn 2 (assistant)", "goes on in the assistant's next turn: join the two"});
  // What is advised is not what was done.
  std::string other_last = prompted;
  other_last.insert(other_last.find("m.content"), "('' if loop.last else '<s>') + ");
  for (Answers which : {Answers::last, Answers::all}) try {
      std::vector<Message> short_talk(talk.begin(), talk.begin() + 2);
      answers_of(other_last, short_talk, which);
      BOOST_ERROR("not refused");
    } catch (const Error& error) {
      BOOST_TEST(std::string(error.what()).find("--train-on last") == std::string::npos);
      BOOST_TEST(std::string(error.what()).find("--train-on all") != std::string::npos);
    }
  // The template's own refusals.
  check_error([] { answers_of("{{ raise_exception('roles must alternate') }}", talk); },
              {"roles must alternate"});
}

// As gpt-oss has it: the last answer ends with a token of its own, and so does a call of a tool.
BOOST_AUTO_TEST_CASE(answers_may_end_with_another_token_than_the_last_one) {
  const std::string channels =
      "{% for m in messages %}{{ '<|im_start|>' + m.role + ':' }}{% if m.tool_calls %}"
      "{{ m.tool_calls[0].name }}<call>{% else %}{% if loop.last and m.thinking %}"
      "{{ m.thinking + '<|im_end|><|im_start|>assistant:' }}{% endif %}{{ m.content }}"
      "{{ '<|return|>' if m.role == 'assistant' and loop.last else '<|im_end|>' }}{% endif %}\n"
      "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant:' }}{% endif %}";
  BOOST_TEST(answers_of(channels, talk) == "Yes.<|im_end|>|No.<|return|>");
  BOOST_TEST(answers_of(channels, talk, Answers::last) == "No.<|return|>");
  std::vector<Message> calls = talk;
  calls.insert(calls.begin() + 1,
               {turn("assistant", "", R"({"tool_calls": [{"name": "f"}]})"), {"tool", "9"}});
  BOOST_TEST(answers_of(channels, calls) == "f<call>|Yes.<|im_end|>|No.<|return|>");
  calls.resize(2);
  BOOST_TEST(answers_of(channels, calls) == "f<call>");
  // Thoughts of earlier turns are left out.
  std::vector<Message> thought = talk;
  thought[1] = turn("assistant", "Yes.", R"({"thinking": "One is one."})");
  thought[3] = turn("assistant", "No.", R"({"reasoning": "Two is two."})");
  BOOST_TEST(answers_of(channels, thought) ==
             "Yes.<|im_end|>|Two is two.<|im_end|><|im_start|>assistant:No.<|return|>");
  // Two answers of one text, and one that has the token in it: where it stands counts.
  thought[0].content = thought[2].content = "Yes.";
  thought[3].content = "Yes.";
  BOOST_TEST(answers_of(channels, thought) ==
             "Yes.<|im_end|>|Two is two.<|im_end|><|im_start|>assistant:Yes.<|return|>");
  // The next turn's beginning is no end.
  std::string begins = channels;
  begins.replace(begins.find("else '<|im_end|>'"), 17, "else ''");
  check_error([&] { answers_of(begins, talk); }, {"turn 2 (assistant)", "not certain"});
}

// As transformers does: a template finds reasoning under the names it may read, whatever the turn
// calls it; what the turn has under a name of its own stays there.
BOOST_AUTO_TEST_CASE(reasoning_has_all_its_names) {
  const std::string shows = "{% for m in messages %}{{ m | tojson }}{% endfor %}";
  auto shown = [&](const std::string& more) {
    return chat_of(shows).text({turn("assistant", "A", more)});
  };
  const std::string turn_with = R"("role": "assistant", "content": "A")";
  BOOST_TEST(shown(R"({"reasoning": "r"})") ==
             R"({"thinking": "r", )" + turn_with +
                 R"(, "reasoning": "r", "reasoning_content": "r"})");
  BOOST_TEST(shown(R"({"thinking": "t", "reasoning": "r"})") ==
             "{" + turn_with + R"(, "thinking": "t", "reasoning": "r", "reasoning_content": "t"})");
  BOOST_TEST(shown(R"({"reasoning_content": "", "thinking": "t"})") ==
             "{" + turn_with + R"(, "reasoning_content": "", "thinking": "t"})");
  BOOST_TEST(shown(R"({"reasoning_content": null, "thinking": null, "reasoning": null})") ==
             "{" + turn_with + "}");
  // Written under another name it is not dropped; two texts of which one is not written are.
  std::vector<Message> thought = talk;
  for (const char* key : {"reasoning", "thinking", "reasoning_content"}) {
    thought[3] = turn("assistant", "No.", std::string("{\"") + key + R"(": "Two."})");
    BOOST_TEST(answers_of(thinks, thought) == "Yes.<|im_end|>|<think>Two.</think>No.<|im_end|>");
    check_error([&] { answers_of(chatml, thought); },
                {std::string("turn 4 (assistant) has ") + key, "no place"});
    BOOST_TEST(chat_of(thinks).mentions(key));
    BOOST_TEST(!chat_of(chatml).mentions(key));
  }
  thought[3] = turn("assistant", "No.", R"({"reasoning": "Two.", "reasoning_content": "Two."})");
  BOOST_TEST(answers_of(thinks, thought) == "Yes.<|im_end|>|<think>Two.</think>No.<|im_end|>");
  thought[3] = turn("assistant", "No.", R"({"reasoning": "Two.", "reasoning_content": "2."})");
  check_error([&] { answers_of(thinks, thought); }, {"turn 4 (assistant) has reasoning,"});
}

BOOST_AUTO_TEST_CASE(reasoning_is_written_where_the_template_writes_it_or_refused) {
  std::vector<Message> thought = talk;
  thought[1] = turn("assistant", "Yes.", R"({"reasoning_content": "One is one."})");
  thought[3] = turn("assistant", "No.", R"({"reasoning_content": "Two is two."})");
  BOOST_TEST(answers_of(thinks, thought) ==
             "Yes.<|im_end|>|<think>Two is two.</think>No.<|im_end|>");
  check_error([&] { answers_of(chatml, thought); },
              {"turn 2 (assistant) has reasoning_content", "no place", "--template"});
  thought[1].more = thought[3].more = OrderedJson::parse(R"({"reasoning_content": ""})");
  BOOST_TEST(answers_of(chatml, thought) == "Yes.<|im_end|>|No.<|im_end|>");
}

BOOST_AUTO_TEST_CASE(tools_and_their_calls_are_written_or_refused) {
  const std::string calls =
      "{% if tools %}{{ tools | tojson + '\n' }}{% endif %}{% for m in messages %}"
      "{{ '<|im_start|>' + m.role + '\n' }}{% if m.content %}{{ m.content }}{% endif %}"
      "{% for c in m.tool_calls %}{{ '<call>' + c.function | tojson }}{% endfor %}"
      "{{ '<|im_end|>\n' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
  const std::string call =
      R"({"tool_calls": [{"function": {"name": "f", "arguments": {"z": 1, "a": 2}}}]})";
  std::vector<Message> messages = {{"user", "Q"},
                                   turn("assistant", "", call),
                                   turn("tool", "9 to 5", R"({"tool_call_id": "c1"})"),
                                   {"assistant", "A"}};
  messages[1].more["content"] = nullptr;
  TemplateInput input{OrderedJson::parse(R"([{"type": "function", "name": "f"}])"), {}};
  // The keys keep the file's order, as transformers' tojson writes them.
  BOOST_TEST(answers_of(calls, messages, Answers::all, input) ==
             R"(<call>{"name": "f", "arguments": {"z": 1, "a": 2}}<|im_end|>|A<|im_end|>)");
  BOOST_TEST(chat_of(calls)
                 .render(messages, input)
                 .text.starts_with(R"([{"type": "function", "name": "f"}])"));
  check_error(
      [&] {
        answers_of(chatml, {{"user", "Q"}, turn("assistant", "A", call)});
      },
      {"turn 2 (assistant) has tool_calls", "no place"});
  // Without a text the template stumbles, but that is not the reason.
  Message call_alone = turn("assistant", "", call);
  call_alone.more["content"] = nullptr;
  check_error(
      [&] {
        answers_of(chatml, {{"user", "Q"}, call_alone, {"assistant", "A"}});
      },
      {"turn 2 (assistant) has tool_calls", "no place"});
  check_error([&] { answers_of(chatml, talk, Answers::all, input); }, {"tools", "no place"});
  check_error([&] { answers_of(chatml, talk, Answers::none, input); }, {"tools", "no place"});
}

// What follows a mark in the text alone is written: the lines before it must not be lost unsaid.
BOOST_AUTO_TEST_CASE(a_template_that_writes_a_part_of_a_text_is_refused) {
  const std::string after =
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content.split('</think>')[-1]"
      " + '<|im_end|>\n' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
  const Message asked{"user", "2+2?"}, thought{"assistant", "<think>\nhm\n</think>\n\n4"};
  check_error([&] { answers_of(after, {asked, thought}); }, {"turn 2 (assistant)", "<think>"});
  BOOST_TEST(answers_of(after, {asked, {"assistant", "4"}}) == "4<|im_end|>");
  // Thoughts of earlier turns alone are left out, as many models want it.
  const std::string history =
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{{ m.content if loop.last else "
      "m.content.split('</think>')[-1] }}{{ '<|im_end|>\n' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
  BOOST_TEST(answers_of(history, {asked, thought}) == thought.content + "<|im_end|>");
  // A text that is changed, not left out, is fine.
  const std::string other =
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content | replace('one', "
      "'uno') + "
      "'<|im_end|>\n' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
  BOOST_TEST(answers_of(other, {asked, {"assistant", "one\ntwo"}}) == "uno\ntwo<|im_end|>");
}

BOOST_AUTO_TEST_CASE(no_turn_is_left_out_in_silence) {
  const std::string two_roles =
      "{% for m in messages %}{% if m.role == 'user' %}{{ m.content + '<s>' }}{% elif m.role == "
      "'assistant' %}{{ m.content + '</s>' }}{% endif %}{% endfor %}";
  BOOST_TEST(answers_of(two_roles, talk) == "Yes.</s>|No.</s>");
  std::vector<Message> more = talk;
  more.insert(more.begin(), {"system", "One"});  // a text that is also in another turn
  check_error([&] { answers_of(two_roles, more); }, {"turn 1 (system)", "left out", "no place"});
  more = talk;
  more.insert(more.begin() + 2, {"tool", "T"});
  check_error([&] { answers_of(two_roles, more); }, {"turn 3 (tool)", "left out"});
  check_error(
      [&] {
        chat_of(two_roles).check_read({{"system", "Be brief."}, {"user", "Q"}});
      },
      {"turn 1 (system)", "left out"});
}

BOOST_AUTO_TEST_CASE(variables_of_a_record_reach_the_template) {
  const std::string mode = "{{ mode }}" + chatml;
  TemplateInput input{{}, OrderedJson::parse(R"({"mode": "brief"})")};
  BOOST_TEST(chat_of(mode).text(talk, false, input).starts_with("brief<|im_start|>"));
  check_error([&] { answers_of(chatml, talk, Answers::all, input); },
              {"chat_template_kwargs", "mode"});
  for (const std::string own : {"messages", "add_generation_prompt"}) {
    const TemplateInput beside{{}, OrderedJson::parse("{\"" + own + "\": true}")};
    check_error([&] { answers_of(chatml, talk, Answers::all, beside); },
                {"chat_template_kwargs", own, "follows from the record"});
  }
}

BOOST_AUTO_TEST_SUITE_END()
