// Fuzz target: a GGUF file. Every tensor that is given out can be read to its last byte.
#include "engine/files/dequantize.h"
#include "engine/files/gguf.h"
#include "test/engine/files/gguf_builder.h"
#include "test/fuzz/fuzz.h"

namespace afina {
namespace {

void run(std::string_view input) {
  Gguf file(std::as_bytes(std::span(input)), "input");
  std::vector<float> numbers;
  for (const StoredTensor& tensor : file.tensors()) {
    std::vector<std::byte> bytes(tensor.data, tensor.data + tensor.bytes);
    if (stored_bytes(tensor.type, tensor.count(), "input") != tensor.bytes)
      throw std::logic_error("shape and bytes disagree");
    if (!can_dequantize(tensor.type)) continue;
    numbers.resize(size_t(tensor.count()));
    to_f32(tensor.type, tensor.data, numbers.data(), tensor.count());
  }
}

std::vector<std::string> seeds() {
  GgufBuilder metadata, blocks, aligned;
  metadata.set("general.architecture", "llama")
      .set("llama.block_count", 2u)
      .set("eps", 1e-5f)
      .set("flag", true);
  metadata.set("tokens", std::vector<std::string>{"a", "b", "\xc4\xa0the"})
      .set("types", std::vector<int32_t>{1, 2, 3})
      .set("d", 0.5);
  metadata.pair("nested", 9,
                GgufBuilder::raw(9u) + GgufBuilder::raw(uint64_t(1)) + GgufBuilder::raw(0u) +
                    GgufBuilder::raw(uint64_t(2)) + "xy");
  blocks.tensor("q4_1", 3, {32, 2}, std::string(40, '\1'))
      .tensor("q8_0", 8, {32}, std::string(34, '\2'));
  blocks.tensor("q6_k", 14, {256}, std::string(210, '\3'))
      .tensor("f32", 0, {2, 2, 1}, std::string(16, '\0'));
  aligned.alignment = 64;
  aligned.set("general.alignment", 64u)
      .tensor("x", 1, {3}, std::string(6, '\4'))
      .tensor("y", 30, {1}, std::string(2, '\5'));
  return {metadata.build(), blocks.build(), aligned.build()};
}

const FuzzTarget registered("gguf", run, seeds,
                            {"GGUF", "general.alignment", std::string(8, '\xff'),
                             std::string("\x09\0\0\0\1\0\0\0\0\0\0\0", 12)});

}  // namespace
}  // namespace afina
