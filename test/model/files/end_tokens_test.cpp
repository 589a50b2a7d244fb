// The token that ends a turn among those that other programs stop at.
#include "model/files/end_tokens.h"

#include <filesystem>

#include "engine/files/atomic_file.h"
#include "engine/files/json.h"
#include "test/scratch.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(end_tokens)

BOOST_AUTO_TEST_CASE(added_where_it_is_missing) {
  ScratchFolder folder;
  const std::string config = folder.path() + "/config.json",
                    generation = folder.path() + "/generation_config.json";
  auto after = [&](const std::string& text, const std::string& path) {
    write_text_file(path, text);
    add_end_token(folder.path(), 257);
    return parse_json_file(path)["eos_token_id"].dump();
  };
  BOOST_TEST(after(R"({"eos_token_id": 258, "x": 1})", config) == "[258,257]");
  BOOST_TEST(!std::filesystem::exists(generation));
  BOOST_TEST(after(R"({"eos_token_id": [258, 3]})", generation) == "[258,3,257]");
  BOOST_TEST(afina::end_tokens(folder.path()) == (std::vector<int32_t>{258, 3, 257}));
  BOOST_TEST(after(R"({"eos_token_id": null})", config) == "[258,3,257]");
  for (std::string same : {R"({"eos_token_id":257})", R"({"eos_token_id":[1,257]})"}) {
    after(same, config);
    BOOST_TEST(read_text_file(config) == same);
  }
  check_error([&] { after(R"({"eos_token_id": "x"})", config); }, {"config.json", "eos_token_id"});
}

BOOST_AUTO_TEST_CASE(a_generation_config_that_names_none_gets_those_of_the_config) {
  ScratchFolder folder;
  const std::string config = folder / "config.json", generation = folder / "generation_config.json";
  const std::string none = R"({"use_cache":true})";
  auto ends = [](const std::string& path) {
    const Json json = parse_json_file(path);
    return json.contains("eos_token_id") ? json.at("eos_token_id").dump() : "";
  };
  write_text_file(config, R"({"eos_token_id": [258, 1]})");
  write_text_file(generation, none);
  BOOST_TEST(afina::end_tokens(folder.path()) == (std::vector<int32_t>{258, 1}));
  settle_end_tokens(folder.path(), 7);
  BOOST_TEST(ends(generation) == "[258,1]");
  write_text_file(generation, none);
  add_end_token(folder.path(), 257);
  BOOST_TEST(ends(generation) == "[258,1,257]");
  BOOST_TEST(ends(config) == "[258,1,257]");
  // No file names any.
  write_text_file(config, "{}");
  write_text_file(generation, none);
  settle_end_tokens(folder.path(), -1);
  BOOST_TEST(read_text_file(generation) == none);
  settle_end_tokens(folder.path(), 7);
  BOOST_TEST(ends(generation) + ends(config) == "77");
}

BOOST_AUTO_TEST_SUITE_END()
