// Fuzz target: a safetensors file. Every tensor that is given out can be read to its last byte.
#include <cstring>

#include "engine/files/dequantize.h"
#include "engine/files/safetensors.h"
#include "test/fuzz/fuzz.h"
#include "test/fuzz/mutate_json.h"

namespace afina {
namespace {

void run(std::string_view input) {
  Safetensors file(std::as_bytes(std::span(input)), "input");
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

std::string with_header(const std::string& header, size_t data) {
  uint64_t length = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + std::string(data, '\x3f');
}

std::vector<std::string> seeds() {
  return {
      with_header(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],)"
                  R"("data_offsets":[0,24]},)"
                  R"("b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},"c":{"dtype":"I64",)"
                  R"("shape":[0,5],"data_offsets":[32,32]}}  )",
                  32),
      with_header(R"({"x":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", 1),
      with_header("{}", 0)};
}

// The length in front is that of the JSON behind it.
void mend(std::string& input) {
  if (input.size() < 9) return;
  uint64_t length = end_of_value(input, 8) - 8;
  std::memcpy(input.data(), &length, 8);
}

const FuzzTarget registered("safetensors", run, seeds,
                            {"\"dtype\":\"F64\"", "\"shape\":[", "\"data_offsets\":[0,",
                             "4294967296", "9223372036854775807", "F16", "-1", ",", "{", "}", "["},
                            4 << 20, mend);

}  // namespace
}  // namespace afina
