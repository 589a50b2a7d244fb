// Tests of safetensors: what is written is read back, and every kind of damage is an error that
// names file and tensor.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>

#include "engine/files/safetensors.h"
#include "engine/files/sha256.h"
#include "test/scratch.h"

using namespace afina;

namespace {

// A file with this header and so many zero bytes of data.
std::string file_of(const std::string& header, size_t data, int64_t length = -1) {
  uint64_t says = length < 0 ? header.size() : uint64_t(length);
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &says, 8);
  return bytes + header + std::string(data, '\0');
}
std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}
void check_damage(const std::string& file, std::initializer_list<std::string> words) {
  check_error([&] { Safetensors(bytes_of(file), "f.st"); }, words);
}
std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

void write_pair(const std::string& path, bool turned) {
  SafetensorsWriter out(path);
  float a[3] = {1, 2, 3};
  uint16_t b[5] = {10, 11, 12, 13, 14};
  std::pair<const char*, StoredType> order[] = {{"model.a", StoredType::f16},
                                                {"model.b", StoredType::f32}};
  if (turned) std::swap(order[0], order[1]);
  for (auto [name, type] : order)
    out.declare(name, type,
                type == StoredType::f32 ? std::vector<int64_t>{1, 3} : std::vector<int64_t>{5});
  out.declare("empty", StoredType::i64, {0, 4});
  if (turned) out.write("model.a", b, 4);
  out.write("model.b", a, 12);
  out.write("model.a", b + (turned ? 2 : 0), turned ? 6 : 10);
  out.commit();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(safetensors)

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
  ScratchFolder folder;
  write_pair(folder / "a.safetensors", false);
  Safetensors file(folder / "a.safetensors");
  BOOST_TEST(file.tensors().size() == 3u);
  const StoredTensor& b = file.at("model.b");
  BOOST_TEST((b.type == StoredType::f32));
  BOOST_TEST((b.shape == std::vector<int64_t>{1, 3}));
  BOOST_TEST(b.bytes == 12u);
  file.drop(b);
  float values[3];
  std::memcpy(values, b.data, 12);
  BOOST_TEST(values[2] == 3);
  BOOST_TEST(reinterpret_cast<uintptr_t>(b.data) % 4 == 0u);
  BOOST_TEST(file.at("empty").count() == 0);
  BOOST_TEST(file.metadata().at("format") == "pt");
  BOOST_TEST(file.find("model.c") == nullptr);
  check_error(
      [&] { file.at("model.bb"); },
      {folder / "a.safetensors", "'model.bb' is missing among 3", "did you mean 'model.b'"});
}

// The digest is that of the file which the reference implementation (safetensors 0.8 for Python)
// makes of the same tensors.
BOOST_AUTO_TEST_CASE(the_bytes_are_those_of_the_reference_in_any_order) {
  ScratchFolder folder;
  write_pair(folder / "a", false);
  write_pair(folder / "b", true);
  BOOST_TEST(sha256_file(folder / "a") ==
             "9b1a760eacd32f71d7a0a28ba9269d1d135c39d2ce396a26ea434b683b2c412e");
  BOOST_TEST(sha256_file(folder / "b") == sha256_file(folder / "a"));
}

BOOST_AUTO_TEST_CASE(a_writer_refuses_what_does_not_fit) {
  ScratchFolder folder;
  SafetensorsWriter out(folder / "a");
  float x[3] = {};
  out.declare("w", StoredType::f32, {2});
  check_error([&] { out.declare("w", StoredType::f32, {2}); }, {"'w'", "declared twice"});
  check_error([&] { out.declare("q", StoredType::q4_0, {32}); }, {"'q'", "no type Q4_0"});
  check_error([&] { out.declare("n", StoredType::f32, {-1}); }, {"'n'", "negative"});
  check_error([&] { out.declare("n", StoredType::f32, {INT64_MAX, 3}); }, {"'n'", "more elements"});
  check_error([&] { out.declare("n", StoredType::f64, {INT64_MAX}); }, {"'n'", "more bytes"});
  check_error([&] { out.write("v", x, 4); }, {"'v' was not declared"});
  check_error([&] { out.declare("late", StoredType::f32, {2}); },
              {"'late'", "after the first data"});
  out.write("w", x, 4);
  check_error([&] { out.write("w", x, 8); }, {"'w' has 8 bytes; 4 are written, 8 more came"});
  check_error([&] { out.commit(); }, {"'w' is incomplete: 4 of 8"});
}

