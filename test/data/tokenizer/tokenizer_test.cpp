// The tokenizer against stored results of Hugging Face `tokenizers` (test/reference/tokenizer.py),
// its offsets, decoding and errors.
#include "data/tokenizer/tokenizer.h"

#include <chrono>
#include <filesystem>

#include "data/tokenizer/normal_form.h"
#include "data/tokenizer/regex.h"
#include "data/tokenizer/utf8.h"
#include "engine/files/atomic_file.h"
#include "engine/files/gguf.h"
#include "engine/files/json.h"
#include "test/scratch.h"

using namespace afina;

namespace {

const std::string folder = AFINA_SOURCE_DIR "/test/stored/tokenizers/";

const Json& cases() {
  static const Json all = parse_json_file(folder + "cases.json");
  return all;
}

std::vector<std::string> texts() {
  std::vector<std::string> all = cases()["texts"];
  for (std::string hex : cases()["invalid"]) {
    std::string bytes;
    for (size_t i = 0; i < hex.size(); i += 2)
      bytes += char(std::stoi(hex.substr(i, 2), nullptr, 16));
    all.push_back(bytes);
  }
  return all;
}

Tokenizer kind(const std::string& name) { return Tokenizer::from_file(folder + name + ".json"); }

// The ranges of an encoding leave nothing out, and each says which bytes its token stands for.
void check_ranges(const Tokenizer& tokenizer, const std::string& text, const Encoding& encoding,
                  bool rewritten) {
  int64_t at = 0;
  BOOST_REQUIRE(encoding.ids.size() == encoding.ranges.size());
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    Range range = encoding.ranges[i];
    BOOST_REQUIRE(range.begin == at && range.end >= at);
    at = range.end;
    if (!rewritten)
      BOOST_TEST(tokenizer.token_bytes(encoding.ids[i]) ==
                 text.substr(size_t(range.begin), size_t(range.end - range.begin)));
  }
  BOOST_TEST(at == int64_t(text.size()));
}

void check_against(const Tokenizer& tokenizer, const std::string& name) {
  const Json& expected = cases()[name];
  auto all = texts();
  for (size_t i = 0; i < all.size(); ++i) {
    BOOST_TEST_CONTEXT(name << ", text " << i << ": " << all[i]) {
      std::vector<int32_t> ids = expected["ids"][i], halves;
      Encoding encoding = tokenizer.encode_with_offsets(all[i]);
      BOOST_TEST(encoding.ids == ids, boost::test_tools::per_element());
      std::vector<int32_t> plain = expected["plain_ids"][i];
      BOOST_TEST(tokenizer.encode(all[i], false) == plain, boost::test_tools::per_element());
      BOOST_TEST(tokenizer.decode(ids) == expected["decoded"][i].get<std::string>());
      BOOST_TEST(tokenizer.decode(ids, true) ==
                 expected["decoded_without_special"][i].get<std::string>());
      for (size_t k = 1; k < ids.size(); k += 2) halves.push_back(ids[k]);
      BOOST_TEST(tokenizer.decode(halves) == expected["halves"][i].get<std::string>());
      bool rewritten =
          name == "qwen2" || name == "sentence_piece" || name == "gpt2" || !is_utf8(all[i]);
      check_ranges(tokenizer, all[i], encoding, rewritten);
      TextStream stream(tokenizer, false);
      std::string streamed;
      for (int32_t id : ids) {
        std::string piece = stream.push(id);
        BOOST_TEST(is_utf8(piece));
        streamed += piece;
      }
      BOOST_TEST(streamed + stream.finish() == tokenizer.decode(ids));
    }
  }
}

const char* tiny =
    R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "Ġ": 3, "c": 5}, )"
    R"("merges": ["a b"]},
  "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}, )"
    R"("decoder": {"type": "ByteLevel"},
  "added_tokens": [{"id": 4, "content": "<e>", "special": true}]})";

