// Examples: every format, detection, field names, and errors that say where and what to do.
#include "data/examples.h"

#include <filesystem>

#include "test/scratch.h"

using namespace afina;

namespace {
Example only(const std::string& line, const ExampleOptions& options = {}) {
  return parse_examples(line, "d.jsonl", options).at(0);
}
}  // namespace

BOOST_AUTO_TEST_SUITE(examples)

BOOST_AUTO_TEST_CASE(formats_are_detected) {
  std::vector<Message> asked = {{"user", "Q"}, {"assistant", "A"}};
  BOOST_CHECK(only(R"({"prompt": "Q", "completion": "A"})").messages == asked);
  BOOST_CHECK(only(R"({"instruction": "Q", "input": "", "output": "A"})").messages == asked);
  BOOST_CHECK(only(R"({"instruction": "Q", "output": "A"})").messages == asked);
  BOOST_TEST(only(R"({"instruction": "Q", "input": "I", "output": "A"})").messages[0].content ==
             "Q\n\nI");
  BOOST_CHECK(only(R"({"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", )"
                   R"("content": "A"}]})")
                  .messages == asked);
  BOOST_CHECK(
      only(R"({"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": )"
           R"("A"}]})")
          .messages == asked);
  BOOST_TEST(only(R"({"text": "T"})").text == "T");
  BOOST_TEST(only(R"({"system": "S", "prompt": "Q", "completion": "A"})").messages[0].role ==
             "system");
}

BOOST_AUTO_TEST_CASE(fields_can_be_named) {
  ExampleOptions options;
  options.fields = parse_fields("prompt=question,completion=answer");
  BOOST_TEST(only(R"({"question": "Q", "answer": "A", "id": 7})", options).messages[1].content ==
             "A");
  check_error([&] { only(R"({"question": "Q", "reply": "A"})", options); },
              {"d.jsonl, line 1", "question, reply", "--fields"});
  options.format = "prompt-completion";
  check_error(
      [&] { only(R"({"question": "Q", "reply": "A"})", options); },
      {"d.jsonl, line 1", "\"completion\"", "\"answer\"", "expected a string", "question, reply"});
  options.fields = parse_fields("prompt=question,answer=completion");
  check_error([&] { only(R"({"question": "Q", "completion": "A"})", options); },
              {"--fields", "\"answer\"", "prompt, completion"});
  check_error([] { parse_fields("prompt"); }, {"--fields", "prompt=question"});
  check_error([] { parse_fields("a=b,a=c"); }, {"twice"});
}

BOOST_AUTO_TEST_CASE(json_arrays_and_lines_with_blank_lines_between) {
  std::string lines = "{\"text\": \"one\"}\n\n  \r\n{\"text\": \"two\"}\r\n";
  auto all = parse_examples(lines, "d.jsonl");
  BOOST_TEST(all.size() == 2u);
  BOOST_TEST(all[1].place == "d.jsonl, line 4");
  BOOST_TEST(parse_examples(R"([{"text": "one"}, {"text": "two"}])", "d.json")[1].place ==
             "d.json, record 2");
  ExampleOptions options;
  options.limit = 1;
  BOOST_TEST(parse_examples(lines, "d.jsonl", options).size() == 1u);
}

BOOST_AUTO_TEST_CASE(errors_name_file_line_field_and_what_was_found) {
  std::string good = R"({"prompt": "Q", "completion": "A"})";
  check_error([&] { parse_examples(good + "\n{\"prompt\": \"Q\", \"completion\": 3}", "d.jsonl"); },
              {"d.jsonl, line 2", "\"completion\"", "expected a string", "found 3"});
  check_error([&] { parse_examples(good + "\n" + R"({"prompt": "Q"})", "d.jsonl"); },
              {"line 2", "\"completion\"", "found nothing"});
  check_error([&] { parse_examples(good + "\n{\"prompt\": \"Q", "d.jsonl"); },
              {"d.jsonl, line 2, column", "JSON"});
  check_error([&] { parse_examples(good + "\n[1]", "d.jsonl"); }, {"line 2", "expected an object"});
  check_error([] { only(R"({"messages": [{"role": "robot", "content": "Q"}]})"); },
              {"messages[0].role", "user or assistant", "robot"});
  check_error([] { only(R"({"messages": [{"role": "user"}]})"); },
              {"messages[0].content", "nothing"});
  check_error([] { only(R"({"messages": "hello"})"); }, {"\"messages\"", "expected an array"});
  check_error([] { only(R"({"messages": [{"role": "user", "content": "Q"}]})"); },
              {"line 1", "no answer"});
  check_error([] { only(R"({"prompt": "Q", "completion": ""})"); }, {"no answer"});
  check_error([] { only(R"({"text": ""})"); }, {"empty"});
  check_error([] { only(R"({"a": 1, "b": 2})"); },
              {"a, b", "no known format", "prompt-completion: prompt, completion", "--fields"});
  check_error([] { parse_examples(" \n ", "d.jsonl"); }, {"d.jsonl", "empty"});
  check_error([] { parse_examples("[]", "d.json"); }, {"d.json", "no record"});
  check_error([] { only("{}", {"poem", {}, -1}); }, {"poem", "known are", "sharegpt"});
  check_error([] { read_examples("/nowhere/d.jsonl"); }, {"/nowhere/d.jsonl"});
}

