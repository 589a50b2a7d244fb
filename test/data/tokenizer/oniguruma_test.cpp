// Patterns of Oniguruma in PCRE2, against stored words of the tokenizers library
// (test/reference/tokenizer_files.py).
#include "data/tokenizer/pretokenizer.h"
#include "data/tokenizer/regex.h"
#include "test/scratch.h"

using namespace afina;

BOOST_AUTO_TEST_SUITE(oniguruma)

BOOST_AUTO_TEST_CASE(words_are_those_of_the_library) {
  const Json all = parse_json_file(AFINA_SOURCE_DIR "/test/stored/tokenizers/files.json");
  const std::vector<std::string> texts = all.at("pattern_texts");
  for (auto& one : all.at("patterns")) {
    const std::string pattern = one.at("pattern");
    const PreTokenizer split(
        {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}}, "t.json");
    for (size_t i = 0; i < texts.size(); ++i) BOOST_TEST_CONTEXT(pattern << " in " << texts[i]) {
        TextStore store(texts[i].size());
        std::vector<std::string> words;
        for (auto& word : split.words(TracedText{texts[i]}, store)) words.emplace_back(word.bytes);
        BOOST_TEST(words == one.at("words")[i].get<std::vector<std::string>>(),
                   boost::test_tools::per_element());
      }
  }
}

BOOST_AUTO_TEST_CASE(what_has_no_equivalent_is_refused) {
  for (std::string pattern : {"[a[bc]]", "[a&&b]", "(?~ab)", "[\\W]", "[[:graph:]]", "\\N"})
    check_error([&] { Regex(pattern, "t.json"); }, {"t.json", "not supported", pattern});
  for (std::string pattern : {"(", "[", "\\", "a{2}?{", "x{2,1}", "[\\"}) try {
      Regex(pattern, "t.json");
    } catch (const Error&) {}
}

BOOST_AUTO_TEST_SUITE_END()
