// The quick reader of vocabulary and merges against the general reader of JSON.
#include "data/tokenizer/read_tables.h"

#include <filesystem>

#include "data/tokenizer/tokenizer.h"
#include "engine/files/atomic_file.h"
#include "engine/files/json.h"
#include "engine/random.h"
#include "test/scratch.h"

using namespace afina;

namespace {

// Whether the tables are what the general reader finds.
bool same(const std::string& text, const BpeTables& tables) {
  const Json all = parse_json(text, "t"), rest = parse_json(tables.rest, "t");
  const Json& model = all.at("model");
  if (model.at("vocab").size() != tables.vocabulary.size()) return false;
  for (auto& [token, id] : model.at("vocab").items())
    if (tables.vocabulary.id_of(token) != id.get<int32_t>()) return false;
  if (model.at("merges").size() != tables.merges.size()) return false;
  for (size_t i = 0; i < tables.merges.size(); ++i) {
    const Json& one = model.at("merges")[i];
    std::string left, right;
    if (one.is_string()) {
      left = one.text().substr(0, one.text().find(' '));
      right = one.text().substr(left.size() + 1);
    } else {
      left = one[0].text();
      right = one[1].text();
    }
    const Bpe::Merge merge = tables.merges[i];
    if (merge.left != tables.vocabulary.id_of(left) ||
        merge.right != tables.vocabulary.id_of(right) ||
        merge.merged != tables.vocabulary.id_of(left + right))
      return false;
  }
  Json without = all;
  without["model"]["vocab"] = Json::object();
  without["model"]["merges"] = Json::array();
  return without == rest;
}

const std::string small = R"({"version": "1.0", "added_tokens": [{"id": 4, "content": "\"]}"}],
  "model": {"type": "BPE", "dropout": null,
    "vocab": {"a": 0, "b": 1, "ab": 2, "\u0120\\\"\n\ud83d\ude42é": 3, "ba": 5, " ": 6},
    "merges": [["a", "b"], ["b", "a"]], "ignore_merges": false},
  "decoder": {"type": "ByteLevel"}})";

