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

// The stored GPT-2 puts a space before a text, as a variant of it does.
void without_space(Json& json) {
  if (json["pre_tokenizer"].value("add_prefix_space", false))
    json["pre_tokenizer"]["add_prefix_space"] = false;
}

Tokenizer changed(const std::string& file, const std::function<void(Json&)>& change) {
  Json json = parse_json_file(file);
  change(json);
  return Tokenizer::from_json(json.dump(), "tokenizer.json");
}

// BPE in SentencePiece's way, with these merges.
Tokenizer pieces(const std::string& merges) {
  return Tokenizer::from_json(
      R"({"model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"vocab":
{"<unk>":0,"<s>":1,"</s>":2,"<0x0A>":3,"▁":4,"a":5,"b":6,"ab":7,"▁a":8,"▁ab":9},"merges":)" +
          merges + R"(},"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend",
"prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]},
"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},
{"Sequence":{"id":"A","type_id":0}}],
"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}},
"added_tokens":[{"id":1,"content":"<s>","special":true},
{"id":2,"content":"</s>","special":true}]})",
      "tokenizer.json", R"({"bos_token":"<s>","eos_token":"</s>","unk_token":"<unk>"})");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(to_gguf)

BOOST_AUTO_TEST_CASE(the_same_tokens_come_back) {
  for (auto& [name, pre] : {std::pair("gpt2", "gpt-2"), std::pair("smollm", "smollm"),
                            std::pair("llama3", "llama-bpe"), std::pair("qwen2", "qwen2")}) {
    const Tokenizer before = changed(stored + name + ".json", without_space);
    const Back back(before);
    BOOST_TEST(back.file->metadata()["tokenizer.ggml.pre"] == pre);
    const Tokenizer after = back.tokenizer();
    for (const char* text : texts)
      BOOST_TEST((after.encode(text) == before.encode(text)), name << ": " << text);
    BOOST_TEST((after.before_text() == before.before_text()), name);
  }
}

BOOST_AUTO_TEST_CASE(scores_stand_for_merges) {
  const Tokenizer before = pieces(R"([["a","b"],["▁","a"],["▁","ab"],["▁a","b"]])");
  const Back back(before);
  const Json& keys = back.file->metadata();
  BOOST_TEST(keys["tokenizer.ggml.model"] == "llama");
  BOOST_TEST((keys["tokenizer.ggml.token_type"] == Json::parse("[2,3,3,6,1,1,1,1,1,1]")));
  BOOST_TEST((keys["tokenizer.ggml.scores"] == Json::parse("[0,0,0,0,-3,-4,-5,0,-1,-2]")));
  BOOST_TEST(keys["tokenizer.ggml.add_space_prefix"] == true);
  BOOST_TEST(keys["tokenizer.ggml.unknown_token_id"] == 0);
  const Tokenizer after = back.tokenizer();
  for (const char* text : {"ab a\nb", "ba ab", "a b  ab"})
    BOOST_TEST((after.encode(text) == before.encode(text)), text);
  BOOST_TEST((after.before_text() == before.before_text()));
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
  const std::string gpt2 = stored + "gpt2.json";
  refused(Tokenizer::from_file(gpt2), {"add_prefix_space"});
  refused(changed(gpt2,
                  [](Json& j) {
                    without_space(j);
                    j["model"]["ignore_merges"] = true;
                  }),
          {"ignore_merges"});
  refused(changed(gpt2,
                  [](Json& j) {
                    without_space(j);
                    j["normalizer"] = {{"type", "Lowercase"}};
                  }),
          {"the normalizer Lowercase"});
  refused(pieces(R"([["a","b"],["▁a","b"],["▁","a"],["▁","ab"]])"), {"do not follow each other"});
  refused(pieces(R"([["a","b"],["▁","a"],["▁","ab"]])"),
          {"there are 2 ways to put \"▁ab\" together and 1 merges"});
  const Tokenizer small = changed(gpt2, without_space);
  GgufTokenizerOptions options;
  options.rows = small.size() - 1;
  check_error([&] { put_tokenizer(small, options, pairs); }, {"tokens where the embedding has"});
}

BOOST_AUTO_TEST_SUITE_END()
