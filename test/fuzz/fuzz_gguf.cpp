// Fuzz target: a GGUF file. Every tensor that is given out can be read to its last byte.
#include <cstring>
#include <tuple>

#include "engine/error.h"
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
  // Every block type that is read, a block of each.
  GgufBuilder types;
  for (auto [number, bytes, elements] :
       {std::tuple(2u, 18, 32u), std::tuple(6u, 22, 32u), std::tuple(7u, 24, 32u),
        std::tuple(10u, 84, 256u), std::tuple(11u, 110, 256u), std::tuple(12u, 144, 256u),
        std::tuple(13u, 176, 256u), std::tuple(20u, 18, 32u), std::tuple(23u, 136, 256u),
        std::tuple(39u, 17, 32u)})
    types.tensor("t" + std::to_string(number), number, {elements},
                 std::string(size_t(bytes), '\6'));
  return {metadata.build(), blocks.build(), aligned.build(), types.build()};
}

const FuzzTarget registered("gguf", run, seeds,
                            {"GGUF", "general.alignment", std::string(8, '\xff'),
                             std::string("\x09\0\0\0\1\0\0\0\0\0\0\0", 12)});

// A model in several files: the parts one behind the other, each with its length before it.
void run_parts(std::string_view input) {
  std::vector<std::span<const std::byte>> parts;
  for (size_t at = 0; at + 4 <= input.size() && parts.size() < 5;) {
    uint32_t length = 0;
    std::memcpy(&length, input.data() + at, 4);
    at += 4;
    const size_t taken = std::min<size_t>(length, input.size() - at);
    parts.push_back(std::as_bytes(std::span(input.substr(at, taken))));
    at += taken;
  }
  require(!parts.empty(), "input: no part");
  Gguf file(parts, "input");
  for (const StoredTensor& tensor : file.tensors())
    std::vector<std::byte>(tensor.data, tensor.data + tensor.bytes);
}

std::vector<std::string> seeds_of_parts() {
  std::string all, two;
  for (uint16_t i = 0; i < 3; ++i) {
    GgufBuilder part;
    part.set("split.no", i).set("split.count", uint16_t(3)).set("split.tensors.count", int32_t(3));
    if (i == 0) part.set("general.architecture", "llama");
    part.tensor("t" + std::to_string(i), 0, {2}, std::string(8, '\1'));
    const std::string bytes = part.build();
    all += GgufBuilder::raw(uint32_t(bytes.size())) + bytes;
  }
  const std::string one = GgufBuilder().tensor("a", 0, {1}, std::string(4, '\0')).build();
  return {all, GgufBuilder::raw(uint32_t(one.size())) + one};
}

const FuzzTarget registered_parts("gguf_parts", run_parts, seeds_of_parts,
                                  {"split.no", "split.count", "split.tensors.count"});

}  // namespace
}  // namespace afina
