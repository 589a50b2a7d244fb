// Tests of writing GGUF: what is written is read back, byte for byte where it was copied; and
// nothing is left of a file that was not finished.
#include "engine/files/gguf_writer.h"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <csignal>
#include <filesystem>

#include "engine/files/atomic_file.h"
#include "engine/files/dequantize.h"
#include "test/engine/files/gguf_builder.h"
#include "test/scratch.h"

using namespace afina;

namespace {

GgufPairs some_pairs() {
  GgufPairs pairs;
  pairs.set("general.architecture", "llama");
  pairs.set("n", 5u);
  pairs.set("eps", 0.5f);
  pairs.set("yes", true);
  pairs.set("tokens", std::vector<std::string>{"a", "\xc4\xa0the", ""});
  pairs.set("types", std::vector<int32_t>{1, -2});
  pairs.set("scores", std::vector<float>{1.5f});
  pairs.set("layers", std::vector<bool>{true, false});
  return pairs;
}

size_t files_in(const std::string& folder) {
  size_t count = 0;
  for (auto& entry : std::filesystem::directory_iterator(folder)) {
    (void)entry;
    ++count;
  }
  return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gguf_writer)

BOOST_AUTO_TEST_CASE(what_is_written_is_read) {
  ScratchFolder folder;
  const std::string path = folder / "f.gguf";
  GgufWriter writer(path, some_pairs());
  writer.declare("odd", StoredType::f32, {3});
  writer.declare("w", StoredType::q8_0, {2, 64});
  writer.declare("h", StoredType::f16, {2, 3});
  std::vector<float> numbers(128);
  for (size_t i = 0; i < 128; ++i) numbers[i] = float(i % 32) * 127.f / 31.f;
  writer.write("h", numbers.data(), 6);
  writer.write("w", numbers.data(), 64);
  writer.write("odd", numbers.data(), 3);
  writer.write("w", numbers.data() + 64, 64);
  writer.commit();
  const Gguf file(path);
  BOOST_TEST(file.metadata().size() == 8u);
  BOOST_TEST(file.metadata()["tokens"][1] == "\xc4\xa0the");
  BOOST_TEST((file.metadata()["layers"] == Json::parse("[true,false]")));
  BOOST_TEST(file.metadata()["eps"] == 0.5);
  BOOST_TEST((file.at("w").shape == std::vector<int64_t>{2, 64}));
  std::vector<float> read(6);
  to_f32(file.at("h"), 0, 6, read.data());
  BOOST_TEST(std::fabs(read[5] - numbers[5]) < 0.01f);
  BOOST_TEST(std::filesystem::file_size(path) % 32 == 0u);

  // The same pairs and bytes again, in a second file.
  GgufPairs copied;
  for (const GgufPair& pair : file.pairs()) copied.copy(pair);
  GgufWriter again(folder / "g.gguf", copied);
  for (const StoredTensor& t : file.tensors()) again.declare(t.name, t.type, t.shape);
  for (const StoredTensor& t : file.tensors()) again.write_stored(t.name, t.data, t.bytes);
  again.commit();
  BOOST_TEST((read_text_file(folder / "g.gguf") == read_text_file(path)));
}

BOOST_AUTO_TEST_CASE(a_pair_that_is_set_again_keeps_its_place) {
  GgufPairs pairs = some_pairs();
  const size_t before = pairs.size();
  pairs.set("n", 6u);
  BOOST_TEST(pairs.size() == before);
  pairs.erase("n");
  BOOST_TEST(!pairs.has("n"));
  check_error([&] { pairs.set("t", std::string("a\0b", 3)); }, {"t: the text has a zero byte"});
  check_error([&] { pairs.set("", 1u); }, {"1 to 65535 bytes"});
}

BOOST_AUTO_TEST_CASE(wrong_use_is_an_error_and_leaves_nothing) {
  ScratchFolder folder;
  {
    GgufWriter writer(folder / "f.gguf", some_pairs());
    writer.declare("w", StoredType::f32, {4});
    check_error([&] { writer.declare("w", StoredType::f32, {4}); }, {"'w': is declared twice"});
    check_error([&] { writer.declare(std::string(64, 'x'), StoredType::f32, {4}); },
                {"a name of 64 bytes"});
    check_error(
        [&] {
          writer.declare("q", StoredType::q4_k, {2, 128});
        },
        {"'q': rows of 128 are no whole blocks of 256 of type Q4_K"});
    check_error([&] { writer.declare("b", StoredType::boolean, {2}); }, {"GGUF has no type BOOL"});
    const float numbers[4] = {1, 2, 3, 4};
    check_error([&] { writer.write("v", numbers, 1); }, {"'v' was not declared"});
    writer.write("w", numbers, 3);
    check_error([&] { writer.declare("x", StoredType::f32, {4}); }, {"after data were written"});
    check_error([&] { writer.write("w", numbers, 2); }, {"8 bytes more where 4 are missing"});
    check_error([&] { writer.commit(); }, {"'w' has 12 of its 16 bytes"});
  }
  BOOST_TEST(files_in(folder.path()) == 0u);
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_nothing) {
  ScratchFolder folder;
  folder.put("f.gguf", "somebody's result");
  struct rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  auto* old = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 4096;
  setrlimit(RLIMIT_FSIZE, &small);
  std::string message;
  try {
    GgufWriter writer(folder / "f.gguf", some_pairs());
    writer.declare("w", StoredType::f32, {4096});
    const std::vector<float> numbers(4096);
    writer.write("w", numbers.data(), 4096);
    writer.commit();
  } catch (const Error& error) { message = error.what(); }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old);
  BOOST_TEST(message.find("cannot write") != message.npos, message);
  BOOST_TEST(read_text_file(folder / "f.gguf") == "somebody's result");
  BOOST_TEST(files_in(folder.path()) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
