// Tests of GGUF: metadata and tensors of a good file, and an error with key or tensor for every
// kind of damage.
#include <boost/test/unit_test.hpp>

#include "engine/files/gguf.h"
#include "test/engine/files/gguf_builder.h"
#include "test/scratch.h"

using namespace afina;

namespace {

using B = GgufBuilder;
std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}
void check_damage(const std::string& file, std::initializer_list<std::string> words) {
  check_error([&] { Gguf(bytes_of(file), "f.gguf"); }, words);
}
std::string zeros(size_t bytes) { return std::string(bytes, '\0'); }

B good() {
  B b;
  b.set("general.architecture", "llama")
      .set("n", 5u)
      .set("minus", int64_t(-7))
      .set("eps", 0.5f)
      .set("yes", true);
  b.set("tokens", std::vector<std::string>{"a", "\xff", ""})
      .set("scores", std::vector<float>{1.5f, -2});
  b.pair("nested", 9, B::raw(9u) + B::raw(uint64_t(1)) + B::raw(0u) + B::raw(uint64_t(2)) + "\1\2");
  return b.tensor("w", 3, {64, 3}, zeros(120))
      .tensor("norm", 0, {4}, B::raw(1.f) + B::raw(2.f) + B::raw(3.f) + B::raw(4.f));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gguf)

BOOST_AUTO_TEST_CASE(metadata_and_tensors_are_read) {
  for (uint32_t version : {2u, 3u}) {
    B builder = good();
    builder.version = version;
    ScratchFolder folder;
    Gguf file(folder.put("f.gguf", builder.build()));
    const Json& m = file.metadata();
    BOOST_TEST(m.size() == 8u);
    BOOST_TEST(get<std::string>(m, "general.architecture", "f") == "llama");
    BOOST_TEST(get<int>(m, "n", "f") == 5);
    BOOST_TEST(get<int>(m, "minus", "f") == -7);
    BOOST_TEST(get<float>(m, "eps", "f") == 0.5f);
    BOOST_TEST(get<bool>(m, "yes", "f"));
    BOOST_TEST(get<std::vector<std::string>>(m, "tokens", "f")[1] == "\xff");
    BOOST_TEST(get<std::vector<float>>(m, "scores", "f")[1] == -2);
    BOOST_TEST((m["nested"] == Json::parse("[[1,2]]")));
    const StoredTensor& w = file.at("w");
    BOOST_TEST((w.type == StoredType::q4_1));
    BOOST_TEST((w.shape == std::vector<int64_t>{3, 64}));  // (out, in)
    BOOST_TEST(w.bytes == 120u);
    file.drop(w);
    float last;
    std::memcpy(&last, file.at("norm").data + 12, 4);
    BOOST_TEST(last == 4);
    check_error([&] { file.at("nrom"); },
                {"f.gguf: tensor 'nrom' is missing", "did you mean 'norm'"});
  }
}

BOOST_AUTO_TEST_CASE(another_alignment_is_followed) {
  B b;
  b.alignment = 128;
  b.set("general.alignment", 128u).tensor("a", 0, {1}, zeros(4)).tensor("b", 0, {1}, B::raw(7.f));
  std::string file = b.build();
  float value;
  std::memcpy(&value, Gguf(bytes_of(file), "f").at("b").data, 4);
  BOOST_TEST(value == 7);
  for (uint32_t wrong : {0u, 4u, 33u, 1u << 31})
    check_damage(B().set("general.alignment", wrong).build(), {"'general.alignment'"});
  check_damage(B().set("general.alignment", "x").build(), {"'general.alignment'", "integer"});
}

// Cut anywhere before its last tensor's end, a file is refused.
BOOST_AUTO_TEST_CASE(a_truncated_file_is_an_error_wherever_it_is_cut) {
  std::string file = good().build();
  for (size_t length = 0; length <= file.size() - 17; ++length) {
    std::string cut = file.substr(0, length);
    BOOST_CHECK_THROW(Gguf(bytes_of(cut), "f.gguf"), Error);
  }
  check_damage(file.substr(0, file.size() - 17), {"'norm'", "truncated"});
  BOOST_CHECK_NO_THROW(Gguf(bytes_of(file), "f.gguf"));
}

