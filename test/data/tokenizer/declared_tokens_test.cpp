// Added tokens, roles and what stands around a text, wherever the files declare them, against
// stored ids of transformers (test/reference/tokenizer_files.py).
#include <filesystem>

#include "data/tokenizer/tokenizer.h"
#include "engine/files/atomic_file.h"
#include "engine/files/json.h"
#include "test/scratch.h"

using namespace afina;

namespace {

const std::string stored = AFINA_SOURCE_DIR "/test/stored/tokenizers/";

// The files of a stored case in a folder.
void write_case(const Json& one, const std::string& folder) {
  Json json = parse_json_file(stored + one.at("base").get<std::string>() + ".json");
  for (auto& [key, value] : one.at("change").items()) json[key] = value;
  for (auto& token : one.at("added")) json["added_tokens"].push_back(token);
  write_text_file(folder + "/tokenizer.json", to_text(json));
  for (auto& [name, value] : one.at("files").items())
    write_text_file(folder + "/" + name, to_text(value));
}

std::vector<int32_t> with_ends(const Tokenizer& tokenizer, const std::string& text) {
  std::vector<int32_t> all = tokenizer.before_text();
  for (int32_t id : tokenizer.encode(text)) all.push_back(id);
  for (int32_t id : tokenizer.after_text()) all.push_back(id);
  return all;
}

Json case_of(const std::string& name) {
  const Json all = parse_json_file(stored + "files.json");
  for (auto& one : all.at("cases"))
    if (one.at("name") == name) return one;
  fail("no stored case ", name);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(declared_tokens)

BOOST_AUTO_TEST_CASE(ids_are_those_of_transformers) {
  const Json all = parse_json_file(stored + "files.json");
  const std::vector<std::string> texts = all.at("texts");
  for (auto& one : all.at("cases")) {
    ScratchFolder folder;
    write_case(one, folder.path());
    const Tokenizer tokenizer = Tokenizer::from_file(folder.path());
    ScratchFolder again;
    tokenizer.save(again.path());
    for (const char* beside : {"special_tokens_map.json", "added_tokens.json"})
      if (std::filesystem::exists(folder / beside))
        std::filesystem::copy_file(folder / beside, again / beside);
    const Tokenizer saved = Tokenizer::from_file(again.path());
    BOOST_TEST(saved.eos() == tokenizer.eos());
    for (size_t i = 0; i < texts.size(); ++i)
      BOOST_TEST_CONTEXT(one.at("name").get<std::string>() << ": " << texts[i]) {
        const std::vector<int32_t> ids = one.at("ids")[i];
        BOOST_TEST(with_ends(tokenizer, texts[i]) == ids, boost::test_tools::per_element());
        BOOST_TEST(with_ends(saved, texts[i]) == ids, boost::test_tools::per_element());
      }
  }
}

BOOST_AUTO_TEST_CASE(contradictions_are_said) {
  auto notes = [](const std::string& name) {
    ScratchFolder folder;
    write_case(case_of(name), folder.path());
    std::string all;
    const Tokenizer tokenizer = Tokenizer::from_file(folder.path());
    for (const std::string& note : tokenizer.notes()) all += note + "\n";
    return all;
  };
  auto says = [&](const std::string& name, std::initializer_list<const char*> words) {
    for (const char* word : words)
      BOOST_TEST(notes(name).find(word) != std::string::npos, notes(name));
  };
  says("gap", {"\"<extra>\" is written with the id", "\"<slot>\"", "without gaps"});
  says("no first token for Llama", {"add_bos_token is false", "tokenizer.json counts"});
  says("a first token for Llama", {"add_bos_token is true", "puts no token"});
  says("GPT-2 space unsaid", {"add_prefix_space of GPT2Tokenizer is not set"});
  for (const char* name : {"in config", "list beside", "map", "other space", "several", "split"})
    BOOST_TEST(notes(name) == "");
}

BOOST_AUTO_TEST_CASE(roles_of_other_files_are_written_into_the_config) {
  ScratchFolder folder, saved;
  Json one = case_of("map");
  one["files"]["tokenizer_config.json"].erase("eos_token");
  write_case(one, folder.path());
  Tokenizer::from_file(folder.path()).save(saved.path());
  BOOST_TEST(parse_json_file(saved / "tokenizer_config.json").at("eos_token") == "<a>");
  // No file names the end of a text: the one that is taken is.
  std::filesystem::remove(folder / "special_tokens_map.json");
  Tokenizer::from_file(folder.path()).save(saved.path());
  BOOST_TEST(parse_json_file(saved / "tokenizer_config.json").at("eos_token") == "<|endoftext|>");
}

BOOST_AUTO_TEST_CASE(what_lies_is_refused) {
  auto refused = [](const char* name, const Json& value, std::initializer_list<std::string> words) {
    ScratchFolder folder;
    write_case(case_of("in config"), folder.path());
    write_text_file(folder / name, to_text(value));
    check_error([&] { Tokenizer::from_file(folder.path()); }, words);
  };
  const std::string config = "tokenizer_config.json", key = "added_tokens_decoder";
  refused("tokenizer_config.json", {{key, {{"x", {{"content", "<n>"}}}}}},
          {config, key, "x", "id"});
  refused("tokenizer_config.json", {{key, {{"500", {{"special", true}}}}}}, {config, "content"});
  refused("tokenizer_config.json", {{key, {{"500", {{"content", ""}}}}}}, {config, "empty"});
  refused("tokenizer_config.json", {{key, Json::array({1})}}, {config, "object"});
}

// A role whose token does not exist is no role, and is not left out in silence.
BOOST_AUTO_TEST_CASE(roles_that_name_no_token_are_said) {
  Json json = {{"model", {{"type", "BPE"}, {"vocab", {{"a", 0}}}, {"merges", Json::array()}}},
               {"added_tokens", {{{"id", 1}, {"content", "</s>"}, {"special", true}}}}};
  Json config = {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"pad_token", nullptr}};
  const Tokenizer tokenizer = Tokenizer::from_json(to_text(json), "test", to_text(config));
  BOOST_TEST((tokenizer.bos() == -1 && tokenizer.eos() == 1 && tokenizer.pad() == -1));
  BOOST_REQUIRE(tokenizer.notes().size() == 1u);
  for (const char* part : {"bos_token is \"<s>\"", "which the vocabulary lacks"})
    BOOST_TEST(tokenizer.notes()[0].find(part) != std::string::npos, tokenizer.notes()[0]);
}

BOOST_AUTO_TEST_SUITE_END()
