// Chat templates against stored results of the models' own Jinja templates
// (test/reference/chat_template.py).
#include "data/chat_template.h"

#include "engine/files/json.h"
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

BOOST_AUTO_TEST_CASE(known_templates_are_recognised_and_render_as_their_jinja_does) {
  for (auto& one : cases()["templates"]) {
    std::string name = one["name"];
    ChatTemplate chat = ChatTemplate::recognised(tokenizer_with(one["jinja"]));
    BOOST_TEST(chat.name() == name);
    for (size_t i = 0; i < cases()["conversations"].size(); ++i) {
      BOOST_TEST_CONTEXT(name << ", conversation " << i) {
        auto messages = messages_of(cases()["conversations"][i]);
        bool ask = messages.back().role == "user";
        BOOST_TEST(chat.render(messages, ask).text == one["rendered"][i].get<std::string>());
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
      std::string asked = chat.render({talk.begin(), talk.begin() + 4}, true).text;
      BOOST_TEST(out.text.substr(0, size_t(out.answers[1].begin)) == asked);
    }
  }
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
  BOOST_TEST(ChatTemplate::recognised(tokenizer).name() == "plain");
}

BOOST_AUTO_TEST_CASE(what_is_not_known_is_an_error_that_offers_names) {
  check_error(
      [] {
        ChatTemplate::recognised(
            tokenizer_with("{% for m in messages %}<turn>{{ m }}{% endfor %}"));
      },
      {"none of those known", "--template", "chatml"});
  // Qwen 3 thinks between its turns: ChatML, but not only.
  check_error(
      [] {
        ChatTemplate::recognised(
            tokenizer_with("{{ '<|im_start|>' + message.role }}<|im_end|><think>"));
      },
      {"--template"});
  check_error(
      [] {
        ChatTemplate::recognised(
            tokenizer_with("{{'<|im_start|>system\\nYou are Hal.<|im_end|>' + message}}"));
      },
      {"--template"});
  check_error([] { ChatTemplate::named("vicuna", tokenizer_with("")); },
              {"vicuna", "chatml", "zephyr"});
  check_error([] { ChatTemplate::named("chatml", tokenizer_with("", false)); },
              {"<|im_end|>", "no token of this tokenizer", "--template"});
  check_error(
      [] {
        ChatTemplate::named("plain", tokenizer_with("")).render({{"user", "Q"}, {"system", "S"}});
      },
      {"system", "place 2"});
}

BOOST_AUTO_TEST_SUITE_END()
