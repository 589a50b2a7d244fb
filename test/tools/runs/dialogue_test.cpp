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

BOOST_AUTO_TEST_SUITE_END()
