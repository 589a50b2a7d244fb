// At which tokens generation ends with a GGUF file.
#include "tools/runs/load.h"

#include "test/model/tiny.h"
#include "test/model/tiny_gguf.h"
#include "test/scratch.h"

using namespace afina;

namespace {

// The end tokens of a file with these tokens, all of them special but for the first two.
std::string ends_of(const std::vector<std::string>& named, int64_t eos = -1) {
  auto model = tiny_model(tiny_path("qwen2"));
  GgufBuilder gguf = as_gguf(*model);
  std::vector<std::string> tokens = {"a", "b"};
  std::vector<int32_t> types = {1, 1};
  for (const std::string& one : named) {
    tokens.push_back(one);
    types.push_back(one.starts_with("[U]") ? 4 : 3);
  }
  gguf.set("tokenizer.ggml.model", "gpt2").set("tokenizer.ggml.pre", "qwen2");
  gguf.set("tokenizer.ggml.tokens", tokens).set("tokenizer.ggml.token_type", types);
  gguf.set("tokenizer.ggml.merges", std::vector<std::string>{});
  if (eos >= 0) gguf.set("tokenizer.ggml.eot_token_id", uint32_t(eos));
  ScratchFolder folder;
  const ModelFiles files = open_model(folder.put("model.gguf", gguf.build()));
  const Tokenizer tokenizer = tokenizer_of(files);
  std::string all;
  for (int32_t id : stop_tokens(files, tokenizer)) all += tokenizer.token_text(id) + " ";
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loading)

// As llama.cpp has them; the eos of the file is token 2, the first one that is named.
BOOST_AUTO_TEST_CASE(ends_of_gguf_files_are_those_of_llama_cpp) {
  BOOST_TEST(ends_of({"<e>", "<|im_end|>", "<x>"}) == "<e> <|im_end|> ");
  BOOST_TEST(ends_of({"<e>", "<x>", "<y>"}, 4) == "<e> <y> ");
  for (const char* name : {"<|eot_id|>",
                           "<|im_end|>",
                           "<|end|>",
                           "<|return|>",
                           "<|call|>",
                           "<|flush|>",
                           "<|calls|>",
                           "<end_of_turn>",
                           "<|endoftext|>",
                           "</s>",
                           "<|eom_id|>",
                           "<EOT>",
                           "_<EOT>",
                           "[EOT]",
                           "[EOS]",
                           "<|end_of_text|>",
                           "<end_of_utterance>",
                           "<eos>",
                           "<turn|>",
                           "<|tool_response>"})
    BOOST_TEST(ends_of({"<e>", name}) == std::string("<e> ") + name + " ");
  // <|end|> ends a part of an answer of gpt-oss, and an answer of others.
  BOOST_TEST(ends_of({"<e>", "<|end|>", "<|return|>"}) == "<e> <|end|> <|return|> ");
  BOOST_TEST(ends_of({"<e>", "<|end|>", "<|return|>", "<|call|>"}) == "<e> <|return|> <|call|> ");
}

BOOST_AUTO_TEST_SUITE_END()