BOOST_AUTO_TEST_CASE(text_files_are_cut_at_titles) {
  std::string wiki =
      " \n = One = \n \n Text of one . \n \n = = Part = = \n \n More . \n \n = Two = \n \n Text of "
      "two . \n";
  auto all = parse_examples(wiki, "w.txt");
  BOOST_TEST(all.size() == 2u);
  BOOST_TEST(all[1].text.starts_with(" = Two = "));
  BOOST_TEST(all[0].text.find("= = Part = =") != std::string::npos);
  BOOST_TEST(all[1].place == "w.txt, line 10");
  BOOST_TEST(parse_examples("a\n<|endoftext|>\nb\n", "t.txt").size() == 2u);
  BOOST_TEST(parse_examples("just text\n\nof two parts", "t.txt").size() == 1u);
}

BOOST_AUTO_TEST_CASE(marks_say_which_turns_are_trained) {
  auto turns = [](const std::string& user, const std::string& assistant) {
    return R"({"messages": [{"role": "user", "content": "Q")" + user +
           R"(}, {"role": "assistant", "content": "A")" + assistant + "}]}";
  };
  for (const char* no : {R"(, "weight": 0)", R"(, "weight": 0.0)", R"(, "train": false)",
                         R"(, "loss": false)", R"(, "training": false, "weight": 1)"})
    BOOST_TEST(!only(turns("", no)).messages[1].trained);
  for (const char* yes : {"", R"(, "weight": 1)", R"(, "train": true)", R"(, "loss": null)"}) {
    BOOST_TEST(only(turns("", yes)).messages[1].trained);
    BOOST_TEST(only(turns("", yes)).messages[1].more.is_null());
  }
  BOOST_TEST(!only(turns(R"(, "weight": 0)", "")).messages[0].trained);
  check_error([&] { only(turns("", R"(, "weight": 0.5)")); },
              {"d.jsonl, line 1", "messages[1].weight", "0 or 1", "0.5"});
  check_error([&] { only(turns("", R"(, "train": "no")")); }, {"messages[1].train", "no"});
  check_error([&] { only(turns(R"(, "train": true)", "")); },
              {"messages[0].train", "user", "only an assistant's turns"});
  check_error([&] { only(turns("", R"(, "train_detail": [])")); }, {"messages[1].train_detail"});
  BOOST_TEST(!only(R"({"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", )"
                   R"("value": "A", "train": false}]})")
                  .messages[1]
                  .trained);
}

BOOST_AUTO_TEST_CASE(tools_calls_and_other_keys_are_kept_in_the_files_order) {
  const std::string call =
      R"([{"type":"function","function":{"name":"f","arguments":{"z":1,"a":2}}}])";
  const std::string record =
      R"({"tools": [{"b": 1, "a": 2}], "chat_template_kwargs": {"thinks": false}, "id": 7, )"
      R"("messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": null, )"
      R"("tool_calls": )" +
      call + R"(}, {"role": "tool", "name": "f", "content": "9"}]})";
  for (auto& [text, file] :
       {std::pair<std::string, const char*>{record, "d.jsonl"}, {"[" + record + "]", "d.json"}}) {
    Example example = parse_examples(text, file)[0];
    BOOST_TEST(example.messages[1].more["tool_calls"].dump() == call);
    BOOST_TEST(example.messages[1].more["content"].is_null());
    BOOST_TEST(example.messages[2].role == "tool");
    BOOST_TEST(example.messages[2].more.dump() == R"({"name":"f"})");
    BOOST_TEST(example.input.tools.dump() == R"([{"b":1,"a":2}])");
    BOOST_TEST(example.input.variables.dump() == R"({"thinks":false})");
    BOOST_TEST(example.unread == std::vector<std::string>{"id"});
  }
  // Tables hold the list as the text of one.
  Example as_text = only(R"({"tools": "[{\"b\": 1}]", "prompt": "Q", "completion": "A"})");
  BOOST_TEST(as_text.input.tools.dump() == R"([{"b":1}])");
  check_error([] { only(R"({"tools": "x", "prompt": "Q", "completion": "A"})"); },
              {"\"tools\"", "an array of functions"});
  const std::string deep(100000, '[');  // is refused before anything recurses into it
  check_error([&] { only(R"({"tools": ")" + deep + R"(", "prompt": "Q", "completion": "A"})"); },
              {"\"tools\"", "no JSON"});
  check_error([] { only(R"({"functions": [{"name": "f"}], "prompt": "Q", "completion": "A"})"); },
              {"\"functions\"", "\"tools\""});
  check_error([] { only(R"({"tools": {"f": 1}, "prompt": "Q", "completion": "A"})"); },
              {"\"tools\"", "an array of functions"});
}

BOOST_AUTO_TEST_CASE(real_data) {
  const char* folder = std::getenv("AFINA_DATA");
  if (!folder || !std::filesystem::exists(std::string(folder) + "/gsm8k/train.jsonl")) {
    BOOST_TEST_MESSAGE("skipped: AFINA_DATA names no folder with gsm8k and wikitext2");
    return;
  }
  check_error([&] { read_examples(std::string(folder) + "/gsm8k/train.jsonl"); },
              {"answer, question", "--fields prompt=question"});
  ExampleOptions options;
  options.fields = parse_fields("prompt=question,completion=answer");
  BOOST_TEST(read_examples(std::string(folder) + "/gsm8k/train.jsonl", options).size() == 7473u);
  BOOST_TEST(read_examples(std::string(folder) + "/wikitext2/test.txt").size() > 50u);
}

BOOST_AUTO_TEST_SUITE_END()