std::string with(const std::string& from, const std::string& to) {
  std::string text = small;
  const size_t at = text.find(from);
  require(at != text.npos, "the test replaces what is not there: ", from);
  return text.replace(at, from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(read_tables)

BOOST_AUTO_TEST_CASE(files_are_read_as_by_the_general_reader) {
  size_t files = 0;
  for (auto& entry :
       std::filesystem::directory_iterator(AFINA_SOURCE_DIR "/test/stored/tokenizers")) {
    const std::string text = read_text_file(entry.path().string());
    if (text.find("\"merges\"") == text.npos) continue;
    const auto tables = read_bpe_tables(text);
    if (!tables) continue;
    ++files;
    BOOST_TEST(same(text, *tables), entry.path());
    const std::string pretty = parse_json(text, "t").dump(2);  // by name: vocab behind merges
    BOOST_REQUIRE(read_bpe_tables(pretty));
    BOOST_TEST(same(pretty, *read_bpe_tables(pretty)));
  }
  BOOST_TEST(files >= 5u);
  const std::string pocket = read_text_file(AFINA_SOURCE_DIR "/data/pocket/tokenizer.json");
  BOOST_REQUIRE(read_bpe_tables(pocket));
  BOOST_TEST(same(pocket, *read_bpe_tables(pocket)));
}

BOOST_AUTO_TEST_CASE(small_files) {
  BOOST_REQUIRE(read_bpe_tables(small));
  BOOST_TEST(same(small, *read_bpe_tables(small)));
  for (auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {R"([["a", "b"], ["b", "a"]])", R"(["a b", "b a"])"},
           {R"([["a", "b"], ["b", "a"]])", "[]"},
           {R"([["a", "b"], ["b", "a"]])", " [ [ \"b\",\r\n\t\"a\" ] , \"a b\" ] "},
           {R"(["a", "b"])", R"(["\u0061", "\u0062"])"},
           {"\"a\": 0", "\"a\":2147483646"}}) {
    const std::string text = with(from, to);
    BOOST_REQUIRE_MESSAGE(read_bpe_tables(text), text);
    BOOST_TEST(same(text, *read_bpe_tables(text)), text);
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_plain_is_left_to_the_general_reader) {
  for (auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"a\": 0", "\"a\": 00"},
           {"\"a\": 0", "\"a\": -1"},
           {"\"a\": 0", "\"a\": 0.0"},
           {"\"a\": 0", "\"a\": 1e1"},
           {"\"a\": 0", "\"a\": 2147483647"},
           {"\"a\": 0", "\"a\": 99999999999999999999"},
           {"\"a\": 0", "\"a\": null"},
           {"\"a\": 0", "\"a\": 0, \"a\": 1"},
           {"\"a\": 0", "\"a\" 0"},
           {"\"a\": 0", "\"a\": 0,"},
           {"\"a\": 0", "\"\xff\": 0"},
           {"\"a\": 0", "\"\t\": 0"},
           {"\"a\": 0", "\"\\x\": 0"},
           {"\"a\": 0", "\"\\ud800\": 0"},
           {"\"a\": 0", "\"\\udc00\": 0"},
           {"\"a\": 0", "\"\\ud800\\u0041\": 0"},
           {"\"a\": 0", "\"\\u00g0\": 0"},
           {R"("b"])", R"("c"])"},
           {R"(["a", "b"])", R"(["b", "b"])"},
           {R"(["a", "b"])", R"(["a", "b", "a"])"},
           {R"(["a", "b"])", R"(["a"])"},
           {R"(["a", "b"])", R"("a  b")"},
           {R"(["a", "b"])", R"("#version: 0.2")"},
           {R"(["a", "b"])", "7"},
           {R"("a"]])", R"("a"],])"},
           {"\"vocab\"", "\"vocab\": {\"a\": 0}, \"vocab\""},
           {"\"model\"", "\"model\": {}, \"model\""},
           {"\"vocab\"", "\"merges\": [], \"vocab\""},
           {"\"vocab\"", "\"merges\": [], \"merges\": [], \"vocab\""},
           {"\"vocab\"", "\"voc\""},
           {"\"merges\"", "\"mer\""},
           {"}}", "}} x"},
           {"}}", "}"}}) {
    BOOST_TEST(!read_bpe_tables(with(from, to)), with(from, to));
  }
  for (const char* other : {"", "[]", "{}", "7", "{\"model\": 1}", "{\"model\": {\"vocab\": {}}}"})
    BOOST_TEST(!read_bpe_tables(other), other);
}

// Whatever is read is what the general reader reads, which then finds nothing wrong.
BOOST_AUTO_TEST_CASE(damaged_files_are_never_read_as_something_else) {
  const Random random(1, "damage", 0);
  uint64_t at = 0;
  auto below = [&](size_t end) { return size_t(random.below(at++, uint32_t(end))); };
  const std::string characters = "{}[]\",:\\ 019ab-eu\n\x01\xc3\xa9";
  size_t read = 0;
  for (size_t i = 0; i < 30'000; ++i) {
    std::string text = small;
    for (size_t k = 1 + below(2); k > 0; --k) {
      const size_t place = below(text.size());
      const char c = characters[below(characters.size())];
      const size_t how = below(3);
      if (how == 0) text.erase(place, 1 + below(3));
      if (how == 1) text[place] = c;
      if (how == 2) text.insert(place, 1, c);
    }
    const auto tables = read_bpe_tables(text);
    if (!tables) continue;
    // Faults outside of the tables are found in the rest.
    try {
      parse_json(tables->rest, "t");
    } catch (const Error&) { continue; }
    ++read;
    bool right = false;
    try {
      right = same(text, *tables);
    } catch (const std::exception& error) { BOOST_TEST_MESSAGE(error.what()); }
    BOOST_REQUIRE_MESSAGE(right, text);
  }
  BOOST_TEST(read > 1000u);
}

// Errors are those of the general reader, with their places in the whole file.
BOOST_AUTO_TEST_CASE(errors_name_the_place_in_the_file) {
  std::string text = small;
  text.insert(text.find("\"decoder\""), "\n\n, ");
  check_error([&] { Tokenizer::from_json(text, "t.json"); }, {"t.json, line 7"});
}

BOOST_AUTO_TEST_SUITE_END()