BOOST_AUTO_TEST_CASE(a_lying_head_is_an_error) {
  check_damage("GGML" + zeros(100), {"f.gguf: does not begin with \"GGUF\""});
  B b;
  b.version = 1;
  check_damage(b.build(), {"version 1; versions 2 and 3"});
  b.version = 0x03000000;
  check_damage(b.build(), {"big-endian"});
  b.version = 3;
  b.claimed_tensors = INT64_MAX;
  check_damage(b.build(), {"9223372036854775807 tensors"});
  b.claimed_tensors = -1;
  b.claimed_pairs = INT64_MAX;
  check_damage(b.build(), {"9223372036854775807 metadata pairs"});
}

BOOST_AUTO_TEST_CASE(damaged_metadata_are_errors_with_the_key) {
  check_damage(B().set("k", 1u).set("k", 2u).build(), {"f.gguf: 'k' is given twice"});
  check_damage(B().pair("k", 13, zeros(8)).build(), {"'k' has the unknown type 13"});
  check_damage(B().pair("k", 7, "\2").build(), {"'k' should be true (1) or false (0), found 2"});
  check_damage(B().pair("k", 8, B::raw(uint64_t(1) << 60)).build(),
               {"'k' says that it has 1152921504606846976 bytes"});
  check_damage(B().pair("k", 9, B::raw(4u) + B::raw(UINT64_MAX)).build(),
               {"18446744073709551615 elements in 'k'"});
  check_damage(B().pair("k", 9, B::raw(99u) + B::raw(uint64_t(1))).build(),
               {"'k' is an array of the unknown type 99"});
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += B::raw(9u) + B::raw(uint64_t(1));
  check_damage(B().pair("k", 9, deep).build(), {"'k' has arrays nested deeper than 4"});
  check_damage(
      B().pair("k", 9, B::raw(0u) + B::raw((uint64_t(1) << 24) + 1) + zeros((1 << 24) + 1)).build(),
      {"'k': more than 16777216"});
}

BOOST_AUTO_TEST_CASE(damaged_tensors_are_errors_with_their_name) {
  check_damage(B().tensor("w", 0, {1}, zeros(4)).tensor("w", 0, {1}, zeros(4)).build(),
               {"f.gguf: tensor 'w' is there twice"});
  check_damage(B().tensor("w", 77, {1}, zeros(4)).build(), {"'w': unknown tensor type 77"});
  check_damage(B().tensor("w", 4, {1}, zeros(4)).build(),
               {"'w': unknown tensor type 4"});  // a number withdrawn by ggml
  check_damage(B().tensor("w", 0, {1, 1, 1, 1, 1}, zeros(4)).build(), {"'w': has 5 dimensions"});
  check_damage(B().tensor("w", 0, {UINT64_MAX}, zeros(4)).build(),
               {"'w': a dimension of 18446744073709551615"});
  check_damage(B().tensor("w", 0, {1ull << 40, 1ull << 40}, zeros(4)).build(),
               {"'w'", "more elements than can be counted"});
  check_damage(B().tensor("w", 0, {1ull << 62}, zeros(4)).build(),
               {"'w'", "more bytes than can be counted"});
  check_damage(B().tensor("w", 3, {33}, zeros(64)).build(),
               {"'w'", "rows of 33 are no whole blocks of 32 of type Q4_1"});
  check_damage(B().tensor("w", 3, {16, 2}, zeros(64)).build(), {"'w'", "rows of 16"});
  check_damage(B().tensor("w", 0, {100}, zeros(4)).build(),
               {"'w': its 400 bytes at 0 are not within the 32", "truncated"});
  check_damage(B().tensor("v", 0, {8}, zeros(32)).tensor("w", 0, {8}, zeros(32), 0).build(),
               {"'w': its data begin at 0; expected 32"});
  check_damage(B().tensor("v", 0, {8}, zeros(32)).tensor("w", 0, {2}, zeros(32), 33).build(),
               {"'w': its data begin at 33"});
  check_damage(B().tensor("w", 0, {8}, zeros(64), 32).build(),
               {"'w': its data begin at 32; expected 0"});
  check_damage(B().tensor(std::string(2000, 'x'), 0, {1}, zeros(4)).build(),
               {"the name of tensor 0 says that it has 2000 bytes"});
}

