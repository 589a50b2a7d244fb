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
  BOOST_TEST(only(R"({"tools": "null", "prompt": "Q", "completion": "A"})").input.tools.is_null());
  // transformers refuses a list of texts, and would read a text letter by letter.
  check_error(
      [] { only(R"({"tools": [{"a": 1}, "{\"b\": 1}"], "prompt": "Q", "completion": "A"})"); },
      {"d.jsonl, line 1", "\"tools[1]\"", "an object that describes a function", "the string"});
  const std::string deep(100000, '[');  // is refused before anything recurses into it
  check_error([&] { only(R"({"tools": ")" + deep + R"(", "prompt": "Q", "completion": "A"})"); },
              {"\"tools\"", "no JSON"});
  check_error([] { only(R"({"functions": [{"name": "f"}], "prompt": "Q", "completion": "A"})"); },
              {"\"functions\"", "\"tools\""});
  check_error([] { only(R"({"tools": {"f": 1}, "prompt": "Q", "completion": "A"})"); },
              {"\"tools\"", "an array of functions"});
}

BOOST_AUTO_TEST_CASE(numbers_and_lists_in_texts_are_taken_as_they_are_written) {
  BOOST_TEST(only(R"({"prompt": "Q", "completion": 4})").messages[1].content == "4");
  for (const char* number : {"1.50", "-2e3", "0.1", "123456789012345678901234567890"}) {
    const std::string text = number;
    BOOST_TEST(only(R"({"prompt": "Q", "completion": )" + text + "}").messages[1].content == text);
    BOOST_TEST(only(R"({"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", )"
                    R"("content": )" +
                    text + "}]}")
                   .messages[1]
                   .content == text);
    BOOST_TEST(parse_examples(R"([{"prompt": "Q", "completion": "A"}, {"prompt": )" + text +
                                  R"(, "completion": "A"}])",
                              "d.json")[1]
                   .messages[0]
                   .content == text);
  }
  const Example nested =
      only(R"({"messages": "[{\"role\": \"user\", \"content\": 1.50}, {\"role\": \"assistant\", )"
           R"(\"content\": \"A\", \"z\": 1, \"a\": 2}]"})");
  BOOST_TEST(nested.messages[0].content == "1.50");
  BOOST_TEST(nested.messages[1].more.dump() == R"({"z":1,"a":2})");
  check_error([] { only(R"({"messages": "[{'role': 'user', 'content': 'Q'}]"})"); },
              {"\"messages\"", "as Python prints it", "json.dumps"});
  check_error([] { only(R"({"prompt": "Q", "completion": true})"); },
              {"\"completion\"", "found true", "write it as a string"});
}

BOOST_AUTO_TEST_CASE(turns_under_the_names_of_either_form) {
  const std::vector<Message> asked = {{"user", "Q"}, {"assistant", "A"}};
  const std::string
      openai = R"([{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}])",
      sharegpt = R"([{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}])";
  for (const char* field : {"messages", "conversations"})
    for (const std::string& turns : {openai, sharegpt})
      BOOST_CHECK(only("{\"" + std::string(field) + "\": " + turns + "}").messages == asked);
  check_error([] { only(R"({"conversations": [{"user": "Q", "assistant": "A"}]})"); },
              {"\"conversations[0].from\"", "its keys are: assistant, user"});
  ExampleOptions named;
  named.fields = parse_fields("from=role,value=text");
  check_error([&] { only("{\"conversations\": " + openai + "}", named); },
              {"conversations[0].text", "content, role"});
}

BOOST_AUTO_TEST_CASE(what_is_said_twice_must_be_said_alike) {
  auto turns = [](const std::string& first) {
    return R"({"conversations": [)" + first + R"(, {"from": "gpt", "value": "A"}]})";
  };
  auto both = [&](const char* from, const char* value) {
    return turns(R"({"role": "user", "content": "Q", "from": ")" + std::string(from) +
                 R"(", "value": ")" + value + "\"}");
  };
  BOOST_TEST(only(both("human", "Q")).messages[0].content == "Q");
  check_error([&] { only(both("human", "other")); },
              {"conversations[0].content", "what value says", "other", "\"Q\""});
  check_error([&] { only(both("gpt", "Q")); }, {"conversations[0].role", "what from says"});
  auto system = [&](const char* field, const char* turn) {
    return R"({"system": ")" + std::string(field) +
           R"(", "messages": [{"role": "system", "content": ")" + turn +
           R"("}, {"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]})";
  };
  BOOST_TEST(only(system("S", "S")).messages.size() == 3u);
  check_error([&] { only(system("S", "T")); },
              {"d.jsonl, line 1", "\"system\"", "one system text", "two that differ"});
}

BOOST_AUTO_TEST_CASE(parts_of_type_text_are_joined) {
  const Example parts =
      only(R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "When "}, )"
           R"({"type": "text", "text": "now?", "image": null, "cache_control": 1}]}, )"
           R"({"role": "assistant", "content": [{"type": "text", "text": "A"}]}]})");
  BOOST_CHECK(parts.messages == (std::vector<Message>{{"user", "When now?"}, {"assistant", "A"}}));
  BOOST_TEST(parts.unread == std::vector<std::string>{"content[].cache_control"});
  check_error(
      [] {
        only(R"({"messages": [{"role": "user", "content": [{"type": "image_url", "url": 1}]}]})");
      },
      {"messages[0].content[0].type", "\"text\"", "image_url"});
  check_error([] { only(R"({"messages": [{"role": "user", "content": ["a"]}]})"); },
              {"messages[0].content[0]", "a part"});
}

