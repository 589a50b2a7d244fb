// Tokenizers as GGUF: read back they give the same tokens; what the format cannot say is refused.
#include "data/tokenizer/to_gguf.h"

#include <boost/test/unit_test.hpp>

#include "data/tokenizer/gguf_pre.h"
#include "engine/files/atomic_file.h"
#include "engine/files/json.h"
#include "test/scratch.h"

using namespace afina;

namespace {

const std::string stored = AFINA_SOURCE_DIR "/test/stored/tokenizers/",
                  pocket = AFINA_SOURCE_DIR "/data/pocket";

// Written into a file without tensors and read from it.
struct Back {
  ScratchFolder folder;
  std::vector<std::string> notes;
  std::unique_ptr<Gguf> file;
  Back(const Tokenizer& tokenizer, GgufTokenizerOptions options = {}) {
    if (options.rows == 0) options.rows = tokenizer.size();
    GgufPairs pairs;
    notes = put_tokenizer(tokenizer, options, pairs);
    GgufWriter(folder / "t.gguf", pairs).commit();
    file = std::make_unique<Gguf>(folder / "t.gguf");
  }
  Tokenizer tokenizer() const { return Tokenizer::from_gguf(file->metadata(), "t.gguf"); }
};

const char* const texts[] = {"Hello world!",
                             "  two  spaces\nand lines\n\n\tand 12345 digits, don't",
                             "Grüße, ¿qué tal? 你好 🙂",
                             "<|im_start|>user\nhi<|im_end|>\n",
                             "<s>[INST] x [/INST]</s>",
                             ""};

Tokenizer changed(const std::string& file, const std::function<void(Json&)>& change) {
  Json json = parse_json_file(file);
  change(json);
  return Tokenizer::from_json(json.dump(), "tokenizer.json");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(to_gguf)

BOOST_AUTO_TEST_CASE(the_same_tokens_come_back) {
  for (auto& [name, pre] :
       {std::pair("gpt2", "gpt-2"), std::pair("smollm", "smollm"), std::pair("llama3", "llama-bpe"),
        std::pair("qwen2", "qwen2"), std::pair("sentence_piece", "default")}) {
    const Tokenizer before = Tokenizer::from_file(stored + name + ".json");
    const Back back(before);
    BOOST_TEST(back.file->metadata()["tokenizer.ggml.pre"] == pre);
    const Tokenizer after = back.tokenizer();
    for (const char* text : texts)
      BOOST_TEST((after.encode(text) == before.encode(text)), name << ": " << text);
    BOOST_TEST((after.before_text() == before.before_text()), name);
  }
}

BOOST_AUTO_TEST_CASE(roles_padding_and_templates) {
  const Tokenizer before = Tokenizer::from_file(pocket);
  GgufTokenizerOptions options;
  options.rows = before.size() + 2;
  options.chat_template = "{{ messages[0].content }}";
  options.end_of_turn = before.id_of("<|im_start|>");
  const Back back(before, options);
  const Json& keys = back.file->metadata();
  BOOST_TEST(keys["tokenizer.ggml.tokens"].size() == size_t(options.rows));
  BOOST_TEST(keys["tokenizer.ggml.tokens"][size_t(before.size())] ==
             "[PAD" + std::to_string(before.size()) + "]");
  BOOST_TEST(keys["tokenizer.ggml.token_type"][size_t(before.size())] == 5);
  BOOST_TEST(keys["tokenizer.ggml.token_type"][0] == 3);
  BOOST_TEST(keys["tokenizer.ggml.eos_token_id"] == before.eos());
  BOOST_TEST(keys["tokenizer.ggml.eot_token_id"] == options.end_of_turn);
  BOOST_TEST(keys["tokenizer.ggml.add_bos_token"] == !before.before_text().empty());
  BOOST_TEST(back.tokenizer().chat_template() == options.chat_template);

  // A copy of the file's keys, with another template.
  GgufPairs pairs;
  options.chat_template = "other";
  options.end_of_turn = -1;
  copy_tokenizer(*back.file, options, pairs);
  ScratchFolder folder;
  GgufWriter(folder / "c.gguf", pairs).commit();
  const Gguf copy(folder / "c.gguf");
  BOOST_TEST(copy.metadata().size() == keys.size());
  BOOST_TEST(copy.metadata()["tokenizer.chat_template"] == "other");
  BOOST_TEST((copy.metadata()["tokenizer.ggml.tokens"] == keys["tokenizer.ggml.tokens"]));
}

BOOST_AUTO_TEST_CASE(names_of_pre_tokenizers) {
  for (const char* name : {"gpt-2", "smollm", "llama-bpe", "qwen2"})
    BOOST_TEST(gguf_pre_name(Json(gguf_pre_tokenizer(name, "f")), "f") == name);
  BOOST_TEST(gguf_pre_name(Json::parse(R"({"type":"ByteLevel"})"), "f") == "gpt-2");
  check_error(
      [] {
        gguf_pre_name(Json::parse(R"({"type":"Sequence","pretokenizers":[{"type":"Split",
            "pattern":{"Regex":"a+"},"behavior":"Isolated","invert":false},
            {"type":"ByteLevel","use_regex":false}]})"),
                      "f");
      },
      {"f: no pre-tokenizer that GGUF has a name for", "split a+, then bytes", "--to hf"});
  check_error(
      [] { gguf_pre_name(Json::parse(R"({"type":"ByteLevel","add_prefix_space":true})"), "f"); },
      {"add_prefix_space"});
}

BOOST_AUTO_TEST_CASE(what_cannot_be_said_is_refused) {
  GgufPairs pairs;
  auto refused = [&](const Tokenizer& tokenizer, std::initializer_list<std::string> words) {
    GgufTokenizerOptions options;
    options.rows = tokenizer.size();
    check_error([&] { put_tokenizer(tokenizer, options, pairs); }, words);
  };
  const std::string gpt2 = stored + "gpt2.json", pieces = stored + "sentence_piece.json";
  refused(changed(gpt2, [](Json& j) { j["model"]["ignore_merges"] = true; }), {"ignore_merges"});
  refused(changed(gpt2,
                  [](Json& j) {
                    j["normalizer"] = {{"type", "Lowercase"}};
                  }),
          {"the normalizer Lowercase"});
  refused(changed(pieces,
                  [](Json& j) {
                    Json::array_t some = j["model"]["merges"].elements();
                    std::swap(some.front(), some.back());
                    j["model"]["merges"] = Json(std::move(some));
                  }),
          {"merges", "scores cannot say"});
  const Tokenizer small = Tokenizer::from_file(gpt2);
  GgufTokenizerOptions options;
  options.rows = small.size() - 1;
  check_error([&] { put_tokenizer(small, options, pairs); }, {"tokens where the embedding has"});
}

BOOST_AUTO_TEST_SUITE_END()