BOOST_AUTO_TEST_CASE(shards_are_read_through_their_index) {
  ScratchFolder folder;
  folder.put("s-1.safetensors", file_of("{" + entry("a", "F32", "[2]", "[0,8]") + "}", 8));
  folder.put("s-2.safetensors", file_of("{" + entry("b", "I64", "[]", "[0,8]") + "}", 8));
  auto index = [&](const std::string& map) {
    return folder.put("model.safetensors.index.json", "{\"weight_map\":{" + map + "}}");
  };
  std::string both = R"("a":"s-1.safetensors","b":"s-2.safetensors")";
  index(both);
  Safetensors model(folder.path());
  BOOST_TEST(model.tensors().size() == 2u);
  BOOST_TEST(model.at("b").file == folder / "s-2.safetensors");
  BOOST_TEST(model.files().size() == 2u);
  BOOST_TEST(Safetensors(folder / "model.safetensors.index.json").tensors().size() == 2u);
  for (std::string bad : {"../s-1.safetensors", "/etc/passwd", "..", "", "x/y", "a\\\\b"}) {
    index("\"a\":\"" + bad + "\"");
    check_error([&] { Safetensors{folder.path()}; },
                {"index.json", "should be the name of a file in the same folder"});
  }
  index(R"("a":"s-1.safetensors","c":"s-1.safetensors")");
  check_error([&] { Safetensors{folder.path()}; }, {"index.json", "'c' is missing"});
  index(R"("a":"s-2.safetensors","b":"s-1.safetensors")");
  check_error([&] { Safetensors{folder.path()}; },
              {"'a' should be in s-2.safetensors, found in", "s-1.safetensors"});
  index(R"("a":"s-3.safetensors")");
  check_error([&] { Safetensors{folder.path()}; }, {"s-3.safetensors", "No such file"});
  folder.put("s-2.safetensors", file_of("{" + entry("a", "I64", "[]", "[0,8]") + "}", 8));
  index(both);
  check_error([&] { Safetensors{folder.path()}; },
              {"s-2.safetensors: tensor 'a' is there twice, also in", "s-1.safetensors"});
  check_error(
      [&] {
        ScratchFolder none;
        Safetensors{none.path()};
      },
      {"neither model.safetensors nor"});
}

BOOST_AUTO_TEST_CASE(a_damaged_header_is_an_error) {
  check_damage("", {"f.st: has 0 bytes"});
  check_damage("1234567", {"f.st: has 7 bytes"});
  check_damage(file_of("{}", 0, 3), {"f.st: says that its header has 3 bytes; there are 2"});
  check_damage(file_of("{}", 0, INT64_MAX), {"f.st: says that its header has"});
  check_damage(file_of("{}", 0, 0), {"does not begin with '{'"});
  check_damage(file_of("[1]", 0), {"does not begin with '{'"});
  check_damage(file_of("{\"a\":", 0), {"f.st (header), line 1, column 6"});
  check_damage(file_of("{\"a\":1}", 0), {"f.st: tensor 'a': expected an object, found 1"});
  check_damage(file_of("{\"a\":[[[[[[", 0), {"deeper than 4"});
  check_damage(file_of("{\"__metadata__\":{\"a\":1}}", 0), {"'a' should be a string"});
  BOOST_TEST(Safetensors(bytes_of(file_of("{}   ", 0)), "f").tensors().size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_damaged_entry_is_an_error_with_the_name_of_the_tensor) {
  auto one = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return file_of("{" + entry("w", dtype, shape, offsets) + "}", 8);
  };
  BOOST_TEST(Safetensors(bytes_of(one("F32", "[2]", "[0,8]")), "f").at("w").bytes == 8u);
  check_damage(one("F33", "[2]", "[0,8]"), {"f.st: tensor 'w': unknown dtype 'F33'"});
  check_damage(one("F32", "[3]", "[0,8]"),
               {"'w': shape [3] of F32 takes 12 bytes; its place has 8"});
  check_damage(one("F32", "[2]", "[0,16]"),
               {"'w': its data, bytes 0 to 16, are not within the 8 bytes", "truncated"});
  check_damage(one("F32", "[2]", "[8,0]"), {"'w'", "not within"});
  check_damage(one("F32", "[2]", "[-8,0]"), {"'w'", "not within"});
  check_damage(one("F32", "[2]", "[0]"), {"'w'", "'data_offsets' should be [begin, end]"});
  check_damage(one("F32", "[2]", "[0,18446744073709551615]"), {"'w'", "'data_offsets[1]'"});
  check_damage(one("F32", "[-2]", "[0,8]"), {"'w'", "negative"});
  check_damage(one("F32", "[4294967296,4294967296,0]", "[0,8]"),
               {"'w'", "more elements than can be counted"});
  check_damage(one("F32", "[4611686018427387905]", "[0,4]"), {"'w'", "more bytes"});
  check_damage(one("F32", "2", "[0,8]"), {"'w'", "'shape' should be an array"});
  check_damage(file_of("{\"w\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8),
               {"'w'", "'data_offsets' is missing"});
  check_damage(
      file_of("{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8),
      {"'w'", "unknown key 'x'"});
}

BOOST_AUTO_TEST_CASE(data_that_overlap_or_leave_holes_are_errors) {
  auto two = [](const std::string& first, const std::string& second, size_t data) {
    return file_of(
        "{" + entry("v", "U8", "[4]", first) + "," + entry("w", "U8", "[4]", second) + "}", data);
  };
  BOOST_TEST(Safetensors(bytes_of(two("[4,8]", "[0,4]", 8)), "f").tensors()[0].name == "w");
  check_damage(two("[0,4]", "[2,6]", 6), {"'w': its data overlap"});
  check_damage(two("[0,4]", "[0,4]", 4), {"overlap"});
  check_damage(two("[0,4]", "[6,10]", 10), {"'w': 2 bytes before its data belong to no tensor"});
  check_damage(two("[0,4]", "[4,8]", 9), {"the last 1 bytes belong to no tensor"});
  check_damage(
      file_of("{" + entry("v", "U8", "[4]", "[0,4]") + "," + entry("v", "U8", "[4]", "[4,8]") + "}",
              8),
      {"'v' is given twice"});
}

BOOST_AUTO_TEST_SUITE_END()
