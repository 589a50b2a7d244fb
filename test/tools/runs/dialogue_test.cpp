// Greedy answers and where they end, against stored ids of transformers
// (test/reference/generation.py), of a model that was read and written.
#include "tools/runs/dialogue.h"

#include "model/files/carry.h"
#include "model/files/save.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"
#include "tools/runs/load.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(dialogue)

BOOST_AUTO_TEST_CASE(the_same_tokens_and_the_same_end_as_elsewhere) {
  const std::string pocket = source + "/data/pocket";
  ScratchFolder written;
  {
    ModelFiles files = open_model(pocket);
    save_model(written.path(), *load_model(files, "", Dtype::f32), Dtype::f32);
    carry_small_files(pocket, written.path());
    tokenizer_of(files).save(written.path());
  }
  const Json stored = parse_json_file(source + "/test/stored/generation.json");
  ModelFiles files = open_model(written.path());
  const Tokenizer tokenizer = tokenizer_of(files);
  const ChatTemplate chat = ChatTemplate::own(tokenizer);
  auto model = load_model(files, "", Dtype::f32);
  GenerateOptions options;
  options.most = stored.at("most");
  options.stop = stop_tokens(files, tokenizer);
  BOOST_TEST(options.stop == (std::vector<int32_t>{2, 0}));
  for (auto& one : stored.at("cases")) BOOST_TEST_CONTEXT(one.at("prompt").get<std::string>()) {
      const std::string prompt = one.at("prompt");
      const std::vector<int32_t> ids = one.at("kind") == "raw"
                                           ? prompt_tokens(tokenizer, prompt)
                                           : tokenizer.encode(chat.text({{"user", prompt}}, true));
      BOOST_TEST(ids == one.at("ids").get<std::vector<int32_t>>());
      const Generated made = generate(*model, ids, within(tokenizer, options));
      BOOST_TEST(made.tokens == one.at("new").get<std::vector<int32_t>>(),
                 boost::test_tools::per_element());
      BOOST_TEST(made.stopped_at == one.at("stopped_at").get<int32_t>());
    }
}

BOOST_AUTO_TEST_CASE(generate_ends_where_the_files_say_and_says_where_it_does_not) {
  ScratchFolder folder;
  const std::string model = folder / "model";
  std::filesystem::copy(source + "/data/pocket", model);
  const Words raw = {"generate", "--model",          model,          "--raw",
                     "--prompt", "Once upon a time", "--max-tokens", "190"};
  const Words chat = {"generate", "--model", model, "--prompt", "Where is my parcel?"};
  BOOST_TEST(run(raw).err.find(", 157 new ones") != std::string::npos);
  BOOST_TEST(run(chat).err.find("do not name") == std::string::npos);
  // What it says and is not applied is named.
  Json generation = parse_json_file(model + "/generation_config.json");
  generation["repetition_penalty"] = 1.5;
  generation["no_repeat_ngram_size"] = 0;
  write_text_file(model + "/generation_config.json", to_text(generation));
  const std::string noted = run(raw).err;
  BOOST_TEST(noted.find("repetition_penalty 1.5 is not applied") != std::string::npos, noted);
  BOOST_TEST(noted.find("ngram") == std::string::npos, noted);
  // Without generation_config.json, and with an end that is never said.
  std::filesystem::remove(model + "/generation_config.json");
  Json config = parse_json_file(model + "/config.json");
  config["eos_token_id"] = 7;
  write_text_file(model + "/config.json", to_text(config));
  BOOST_TEST(run(raw).err.find(", 190 new ones") != std::string::npos);
  const Said said = run(chat);
  BOOST_TEST(said.err.find(", 11 new ones") != std::string::npos);
  BOOST_TEST(said.err.find("answers end with <|im_end|>, which the model's files do not name") !=
             std::string::npos);
}

// Turns, interruptions and errors; what is kept of earlier turns changes no token.
BOOST_AUTO_TEST_CASE(a_conversation_keeps_what_was_said_and_no_more) {
  ModelFiles files = open_model(source + "/data/pocket");
  const Tokenizer tokenizer = tokenizer_of(files);
  const ChatTemplate chat = ChatTemplate::own(tokenizer);
  auto model = load_model(files, "", Dtype::f32);
  GenerateOptions options;
  options.most = 6;
  options.stop = stop_tokens(files, tokenizer);
  auto all = [](const std::string&) { return true; };

  KeptCache kept;
  std::vector<int32_t> ids = tokenizer.encode(chat.text({{"user", "Hello"}}, true));
  for (const std::string more : {"", "And now?", "Something else.", "And now? Yes"}) {
    std::vector<int32_t> prompt = ids;
    for (int32_t id : tokenizer.encode(more, false)) prompt.push_back(id);
    const Generated fresh = generate(*model, prompt, within(tokenizer, options));
    const Generated again = generate(*model, prompt, within(tokenizer, options), &kept);
    BOOST_TEST(fresh.tokens == again.tokens, boost::test_tools::per_element());
    BOOST_TEST(int64_t(kept.tokens.size()) == kept.cache.length);
    BOOST_TEST(std::equal(prompt.begin(), prompt.end(), kept.tokens.begin()));
  }
  // Asked the same again: only the last token is computed.
  const Generated same = generate(*model, ids, within(tokenizer, options), &kept);
  BOOST_TEST(same.tokens == generate(*model, ids, within(tokenizer, options)).tokens);

  Dialogue dialogue(*model, tokenizer, chat, options, "");
  const std::string first = dialogue.say("Hello", all).text;
  BOOST_TEST(dialogue.messages().size() == 2u);
  const std::string foreseen = dialogue.would_say(*model, chat, options, "And now?", all).text;
  BOOST_TEST(dialogue.messages().size() == 2u);
  BOOST_TEST(dialogue.say("And now?", all).text == foreseen);
  BOOST_TEST(dialogue.undo());
  BOOST_TEST(dialogue.messages().size() == 2u);
  // An answer that is ended stays as far as it came.
  const GivenAnswer ended = dialogue.say("And now?", [](const std::string&) { return false; });
  BOOST_TEST(ended.generated.end == Generated::caller);
  BOOST_TEST(dialogue.messages().back().content == ended.text);
  // A question that fails leaves nothing.
  BOOST_CHECK_THROW(dialogue.say(std::string(30000, 'x'), all), Error);
  BOOST_TEST(dialogue.messages().size() == 4u);
  dialogue.system("Be brief.");
  BOOST_TEST(dialogue.messages().size() == 5u);
  dialogue.reset();
  BOOST_TEST(dialogue.messages().size() == 1u);
  BOOST_TEST(!dialogue.undo());
  dialogue.system("");
  BOOST_TEST(dialogue.say("Hello", all).text == first);

  // What no longer fits is not read, but stays in the record of the conversation.
  dialogue.reset();
  int64_t left_out = 0;
  for (int i = 0; i < 6; ++i) left_out += dialogue.say(std::string(60, 'a'), all).left_out;
  BOOST_TEST(left_out > 0);
  BOOST_TEST(dialogue.messages().size() == 12u);
}

BOOST_AUTO_TEST_SUITE_END()
