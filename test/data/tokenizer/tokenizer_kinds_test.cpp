// Normalizers, pre-tokenizers, models and decoders of every kind against stored answers of the
// tokenizers library (test/reference/tokenizer_kinds.py).
#include <cstdlib>

#include "data/tokenizer/tokenizer.h"
#include "engine/files/json.h"
#include "test/scratch.h"

using namespace afina;

namespace {

const std::string stored = AFINA_SOURCE_DIR "/test/stored/tokenizers/kinds.json";

Json file_of(const Json& all, const Json& one) {
  Json json = Json::object();
  for (const char* key :
       {"added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder"})
    json[key] = one.at(key);
  json["model"] = all.at("models").at(one.at("model").get<std::string>());
  return json;
}

std::string streamed(const Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
  TextStream stream(tokenizer, false);
  std::string text;
  for (int32_t id : ids) text += stream.push(id);
  return text + stream.finish();
}

void check_ranges(const Encoding& encoding, const std::string& text) {
  int64_t at = 0;
  for (const Range& range : encoding.ranges) {
    BOOST_REQUIRE((range.begin >= at && range.end >= range.begin));
    at = range.end;
  }
  BOOST_REQUIRE((at <= int64_t(text.size()) && encoding.ids.size() == encoding.ranges.size()));
}

// `streams`: no decoder changes what it made of earlier tokens.
void check_case(const Tokenizer& tokenizer, const Json& one, const std::vector<std::string>& texts,
                bool streams) {
  for (size_t i = 0; i < texts.size(); ++i) BOOST_TEST_CONTEXT("text " << i << ": " << texts[i]) {
      const std::vector<int32_t> ids = one.at("ids")[i];
      const Encoding encoding = tokenizer.encode_with_offsets(texts[i]);
      BOOST_TEST(encoding.ids == ids, boost::test_tools::per_element());
      check_ranges(encoding, texts[i]);
      if (!one.contains("decoded")) continue;
      std::vector<int32_t> halves;
      for (size_t k = 1; k < ids.size(); k += 2) halves.push_back(ids[k]);
      const std::string decoded = tokenizer.decode(ids);
      BOOST_TEST(decoded == one.at("decoded")[i].get<std::string>());
      BOOST_TEST(tokenizer.decode(ids, true) == one.at("without_special")[i].get<std::string>());
      BOOST_TEST(tokenizer.decode(halves) == one.at("halves")[i].get<std::string>());
      if (streams) BOOST_TEST(streamed(tokenizer, ids) == decoded);
    }
  for (const char* side : {"before", "after"})
    if (one.contains(side))
      BOOST_TEST((*side == 'b' ? tokenizer.before_text() : tokenizer.after_text()) ==
                     one.at(side).get<std::vector<int32_t>>(),
                 boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tokenizer_kinds)

// AFINA_TOKENIZER_KINDS names another file, of random cases.
BOOST_AUTO_TEST_CASE(ids_and_texts_are_those_of_the_library) {
  const char* named = std::getenv("AFINA_TOKENIZER_KINDS");
  const Json all = parse_json_file(named ? named : stored);
  const std::vector<std::string> texts = all.at("texts");
  for (auto& one : all.at("cases")) BOOST_TEST_CONTEXT(one.at("name").get<std::string>()) {
      const Tokenizer tokenizer =
          Tokenizer::from_json(to_text(file_of(all, one)), one.at("name").get<std::string>());
      check_case(tokenizer, one,
                 one.contains("texts") ? one.at("texts").get<std::vector<std::string>>() : texts,
                 !named);
    }
}

BOOST_AUTO_TEST_SUITE_END()
