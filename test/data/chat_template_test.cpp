// Chat templates against stored results of the models' own Jinja templates
// (test/reference/chat_template.py).
#include "data/chat_template.h"

#include <filesystem>

#include "engine/files/atomic_file.h"
#include "engine/files/json.h"
#include "test/data/chats.h"
#include "test/scratch.h"

using namespace afina;

namespace {

const Json& cases() {
  static const Json all = parse_json_file(AFINA_SOURCE_DIR "/test/stored/chat_templates.json");
  return all;
}

// A tokenizer that has the marks of all the templates as tokens.
Tokenizer tokenizer_with(const std::string& jinja, bool marks = true) {
  Json json = {{"model", {{"type", "BPE"}, {"vocab", {{"a", 0}}}, {"merges", Json::array()}}},
               {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
               {"added_tokens", Json::array()}};
  std::vector<std::string> tokens = {"<s>", "</s>"};
  if (marks) tokens.insert(tokens.end(), {"<|im_start|>", "<|im_end|>", "<|eot_id|>"});
  for (auto& token : tokens)
    json["added_tokens"].push_back(
        {{"id", json["added_tokens"].size() + 1}, {"content", token}, {"special", true}});
  Json config = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
  if (!jinja.empty()) config["chat_template"] = jinja;
  return Tokenizer::from_json(to_text(json), "test", to_text(config));
}

std::vector<Message> messages_of(const Json& json) {
  std::vector<Message> messages;
  for (auto& one : json) messages.push_back({one["role"], one["content"]});
  return messages;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(chat_template)

BOOST_AUTO_TEST_CASE(a_models_template_and_the_built_in_one_of_its_name_render_the_same) {
  for (auto& one : cases()["templates"]) {
    std::string name = one["name"];
    ChatTemplate chat = ChatTemplate::own(tokenizer_with(one["jinja"]));
    ChatTemplate builtin = ChatTemplate::named(name, tokenizer_with(""));
    BOOST_TEST(!chat.chosen());
    BOOST_TEST(chat.source() == one["jinja"].get<std::string>());
    BOOST_TEST(chat.end_of_turn() == builtin.end_of_turn());
    for (size_t i = 0; i < cases()["conversations"].size(); ++i) {
      BOOST_TEST_CONTEXT(name << ", conversation " << i) {
        auto messages = messages_of(cases()["conversations"][i]);
        bool ask = messages.back().role == "user";
        BOOST_TEST(chat.text(messages, ask) == one["rendered"][i].get<std::string>());
        BOOST_TEST(builtin.text(messages, ask) == one["rendered"][i].get<std::string>());
        if (ask) continue;
        BOOST_CHECK(chat.render(messages).answers == builtin.render(messages).answers);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(answers_are_marked_with_the_token_that_ends_them) {
  std::vector<Message> talk = {{"system", "S"},
                               {"user", "One?"},
                               {"assistant", "Yes."},
                               {"user", "Two?"},
                               {"assistant", "No."}};
  for (auto& name : ChatTemplate::names()) {
    ChatTemplate chat = ChatTemplate::named(name, tokenizer_with(""));
    Rendered out = chat.render(talk);
    BOOST_REQUIRE(out.answers.size() == 2u);
    auto text = [&](Range range) {
      return out.text.substr(size_t(range.begin), size_t(range.end - range.begin));
    };
    BOOST_TEST_CONTEXT(name << ": " << out.text) {
      std::string stop = tokenizer_with("").token_text(chat.end_of_turn());
      std::string space = name == "llama-2" ? " " : "";
      BOOST_TEST(text(out.answers[0]) == space + "Yes." + space + stop);
      BOOST_TEST(text(out.answers[1]) == space + "No." + space + stop);
      // What generation is asked with is the beginning of what training reads, up to the very
      // answer.
      std::string asked = chat.text({talk.begin(), talk.begin() + 4}, true);
      BOOST_TEST(out.text.substr(0, size_t(out.answers[1].begin)) == asked);
    }
  }
}

// The token that ends an answer is found by rendering a short conversation.
BOOST_AUTO_TEST_CASE(templates_that_want_tools_or_a_system_turn_are_looked_at_with_them) {
  const std::string turns =
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}"
      "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
  TemplateInput tools;
  tools.tools = OrderedJson::parse(R"([{"type": "function", "function": {"name": "f"}}])");
  const std::vector<Message> plain = {{"user", "Q"}, {"assistant", "A"}};
  BOOST_TEST(answers_of("{% for t in tools %}{{ t.function.name }}{% endfor %}" + turns, plain,
                        Answers::all, tools) == "A<|im_end|>");
  BOOST_TEST(
      answers_of("{% if messages[0].role != 'system' %}{{ raise_exception('no system turn') }}"
                 "{% endif %}" +
                     turns,
                 {{"system", "S"}, {"user", "Q"}, {"assistant", "A"}}) == "A<|im_end|>");
  TemplateInput foo;
  foo.variables = OrderedJson::parse(R"({"foo": {"bar": "x"}})");
  check_error([&] { answers_of("{{ foo.bar }}" + turns, plain, Answers::all, foo); },
              {"'foo' is undefined", "{% generation %}", "--template"});
}

BOOST_AUTO_TEST_CASE(alpaca_and_plain) {
  Tokenizer tokenizer = tokenizer_with("");
  std::vector<Message> talk = {{"user", "Q"}, {"assistant", "A"}};
  BOOST_TEST(ChatTemplate::named("plain", tokenizer).render(talk).text == "Q\nA</s>");
  BOOST_TEST(
      ChatTemplate::named("plain", tokenizer).render({{"user", "Q: "}, {"assistant", "A"}}).text ==
      "Q: A</s>");
  BOOST_TEST(ChatTemplate::named("alpaca", tokenizer).render(talk).text ==
             "Below is an instruction that describes a task. Write a response that appropriately "
             "completes the request.\n\n"
             "### Instruction:\nQ\n\n### Response:\nA</s>\n\n");
  BOOST_TEST(ChatTemplate::own(tokenizer).name() == "plain");
}

BOOST_AUTO_TEST_CASE(what_is_not_known_is_an_error_that_offers_names) {
  check_error([] { ChatTemplate::named("vicuna", tokenizer_with("")); },
              {"vicuna", "chatml", "zephyr"});
  check_error([] { ChatTemplate::choose({"vicuna.jinja"}, tokenizer_with("")); },
              {"--template", "vicuna.jinja", "no file", "chatml"});
  check_error([] { ChatTemplate::named("chatml", tokenizer_with("", false)); },
              {"<|im_end|>", "no token of this tokenizer", "--template"});
  check_error(
      [] {
        ChatTemplate::named("plain", tokenizer_with("")).text({{"user", "Q"}, {"system", "S"}});
      },
      {"system", "place 2"});
  check_error(
      [] {
        ChatTemplate::choose({"plain", "", "yesterday"}, tokenizer_with(""));
      },
      {"--date", "yesterday"});
  // What Jinja does not know is an error where the template is used: text needs no template.
  ChatTemplate broken = ChatTemplate::own(tokenizer_with("a\n{% unknown %}"));
  BOOST_TEST(broken.end_of_turn() == -1);
  check_error([&] { broken.text({{"user", "Q"}}); }, {"the model's chat template", "2", "unknown"});
}

BOOST_AUTO_TEST_CASE(templates_by_name_in_a_file_and_beside_an_adapter) {
  const std::string chatml = ChatTemplate::named("chatml", tokenizer_with("")).source();
  ScratchFolder model, adapter, saved;
  tokenizer_with("{{ 'OLD' }}").save(model.path());
  write_text_file(model.path() + "/chat_template.jinja", chatml);
  std::filesystem::create_directory(model.path() + "/additional_chat_templates");
  write_text_file(model.path() + "/additional_chat_templates/tool_use.jinja",
                  "{{ tools | tojson }}");
  const std::vector<Message> asked = {{"user", "Q"}};
  Tokenizer tokenizer = Tokenizer::from_file(model.path());
  BOOST_TEST(ChatTemplate::own(tokenizer).text(asked) == "<|im_start|>user\nQ<|im_end|>\n");
  BOOST_TEST(ChatTemplate::choose({"tool_use"}, tokenizer).text(asked) == "null");
  // As transformers: a template called tool_use counts where the conversation lists tools.
  TemplateInput tools{OrderedJson::parse(R"([{"b": 1, "a": 2}])"), {}};
  BOOST_TEST(ChatTemplate::own(tokenizer).text(asked, false, tools) == R"([{"b": 1, "a": 2}])");

  // All of them are carried to what is written.
  tokenizer.save(saved.path());
  Tokenizer again = Tokenizer::from_file(saved.path());
  BOOST_CHECK(again.chat_templates() == tokenizer.chat_templates());
  // One that was chosen counts from there on.
  const std::string file = adapter.path() + "/chat_template.jinja";
  write_text_file(file, "{{ messages[0].content }}!");
  ChatTemplate chosen = ChatTemplate::choose({file}, tokenizer);
  BOOST_TEST(chosen.chosen());
  BOOST_TEST(chosen.text(asked) == "Q!");
  tokenizer.save(saved.path(), chosen.source());
  BOOST_TEST(ChatTemplate::own(Tokenizer::from_file(saved.path())).text(asked) == "Q!");

  BOOST_TEST(ChatTemplate::choose({"", adapter.path()}, tokenizer).text(asked) == "Q!");
  BOOST_TEST(ChatTemplate::choose({"", adapter.path()}, tokenizer_with("")).chosen());
  BOOST_TEST(ChatTemplate::choose({"chatml", adapter.path()}, tokenizer).text(asked).size() > 9u);

  // Several without one called default: to be chosen by name.
  std::filesystem::remove(model.path() + "/chat_template.jinja");
  Tokenizer several = Tokenizer::from_file(model.path());
  check_error([&] { ChatTemplate::own(several).text(asked); }, {"tool_use", "--template"});
}

BOOST_AUTO_TEST_CASE(tokens_are_those_that_the_files_name) {
  Json config = {{"bos_token", nullptr},
                 {"eos_token", {{"content", "</s>"}, {"lstrip", false}}},
                 {"chat_template", "{{ bos_token }}|{{ eos_token }}|{{ pad_token }}"}};
  Json json = {{"model", {{"type", "BPE"}, {"vocab", {{"a", 0}}}, {"merges", Json::array()}}},
               {"added_tokens", Json::array()}};
  for (const char* token : {"<s>", "</s>"})
    json["added_tokens"].push_back(
        {{"id", json["added_tokens"].size() + 1}, {"content", token}, {"special", true}});
  Tokenizer tokenizer = Tokenizer::from_json(to_text(json), "test", to_text(config));
  BOOST_TEST(ChatTemplate::own(tokenizer).text({{"user", "Q"}}) == "|</s>|");
}

BOOST_AUTO_TEST_CASE(a_built_in_template_writes_the_token_that_the_tokenizer_adds) {
  auto adding = [](bool adds) {
    Json json = parse_json(tokenizer_with("").json_text(), "test");
    Json config = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
    if (adds)
      json["post_processor"] = {
          {"type", "TemplateProcessing"},
          {"single", {{{"SpecialToken", {{"id", "<s>"}}}}, {{"Sequence", {{"id", "A"}}}}}}};
    return Tokenizer::from_json(to_text(json), "test", to_text(config));
  };
  const std::vector<Message> asked = {{"user", "Q"}};
  BOOST_TEST(ChatTemplate::named("plain", adding(false)).text(asked) == "Q");
  ChatTemplate plain = ChatTemplate::named("plain", adding(true));
  BOOST_TEST(plain.text(asked) == "<s>Q");
  BOOST_TEST(plain.source().starts_with("{{- bos_token -}}"));
  BOOST_TEST(ChatTemplate::named("llama-3", adding(true)).text(asked).starts_with("<s><|start"));
}

BOOST_AUTO_TEST_CASE(the_date_is_fixed_and_said) {
  const std::string jinja = "{{ strftime_now('%d %b %Y') }}{{ messages[0].content }}</s>";
  ChatTemplate chat = ChatTemplate::own(tokenizer_with(jinja));
  BOOST_TEST(chat.date_note() == "");  // nothing was rendered yet
  BOOST_TEST(chat.text({{"user", "Q"}}) == "26 Jul 2024Q</s>");
  BOOST_TEST(chat.date_note().find("2024-07-26") != std::string::npos);
  BOOST_TEST(chat.date_note().find("--date") != std::string::npos);
  ChatTemplate later = ChatTemplate::choose({"", "", "2026-03-03"}, tokenizer_with(jinja));
  BOOST_TEST(later.text({{"user", "Q"}}) == "03 Mar 2026Q</s>");
}

BOOST_AUTO_TEST_SUITE_END()
