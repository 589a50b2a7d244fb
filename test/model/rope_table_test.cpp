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