std::string with(const std::string& from, const std::string& to) {
  std::string text = tiny;
  size_t at = text.find(from);
  require(at != text.npos, "the test replaces what is not there: ", from);
  return text.replace(at, from.size(), to);
}
void check_refused(const std::string& from, const std::string& to,
                   std::initializer_list<std::string> words) {
  BOOST_TEST_CONTEXT(to) {
    check_error([&] { Tokenizer::from_json(with(from, to), "t.json"); }, words);
    check_error([&] { Tokenizer::from_json(with(from, to), "t.json"); }, {"t.json"});
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tokenizer)

BOOST_AUTO_TEST_CASE(agrees_with_hugging_face) {
  for (std::string name : {"gpt2", "smollm", "llama3", "qwen2", "sentence_piece"})
    check_against(kind(name), name);
}

BOOST_AUTO_TEST_CASE(smollm2_from_gguf_agrees_with_hugging_face) {
  const char* named = std::getenv("AFINA_SMOLLM2");
  std::string path = named ? named : "";
  std::error_code none;
  for (auto& entry :
       std::filesystem::directory_iterator(AFINA_SOURCE_DIR "/models/smollm2-135m-instruct", none))
    if (path.empty() && entry.path().extension() == ".gguf") path = entry.path();
  if (path.empty() || !std::filesystem::exists(path)) {
    BOOST_TEST_MESSAGE("skipped: SmolLM2 is not there (AFINA_SMOLLM2 names its GGUF file)");
    return;
  }
  Tokenizer tokenizer = Tokenizer::from_gguf(Gguf(path).metadata(), path);
  check_against(tokenizer, "smollm2");
  BOOST_TEST(tokenizer.size() == 49152);
  BOOST_TEST(tokenizer.token_text(tokenizer.eos()) == "<|im_end|>");
  ScratchFolder saved;
  tokenizer.save(saved.path());
  check_against(Tokenizer::from_file(saved.path()), "smollm2");
  BOOST_TEST(Tokenizer::from_file(saved.path()).chat_template() == tokenizer.chat_template());
}

BOOST_AUTO_TEST_CASE(saved_is_the_very_file_that_was_read) {
  std::string source = AFINA_SOURCE_DIR "/data/pocket";
  Tokenizer tokenizer = Tokenizer::from_file(source);
  ScratchFolder saved;
  tokenizer.save(saved.path());
  for (std::string name : {"/tokenizer.json", "/tokenizer_config.json"})
    BOOST_TEST(read_text_file(saved.path() + name) == read_text_file(source + name));
  BOOST_TEST(tokenizer.token_text(tokenizer.eos()) == "<|im_end|>");
  BOOST_TEST(tokenizer.id_of("no such token") == -1);
}

BOOST_AUTO_TEST_CASE(what_the_post_processor_adds_is_known) {
  Tokenizer llama = kind("llama3");
  BOOST_TEST(llama.before_text() == (std::vector<int32_t>{llama.bos()}));
  BOOST_TEST(llama.after_text().empty());
  BOOST_TEST(llama.token_text(llama.bos()) == "<|begin_of_text|>");
  BOOST_TEST(kind("smollm").before_text().empty());
}

BOOST_AUTO_TEST_CASE(long_words_merge_as_short_ones_do) {
  // Whole words of any length go through the same merges: a word's tokens are those of the word
  // within a line.
  Tokenizer tokenizer = kind("smollm");
  std::string word;
  for (int i = 0; i < 20000; ++i) word += "thequickbrownfox"[i * 7 % 16];
  auto start = std::chrono::steady_clock::now();
  BOOST_TEST(tokenizer.decode(tokenizer.encode(word)) == word);
  BOOST_TEST(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < 2.);
}

BOOST_AUTO_TEST_CASE(normal_form_c) {
  for (auto [from, to] : {std::pair<std::string, std::string>("e\u0301", "\u00e9"),
                          {"\u212b", "\u00c5"},
                          {"a\u0323\u0301", "\u1ea1\u0301"},
                          {"a\u0301\u0323", "\u1ea1\u0301"},
                          {"\u1100\u1161\u11a8", "\uac01"},
                          {"\uac00\u11a8", "\uac01"},
                          {"\u0958", "\u0915\u093c"},
                          {"\u0344", "\u0308\u0301"},
                          {"plain", "plain"},
                          {"\ufb01", "\ufb01"},
                          {"xe\u0301y", "x\u00e9y"}}) {
    TextStore store(from.size());
    TracedText text = normal_form(TracedText{from}, NormalForm::c, store);
    BOOST_TEST(std::string(text.bytes) == to);
    for (size_t i = 0; i < text.bytes.size(); ++i) BOOST_TEST(text.at(i) <= text.at(i + 1));
    BOOST_TEST(text.at(text.bytes.size()) == from.size());
  }
}

BOOST_AUTO_TEST_CASE(white_space_is_that_of_unicode) {
  Regex spaces("\\s+", "test");
  std::string found;
  std::string text = "a\u00a0\u0085b\u180ec\u200bd\u2028e";
  spaces.each_match(text, [&](size_t begin, size_t end) {
    found += "[" + text.substr(begin, end - begin) + "]";
  });
  BOOST_TEST(found == "[\u00a0\u0085][\u2028]");
  check_error([] { Regex("(", "t.json"); }, {"t.json", "regular expression"});
}

BOOST_AUTO_TEST_CASE(a_pattern_made_to_blow_up_is_an_error) {
  Regex bad("(a+)+$", "t.json");
  check_error([&] { bad.each_match(std::string(60, 'a') + "b", [](size_t, size_t) {}); },
              {"t.json", "gave up"});
}

BOOST_AUTO_TEST_CASE(what_is_not_supported_or_wrong_is_refused) {
  Tokenizer good = Tokenizer::from_json(tiny, "t.json");
  BOOST_TEST(good.encode("ab<e>ba") == (std::vector<int32_t>{2, 4, 1, 0}),
             boost::test_tools::per_element());
  check_refused("\"BPE\"", "\"Fancy\"", {"Fancy", "BPE"});
  check_refused("\"merges\": [\"a b\"]", "\"merges\": [\"a c b\"]", {"merges[0]", "a c b"});
  check_refused("\"merges\": [\"a b\"]", "\"merges\": [[\"a\", \"x\"]]",
                {"merge 0", "\"x\"", "not in the vocabulary"});
  check_refused("\"merges\": [\"a b\"]", "\"merges\": [[\"b\", \"a\"]]", {"\"ba\""});
  check_refused("\"merges\": [\"a b\"]", "\"merges\": 3", {"merges", "array"});
  check_refused("\"b\": 1", "\"b\": 0", {"id 0"});
  check_refused("\"b\": 1", "\"b\": 2000000000", {"2000000000"});
  check_refused("\"b\": 1", "\"b\": -1", {"\"b\"", "-1"});
  check_refused("\"b\": 1", "\"b\": \"x\"", {"\"b\"", "string"});
  check_refused("\"type\": \"ByteLevel\", \"add", "\"type\": \"Fancy\", \"add",
                {"pre-tokenizer", "Fancy", "UnicodeScripts"});
  check_refused("\"decoder\": {\"type\": \"ByteLevel\"}", "\"decoder\": {\"type\": \"CTC\"}",
                {"decoder", "CTC"});
  check_refused("\"decoder\"", "\"normalizer\": {\"type\": \"Fancy\"}, \"decoder\"",
                {"normalizer", "Fancy", "Precompiled"});
  check_refused("\"decoder\"", "\"post_processor\": {\"type\": \"Fancy\"}, \"decoder\"",
                {"post-processor", "Fancy", "BertProcessing"});
  check_refused("\"decoder\"", "\"post_processor\": {\"type\": \"BertProcessing\"}, \"decoder\"",
                {"post_processor", "sep"});
  check_refused("\"id\": 4, ", "", {"added_tokens[0]", "id"});
  check_refused("\"type\": \"BPE\",", "\"type\": \"BPE\", \"dropout\": 0.1,", {"dropout"});
  check_error([] { Tokenizer::from_json("{", "t.json"); }, {"t.json", "line 1"});
  check_error([] { Tokenizer::from_file("/nowhere"); }, {"/nowhere", "tokenizer.json"});
  check_error([&] { good.decode(std::vector<int32_t>{6}); }, {"no token 6", "0 to 5"});
  check_error([&] { good.set_eos("<x>"); }, {"<x>"});
}

BOOST_AUTO_TEST_CASE(replacements_that_multiply_are_refused) {
  // Forty times twice as long: a terabyte of a single letter.
  for (std::string step : {R"({"type": "Replace", "pattern": {"String": "a"}, "content": "aa"})",
                           R"({"type": "Prepend", "prepend": "aaaaaaaa"})"}) {
    std::string steps;
    for (int i = 0; i < 40; ++i) steps += (i ? "," : "") + step;
    if (step.find("Prepend") != step.npos)
      for (int i = 0; i < 40; ++i)
        steps += R"(,{"type": "Replace", "pattern": {"String": "a"}, "content": "aaa"})";
    std::string json = tiny;
    json.replace(json.find("\"decoder\""), 0,
                 R"("normalizer": {"type": "Sequence", "normalizers": [)" + steps + "]}, ");
    check_error([&] { Tokenizer::from_json(json, "t.json").encode("a"); }, {"many times longer"});
  }
}

BOOST_AUTO_TEST_CASE(gguf_metadata_that_lies_is_refused) {
  Json good = {{"tokenizer.ggml.model", "gpt2"},
               {"tokenizer.ggml.pre", "gpt-2"},
               {"tokenizer.ggml.tokens", {"a", "b", "ab", "<e>"}},
               {"tokenizer.ggml.token_type", {1, 1, 1, 3}},
               {"tokenizer.ggml.merges", {"a b"}},
               {"tokenizer.ggml.eos_token_id", 3}};
  Tokenizer tokenizer = Tokenizer::from_gguf(good);
  BOOST_TEST(tokenizer.encode("ab<e>") == (std::vector<int32_t>{2, 3}),
             boost::test_tools::per_element());
  BOOST_TEST(tokenizer.eos() == 3);
  // A template, and others by name.
  Json more = good;
  more["tokenizer.chat_template"] = "{{ messages }}";
  BOOST_TEST(Tokenizer::from_gguf(more).chat_template() == "{{ messages }}");
  more["tokenizer.chat_template.tool_use"] = "{{ tools }}";
  const std::vector<NamedTemplate> both = {{"tool_use", "{{ tools }}"},
                                           {"default", "{{ messages }}"}};
  BOOST_CHECK(Tokenizer::from_gguf(more).chat_templates() == both);
  BOOST_TEST(Tokenizer::from_gguf(more).chat_template() == "{{ messages }}");
  auto refused = [&](const char* key, Json value, std::initializer_list<std::string> words) {
    Json bad = good;
    bad[key] = value;
    check_error([&] { Tokenizer::from_gguf(bad, "m.gguf"); }, words);
  };
  refused("tokenizer.ggml.model", "bert", {"m.gguf", "bert"});
  refused("tokenizer.ggml.model", "t5", {"m.gguf", "Unigram", "tokenizer.json"});
  refused("tokenizer.ggml.pre", "grok", {"grok", "tokenizer.json"});
  refused("tokenizer.ggml.token_type", {1}, {"expected 4", "found 1"});
  refused("tokenizer.ggml.eos_token_id", 9, {"eos", "9"});
  refused("tokenizer.ggml.tokens", {"a", "a", "ab", "<e>"}, {"both"});
  refused("tokenizer.ggml.tokens", Json::array(), {"empty"});
  refused("tokenizer.ggml.merges", {"a x"}, {"\"x\""});
}

BOOST_AUTO_TEST_CASE(llama_3_from_gguf_begins_texts_as_its_folder_does) {
  Json metadata = {{"tokenizer.ggml.model", "gpt2"},
                   {"tokenizer.ggml.pre", "llama-bpe"},
                   {"tokenizer.ggml.tokens", {"a", "b", "ab", "<|begin_of_text|>"}},
                   {"tokenizer.ggml.token_type", {1, 1, 1, 3}},
                   {"tokenizer.ggml.merges", {"a b"}},
                   {"tokenizer.ggml.bos_token_id", 3}};
  auto before = [&] { return Tokenizer::from_gguf(metadata).before_text(); };
  for (const char* pre : {"llama-bpe", "llama3", "llama-v3"}) {
    metadata["tokenizer.ggml.pre"] = pre;
    BOOST_TEST(before() == (std::vector<int32_t>{3}));
  }
  metadata["tokenizer.ggml.add_bos_token"] = false;
  BOOST_TEST(before().empty());
  metadata.erase("tokenizer.ggml.add_bos_token");
  metadata["tokenizer.ggml.pre"] = "qwen2";
  BOOST_TEST(before().empty());
}

BOOST_AUTO_TEST_CASE(sentence_piece_from_scores) {
  // What llama.cpp keeps of TinyLlama: scores, from which the merges follow.
  Json metadata = {{"tokenizer.ggml.model", "llama"},
                   {"tokenizer.ggml.tokens",
                    {"<unk>", "<s>", "</s>", "\u2581", "a", "b", "\u2581a", "ab", "\u2581ab"}},
                   {"tokenizer.ggml.token_type", {2, 3, 3, 1, 1, 1, 1, 1, 1}},
                   {"tokenizer.ggml.scores", {0., 0., 0., -9., -9., -9., -1., -2., -3.}},
                   {"tokenizer.ggml.bos_token_id", 1},
                   {"tokenizer.ggml.eos_token_id", 2},
                   {"tokenizer.ggml.unknown_token_id", 0}};
  Tokenizer tokenizer = Tokenizer::from_gguf(metadata);
  BOOST_TEST(tokenizer.encode("ab a</s>") == (std::vector<int32_t>{8, 6, 2}),
             boost::test_tools::per_element());
  BOOST_TEST(tokenizer.decode(tokenizer.encode("ab a")) == "ab a");
  BOOST_TEST(tokenizer.before_text() == (std::vector<int32_t>{1}));
}

BOOST_AUTO_TEST_SUITE_END()
