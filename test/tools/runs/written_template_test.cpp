// The chat template of what is written: the one that was learned in, with the end of its turns
// among the tokens that other programs stop at.
#include <filesystem>
#include <map>

#include "data/chat_template.h"
#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

using namespace afina;

namespace {

// A base model in the pocket model's shape: no chat template, and answers do not end with its end
// of text.
struct Base {
  ScratchFolder folder;
  std::string model = folder / "model", out = folder / "out";
  Base() {
    std::filesystem::create_directory(model);
    for (const char* file : {"config.json", "tokenizer.json", "model.safetensors"})
      std::filesystem::copy_file(source + "/data/pocket/" + file, model + "/" + file);
    Json config = parse_json_file(source + "/data/pocket/tokenizer_config.json");
    config.erase("chat_template");
    config["eos_token"] = "<|endoftext|>";
    write_text_file(model + "/tokenizer_config.json", to_text(config));
    Json shape = parse_json_file(model + "/config.json");
    shape["eos_token_id"] = 0;
    write_text_file(model + "/config.json", to_text(shape));
  }
  Said train(const std::string& method, Words more) const {
    more.insert(more.end(), {"--model", model, "--steps", "1", "--method", method});
    return run(words("train", out, more));
  }
  std::string ends(const std::string& written) const {
    return parse_json_file(written + "/config.json")["eos_token_id"].dump();
  }
};

std::string asks(const std::string& model, const std::string& adapter = "") {
  return ChatTemplate::choose({"", adapter}, Tokenizer::from_file(model))
      .text({{"user", "Q"}}, true);
}
const std::string chatml = "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(written_template)

BOOST_AUTO_TEST_CASE(one_that_was_chosen_is_written_beside_the_model) {
  Base base;
  BOOST_TEST(asks(base.model) == "Q\n");
  Said said = base.train("full:lr=1e-3", {"--template", "chatml"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(asks(base.out + "/model") == chatml);
  BOOST_TEST(base.ends(base.out + "/model") == "[0,2]");
  BOOST_TEST(said.out.find("<|im_end|> (2), which is not among the model's end tokens") !=
             said.out.npos);
}

BOOST_AUTO_TEST_CASE(and_beside_an_adapter_and_the_model_merged_with_it) {
  Base base;
  Said said = base.train("lora:rank=2,lr=1e-3", {"--template", "chatml"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(asks(base.model, base.out + "/adapter") == chatml);
  write_text_file(base.model + "/generation_config.json", R"({"eos_token_id": 0})");
  const std::string merged = base.folder / "merged";
  said = run({"merge", "--model", base.model, "--adapter", base.out + "/adapter", "--out", merged,
              "--force"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(asks(merged) == chatml);
  BOOST_TEST(base.ends(merged) == "[0,2]");
  BOOST_TEST(parse_json_file(merged + "/generation_config.json")["eos_token_id"].dump() == "[0,2]");
}

BOOST_AUTO_TEST_CASE(the_models_own_templates_are_carried) {
  Base base;
  std::filesystem::create_directory(base.model + "/additional_chat_templates");
  write_text_file(base.model + "/additional_chat_templates/short.jinja", "{{ eos_token }}");
  write_text_file(base.model + "/chat_template.jinja",
                  ChatTemplate::named("chatml", Tokenizer::from_file(base.model)).source());
  Json config = parse_json_file(base.model + "/tokenizer_config.json");
  config["chat_template"] = "OLD";
  write_text_file(base.model + "/tokenizer_config.json", to_text(config));
  Said said = base.train("full:lr=1e-3", {});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(asks(base.out + "/model") == chatml);
  BOOST_TEST(Tokenizer::from_file(base.out + "/model").chat_templates().size() == 2u);
  BOOST_TEST(base.ends(base.out + "/model") == "[0,2]");
}

BOOST_AUTO_TEST_CASE(every_small_file_goes_with_the_model) {
  Base base;
  const std::string generation = R"({"eos_token_id": [0, 2], "temperature": 0.6})";
  Json config = parse_json_file(base.model + "/tokenizer_config.json");
  config.erase("eos_token");
  write_text_file(base.model + "/tokenizer_config.json", to_text(config));
  for (auto& [name, text] : std::map<std::string, std::string>{
           {"generation_config.json", generation},
           {"special_tokens_map.json", R"({"eos_token": "<|im_end|>"})"},
           {"chat_template.jinja",
            ChatTemplate::named("chatml", Tokenizer::from_file(base.model)).source()},
           {"merges.txt", "#version"},
           {"LICENSE", "free"}})
    write_text_file(base.model + "/" + name, text);
  std::filesystem::create_directory(base.model + "/additional_chat_templates");
  write_text_file(base.model + "/additional_chat_templates/short.jinja", "{{ eos_token }}");
  auto check = [&](const std::string& written) {
    for (const char* name :
         {"generation_config.json", "special_tokens_map.json", "chat_template.jinja", "merges.txt",
          "LICENSE", "additional_chat_templates/short.jinja", "tokenizer.json"})
      BOOST_TEST(read_text_file(written + "/" + name) == read_text_file(base.model + "/" + name));
    BOOST_TEST(parse_json_file(written + "/tokenizer_config.json").at("eos_token") == "<|im_end|>");
    BOOST_TEST(base.ends(written) == "[0,2]");
  };
  Said said = base.train("full:lr=1e-3", {});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  check(base.out + "/model");
  std::filesystem::remove_all(base.out);
  said = base.train("lora:rank=2,lr=1e-3", {});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  const std::string merged = base.folder / "merged";
  said = run({"merge", "--model", base.model, "--adapter", base.out + "/adapter", "--out", merged,
              "--force"});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  check(merged);
}

BOOST_AUTO_TEST_CASE(text_teaches_no_end_of_turn) {
  Base base;
  const std::string rows = base.folder / "rows.jsonl";
  std::string lines;
  for (int i = 0; i < 12; ++i)
    lines += "{\"text\": \"Finn has " + std::to_string(i) + " bells on the bike.\"}\n";
  write_text_file(rows, lines);
  write_text_file(base.model + "/chat_template.jinja", "{% unknown %}");
  Said said = base.train("full:lr=1e-3", {"--data", rows});
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  BOOST_TEST(base.ends(base.out + "/model") == "0");
  BOOST_TEST(read_text_file(base.out + "/model/chat_template.jinja") == "{% unknown %}");
}

BOOST_AUTO_TEST_SUITE_END()