BOOST_AUTO_TEST_CASE(alpaca_parts_without_text_and_turns_before) {
  auto question = [](const std::string& fields) {
    return only("{" + fields + R"(, "output": "A"})").messages[0].content;
  };
  BOOST_TEST(question(R"("instruction": "", "input": "When?")") == "When?");
  BOOST_TEST(question(R"("instruction": null, "input": "When?")") == "When?");
  BOOST_TEST(question(R"("instruction": "Answer.", "input": "\n")") == "Answer.");
  BOOST_TEST(question(R"("instruction": "Answer.\n", "input": " x")") == "Answer.\n\n\n x");
  for (const char* record :
       {R"({"instruction": "Q2", "input": "", "output": "A2", "history": [["Q1", "A1"]]})",
        R"({"prompt": "Q2", "completion": "A2", "history": "[[\"Q1\", \"A1\"]]"})"})
    BOOST_CHECK(only(record).messages ==
                (std::vector<Message>{
                    {"user", "Q1"}, {"assistant", "A1"}, {"user", "Q2"}, {"assistant", "A2"}}));
  BOOST_TEST(only(R"({"prompt": "Q", "completion": "A", "history": []})").messages.size() == 2u);
  check_error([] { only(R"({"prompt": "Q", "completion": "A", "history": ["Q"]})"); },
              {"history[0]", "a pair"});
  // JSON has null for what is not there; in a table an empty field is nothing.
  const std::string table = "system,prompt,completion\n,Q,A\nS,Q,A\n";
  BOOST_TEST(only(R"({"system": "", "prompt": "Q", "completion": "A"})").messages.size() == 3u);
  BOOST_TEST(parse_examples(table, "d.csv")[0].messages.size() == 2u);
  BOOST_TEST(parse_examples(table, "d.csv")[1].messages.size() == 3u);
}

BOOST_AUTO_TEST_CASE(prompt_and_completion_as_lists_of_turns) {
  const Example example = only(
      R"({"prompt": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "no"}, )"
      R"({"role": "user", "content": "Q2"}], )"
      R"("completion": [{"role": "assistant", "content": "A"}]})");
  BOOST_TEST(example.messages.size() == 4u);
  BOOST_TEST(!example.messages[1].trained);
  BOOST_TEST(example.messages[3].trained);
}

BOOST_AUTO_TEST_CASE(empty_answers_among_others_are_a_problem) {
  const std::string start =
      R"({"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}, )"
      R"({"role": "user", "content": "Q"}, {"role": "assistant", "content": " ")";
  check_error([&] { only(start + "}]}"); }, {"turn 4 (assistant) has an empty answer"});
  BOOST_TEST(only(start + R"(, "train": false}]})").messages.size() == 4u);
  check_error([&] { only(R"({"messages": [{"role": "assistant", "content": null}]})"); },
              {"messages[0].content", "found null"});
}

BOOST_AUTO_TEST_CASE(fields_of_one_file_and_names_that_are_nearly_right) {
  const std::string all = "prompt=q,completion=a;b.csv:prompt=text;dir/c.csv:system=s";
  BOOST_TEST(fields_for(all, "x/a.csv")["prompt"] == "q");
  BOOST_TEST(fields_for(all, "x/b.csv")["prompt"] == "text");
  BOOST_TEST(fields_for(all, "x/b.csv")["completion"] == "a");
  BOOST_TEST(fields_for(all, "dir/c.csv")["system"] == "s");
  BOOST_TEST(fields_for(all, "c.csv").count("system") == 0u);
  BOOST_TEST(fields_for(all, "b.csv", true).size() == 1u);
  check_field_files(all, {"x/b.csv", "dir/c.csv"});
  check_error([&] { check_field_files("bb.csv:prompt=q", {"x/b.csv"}); },
              {"--fields", "\"bb.csv\"", "did you mean 'b.csv'"});
  check_error([] { fields_for("prompt=a;prompt=b", "x"); }, {"given twice"});
  ExampleOptions options;
  options.fields = parse_fields("prompt=qestion,completion=answer");
  options.format = "prompt-completion";
  check_error([&] { only(R"({"question": "Q", "answer": "A"})", options); },
              {"called \"qestion\"", "did you mean 'question'"});
  options.fields = parse_fields("promt=question");
  check_error([&] { only(R"({"prompt": "Q", "completion": "A"})", options); },
              {"no field \"promt\"", "did you mean 'prompt'"});
  check_error([] { only(R"({"prompt": "Q", "chosen": "A", "rejected": "B"})"); },
              {"preferences", "completion=chosen"});
  check_error([] { only(R"({"query": "Q", "response": "A"})"); },
              {"--fields prompt=query,completion=response"});
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
