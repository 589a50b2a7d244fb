// Fuzz targets of what is exported: a stranger's tokenizer.json as GGUF, an adapter of GGUF on a
// model, and a stranger's chat template as a Modelfile.
#include <cstring>

#include "data/tokenizer/to_gguf.h"
#include "engine/files/gguf_writer.h"
#include "model/files/gguf_adapter.h"
#include "test/engine/files/gguf_builder.h"
#include "test/fuzz/fuzz.h"
#include "tools/runs/modelfile.h"

namespace afina {
namespace {

// What is written can be read: the keys in a file without tensors.
void run_tokenizer(std::string_view input) {
  const Tokenizer tokenizer = Tokenizer::from_json(std::string(input), "fuzz");
  require(tokenizer.size() < 4096, "fuzz: too many tokens");
  GgufTokenizerOptions options;
  options.rows = tokenizer.size();
  GgufPairs pairs;
  put_tokenizer(tokenizer, options, pairs);
  std::string file("GGUF\3\0\0\0\0\0\0\0\0\0\0\0", 16);
  file += GgufBuilder::raw(uint64_t(pairs.size())) + pairs.bytes();
  const Gguf read(std::as_bytes(std::span(file)), "fuzz");
  Tokenizer::from_gguf(read.metadata(), "fuzz");
}

std::vector<std::string> tokenizer_seeds() {
  return {R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"Ġ":3},"merges":["a b"]},
"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},)"
          R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":true}]},
"added_tokens":[{"id":4,"content":"<e>","special":true}],"decoder":{"type":"ByteLevel"}})",
          R"({"model":{"type":"BPE","unk_token":"<u>","byte_fallback":true,"fuse_unk":true,)"
          R"("vocab":{"<u>":0,"▁":1,"a":2,"▁a":3,"<0xFF>":4},"merges":[["▁","a"]]},)"
          R"("normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},)"
          R"({"type":"Replace","pattern":{"String":" "},"content":"▁"}]},)"
          R"("added_tokens":[{"id":0,"content":"<u>","special":true}]})"};
}

const ModelConfig& small_config() {
  static const ModelConfig config = parse_config(
      Json::parse(R"({"model_type":"llama","vocab_size":6,"hidden_size":8,"intermediate_size":4,
"num_hidden_layers":1,"num_attention_heads":2,"num_key_value_heads":1,"head_dim":4,
"max_position_embeddings":16,"rms_norm_eps":1e-05,"hidden_act":"silu",
"tie_word_embeddings":false})"),
      "fuzz");
  return config;
}

void run_adapter(std::string_view input) {
  RandomWeights weights(1);
  auto model = build_model(small_config(), weights, std::make_unique<Untouched>(), {});
  apply_gguf_adapter(*model, Gguf(std::as_bytes(std::span(input)), "fuzz"));
}

std::vector<std::string> adapter_seeds() {
  GgufBuilder b;
  b.set("general.architecture", "llama").set("general.type", "adapter");
  b.set("adapter.type", "lora").set("adapter.lora.alpha", 4.f);
  auto add = [&](const std::string& name, uint64_t in, uint64_t out) {
    b.tensor(name + ".lora_a", 0, {in, 2}, std::string(in * 8, '\1'));
    b.tensor(name + ".lora_b", 0, {2, out}, std::string(out * 8, '\1'));
  };
  add("blk.0.attn_q.weight", 8, 8);
  add("blk.0.ffn_down.weight", 4, 8);
  b.tensor("token_embd.weight.lora_a", 0, {2, 6}, std::string(48, '\1'));
  b.tensor("token_embd.weight.lora_b", 0, {2, 8}, std::string(64, '\1'));
  return {b.build()};
}

void run_modelfile(std::string_view input) {
  static const std::string tokenizer =
      R"({"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"},
"added_tokens":[{"id":1,"content":"<e>","special":true}],"decoder":{"type":"ByteLevel"}})";
  const Json config = {{"chat_template", std::string(input)}, {"eos_token", "<e>"}};
  const Tokenizer t = Tokenizer::from_json(
      tokenizer, "fuzz", config.dump(-1, ' ', false, Json::error_handler_t::replace));
  const ChatTemplate chat = ChatTemplate::own(t);
  ModelfileOptions options;
  options.file = "model.gguf";
  options.stops = {"<e>"};
  modelfile(&chat, options);
}

std::vector<std::string> modelfile_seeds() {
  return {
      "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<e>\n{% endfor %}"
      "{% if add_generation_prompt %}<|assistant|>{% endif %}",
      "{% for m in messages %}{% if m.role == 'user' %}[I]{{ m.content }}[/I]{% else %}"
      "{{ m.content }}{{ eos_token }}{% endif %}{% endfor %}"};
}

const FuzzTarget tokenizers("to_gguf", run_tokenizer, tokenizer_seeds,
                            {"\"ByteLevel\"", "\"merges\"", "\"Metaspace\"", "null", "\\u0000"});
const FuzzTarget adapters("gguf_adapter", run_adapter, adapter_seeds,
                          {"adapter.lora.alpha", ".lora_a", ".lora_b", "blk.0."});
const FuzzTarget modelfiles("modelfile", run_modelfile, modelfile_seeds,
                            {"{{", "}}", "\"\"\"", "system", "loop.first", "m.content"});

}  // namespace
}  // namespace afina
