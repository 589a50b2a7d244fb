// Fuzz targets: tokenizer.json and the tokenizer of a GGUF file, and text through whatever it
// became.
#include "data/tokenizer/tokenizer.h"
#include "data/tokenizer/utf8.h"
#include "engine/error.h"
#include "engine/files/gguf.h"
#include "test/engine/files/gguf_builder.h"
#include "test/fuzz/fuzz.h"

using namespace afina;

static void use(const Tokenizer& tokenizer) {
  for (std::string text : {"ab <e>ab\n 12", "a\xff\xc3 e\xcc\x81  b<m>"}) {
    Encoding encoding = tokenizer.encode_with_offsets(text);
    int64_t at = 0;
    for (auto& range : encoding.ranges) {
      // Symbols that the vocabulary lacks leave gaps, but nothing overlaps or leaves the text.
      if (range.begin < at || range.end < range.begin || range.end > int64_t(text.size()))
        throw std::logic_error("a range is out of order");
      at = range.end;
    }
    if (!is_utf8(tokenizer.decode(encoding.ids)))
      throw std::logic_error("decoded text is not UTF-8");
  }
}

static void run(std::string_view input) { use(Tokenizer::from_json(std::string(input), "fuzz")); }
static void run_gguf(std::string_view input) {
  Gguf file(std::as_bytes(std::span(input)), "fuzz");
  use(Tokenizer::from_gguf(file.metadata(), "fuzz"));
}

static std::vector<std::string> seeds() {
  return {R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"Ġ":3,"1":5},"merges":["a b"],)"
          R"("ignore_merges":true},
"normalizer":{"type":"NFC"},"pre_tokenizer":{"type":"Sequence",)"
          R"("pretokenizers":[{"type":"Split","pattern":{"Regex":"\\s+|\\p{L}+"},
"behavior":"Isolated","invert":false},{"type":"Digits","individual_digits":true},)"
          R"({"type":"ByteLevel","add_prefix_space":true,"use_regex":true}]},
"added_tokens":[{"id":4,"content":"<e>","special":true,"lstrip":true,"rstrip":true,)"
          R"("single_word":false,"normalized":false}],
"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<e>",)"
          R"("type_id":0}},{"Sequence":{"id":"A","type_id":0}}]},
"decoder":{"type":"ByteLevel"}})",
          R"({"model":{"type":"BPE","unk_token":"<u>","fuse_unk":true,"byte_fallback":true,)"
          R"("vocab":{"<u>":0,"▁":1,"a":2,"▁a":3,"<0xFF>":4},
"merges":[["▁","a"]]},"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend",)"
          R"("prepend":"▁"},{"type":"Replace","pattern":{"String":" "},
"content":"▁"}]},"pre_tokenizer":{"type":"Metaspace","replacement":"▁",)"
          R"("prepend_scheme":"first","split":true},
"added_tokens":[{"id":5,"content":"<m>","single_word":true,"normalized":true}],
"decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},)"
          R"("content":" "},{"type":"ByteFallback"},)"
          R"({"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}})"};
}

static const afina::FuzzTarget registered("tokenizer", run, seeds,
                                          {"\"type\"", "\"merges\"", "\"vocab\"", "\"Regex\"",
                                           "(a+)+", "\"Removed\"", "\"Contiguous\"", "null", "true",
                                           "-1", "4294967296", "Ġ"});

static std::vector<std::string> gguf_seeds() {
  GgufBuilder bytes, pieces;
  bytes.set("tokenizer.ggml.model", "gpt2").set("tokenizer.ggml.pre", "smollm");
  bytes.set("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b", "ab", "<e>"});
  bytes.set("tokenizer.ggml.token_type", std::vector<int32_t>{1, 1, 1, 3});
  bytes.set("tokenizer.ggml.merges", std::vector<std::string>{"a b"})
      .set("tokenizer.ggml.eos_token_id", 3u);
  pieces.set("tokenizer.ggml.model", "llama");
  pieces.set("tokenizer.ggml.tokens",
             std::vector<std::string>{"<unk>", "<s>", "</s>", "\u2581", "a", "b", "\u2581a", "ab"});
  pieces.set("tokenizer.ggml.token_type", std::vector<int32_t>{2, 3, 3, 1, 1, 1, 1, 1});
  pieces.set("tokenizer.ggml.scores", std::vector<float>{0, 0, 0, -9, -9, -9, -1, -2});
  pieces.set("tokenizer.ggml.bos_token_id", 1u)
      .set("tokenizer.ggml.unknown_token_id", 0u)
      .set("tokenizer.chat_template", "{{ [INST] }}");
  return {bytes.build(), pieces.build()};
}

static const FuzzTarget registered_gguf("gguf_tokenizer", run_gguf, gguf_seeds,
                                        {"llama-bpe", "qwen2", "default",
                                         "tokenizer.ggml.add_bos_token", "\u2581", "<0x41>"});