namespace {

// Part `number` of `count`, from 0, with a tensor of this name.
std::string part(uint16_t number, uint16_t count, int32_t tensors, const std::string& name) {
  B b;
  if (number == 0) b.set("general.architecture", "llama");
  b.set("split.no", number).set("split.count", count).set("split.tensors.count", tensors);
  return b.tensor(name, 0, {2}, B::raw(float(number)) + B::raw(1.f)).build();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_model_in_several_files) {
  ScratchFolder folder;
  const std::string first = folder.put("m-00001-of-00003.gguf", part(0, 3, 3, "a"));
  const std::string second = folder.put("m-00002-of-00003.gguf", part(1, 3, 3, "b"));
  check_error([&] { Gguf file(first); }, {"m-00003-of-00003.gguf: is missing", "is part 1 of 3"});
  folder.put("m-00003-of-00003.gguf", part(2, 3, 3, "c"));
  const Gguf file(first);
  BOOST_TEST(file.tensors().size() == 3u);
  BOOST_TEST(file.files().size() == 3u);
  BOOST_TEST(file.files()[1] == second);
  BOOST_TEST(file.metadata()["general.architecture"] == "llama");
  float value = 0;
  std::memcpy(&value, file.at("c").data, 4);
  BOOST_TEST(value == 2.f);
  file.drop(file.at("c"));
  check_error([&] { Gguf other(second); },
              {"is part 2 of 3", "name the first one", "00001-of-00003"});

  folder.put("m-00003-of-00003.gguf", part(2, 3, 3, "b"));
  check_error([&] { Gguf other(first); }, {"tensor 'b' is there twice", "m-00002-of-00003.gguf"});
  folder.put("m-00003-of-00003.gguf", part(1, 3, 3, "c"));
  check_error([&] { Gguf other(first); },
              {"says that it is part 2 of 3 where part 3 of 3 is expected"});
  folder.put("m-00003-of-00003.gguf", part(2, 4, 3, "c"));
  check_error([&] { Gguf other(first); }, {"says that it is part 3 of 4"});
  folder.put("m-00001-of-00003.gguf", part(0, 3, 4, "a"));
  folder.put("m-00003-of-00003.gguf", part(2, 3, 4, "c"));
  check_error([&] { Gguf other(first); }, {"3 parts have 3 tensors; 'split.tensors.count' says 4"});
  check_error([&] { Gguf other(folder.put("renamed.gguf", part(0, 3, 3, "a"))); },
              {"should end in -00001-of-00003.gguf"});
  check_error([&] { Gguf(bytes_of(part(0, 2, 2, "a")), "f.gguf"); },
              {"is one of 2 parts; there are 1"});
}

BOOST_AUTO_TEST_CASE(names_of_parts) {
  BOOST_TEST(gguf_part_name("a/m-00002-of-00003.gguf").stem == "a/m");
  BOOST_TEST(gguf_part_path({"a/m", 0, 3}, 2) == "a/m-00002-of-00003.gguf");
  for (const char* other : {"m.gguf", "m-00004-of-00003.gguf", "m-00000-of-00003.gguf",
                            "m-0000a-of-00003.gguf", "-00001-of-00003.ggu"})
    BOOST_TEST(gguf_part_name(other).part == 0);
}

BOOST_AUTO_TEST_SUITE_END()
