// What config.json says of rotary embeddings and windows, in the forms that people have: the losses
// of transformers.
#include "engine/files/json.h"
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina {

BOOST_AUTO_TEST_SUITE(rope_table)

BOOST_AUTO_TEST_CASE(configs_mean_what_transformers_reads) {
  Json all = parse_json_file(AFINA_SOURCE_DIR "/test/stored/config_variants.json");
  std::vector<int32_t> ids = get<std::vector<int32_t>>(all, "ids", "variants"),
                       targets(ids.begin() + 1, ids.end());
  targets.push_back(-1);
  for (const Json& variant : all["cases"]) {
    const std::string base = variant["base"].get<std::string>();
    Json config = parse_json_file(tiny_path(base) + "/config.json");
    for (auto& [key, value] : variant["set"].items()) config[key] = value;
    for (const Json& key : variant["remove"]) config.erase(key.get<std::string>());
    ModelFiles files = open_model(tiny_path(base));
    ModelConfig changed = parse_config(config, "config.json");
    auto model = build_model(changed, *files.source, make_method(parse_method("full")), {});
    double loss = model->loss(plain_inputs(1, ids, targets), scale_of(targets)).total.item(),
           expected = variant["loss"].get<double>();
    BOOST_TEST(std::fabs(loss / expected - 1.) < 2e-6,
               base << " " << variant["set"].dump() << ": " << loss << " for " << expected);
  }
}

// transformers cannot build these models either.
BOOST_AUTO_TEST_CASE(what_is_missing_is_not_guessed) {
  auto refused = [](const Json& changes, std::initializer_list<std::string> words) {
    Json config = parse_json_file(tiny_path("llama") + "/config.json");
    for (auto& [key, value] : changes.items())
      if (value == "gone") config.erase(key);
      else config[key] = value;
    check_error([&] { parse_config(config, "config.json"); }, words);
  };
  refused({{"rope_scaling", {{"rope_type", "yarn"}, {"original_max_position_embeddings", 16}}}},
          {"config.json: rope_scaling", "'factor' is missing", "transformers"});
  refused({{"rope_theta", nullptr}, {"rope_scaling", "gone"}},
          {"config.json: 'rope_theta' is null", "remove the key"});
  refused({{"rope_scaling", {{"rope_type", "linear"}, {"factor", 2.}, {"rope_theta", nullptr}}}},
          {"config.json: rope_scaling: 'rope_theta' is null"});
  refused({{"max_position_embeddings", "gone"}},
          {"config.json: 'max_position_embeddings' is missing", "the longest sequence"});
  // What stands inside counts; nobody reads the null outside.
  Json config = parse_json_file(tiny_path("llama") + "/config.json");
  config["rope_theta"] = nullptr;
  config["rope_scaling"] = {{"rope_type", "linear"}, {"factor", 2.}, {"rope_theta", 100.}};
  parse_config(config, "config.json");
}

BOOST_AUTO_TEST_CASE(dropouts_of_the_config_are_said) {
  Json config = parse_json_file(tiny_path("gpt2") + "/config.json");
  BOOST_TEST(parse_config(config, "config.json").notes.empty());
  config["resid_pdrop"] = 0.1;
  ModelConfig with = parse_config(config, "config.json");
  BOOST_REQUIRE(with.notes.size() == 1u);
  BOOST_TEST(with.notes[0].find("resid_pdrop 0.1") != std::string::npos);
  config = parse_json_file(tiny_path("llama") + "/config.json");
  config["attention_dropout"] = 0.25;
  BOOST_TEST(parse_config(config, "config.json").notes.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina
