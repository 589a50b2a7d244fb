// Compressed bytes against what gzip, zstd and Snappy wrote.
#include "data/compression.h"

#include "data/examples.h"
#include "test/scratch.h"

using namespace afina;

namespace {
// What zlib and libzstd made of `text`.
const std::string packed_gzip(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\xb9\x00\x00"
    "\x88\x59\x0b\x18\x00\x00\x00",
    29);
const std::string packed_zstd(
    "\x28\xb5\x2f\xfd\x20\x18\x6d\x00\x00\x38\x68\x65\x6c\x6c\x6f\x20\x0a\x01\x00\x99\x4b\x11", 22);
const std::string text = "hello hello hello hello\n";
}  // namespace

BOOST_AUTO_TEST_SUITE(compression)

BOOST_AUTO_TEST_CASE(gzip_and_zstd_in_one_piece_or_several) {
  for (auto& [kind, packed] :
       {std::pair{Compression::gzip, packed_gzip}, {Compression::zstd, packed_zstd}}) {
    BOOST_CHECK(compression_of(packed) == kind);
    BOOST_TEST(decompressed(kind, packed, "d", 24) == text);
    BOOST_TEST(decompressed(kind, packed + packed, "d", 100) == text + text);
    check_error([&] { decompressed(kind, packed, "d", 23); }, {"d: ", "more than 23 bytes"});
    for (size_t cut = 1; cut < packed.size(); ++cut)
      check_error([&] { decompressed(kind, packed.substr(0, cut), "d", 100); }, {"d: "});
    std::string damaged = packed;  // in a length: without a checksum zstd sees no other letters
    damaged[kind == Compression::zstd ? 6 : 12] ^= 0x55;
    check_error([&] { decompressed(kind, damaged, "d", 100); }, {"d: damaged"});
  }
  BOOST_TEST(decompressed(Compression::gzip, packed_gzip + std::string(512, 0), "d", 99) == text);
  BOOST_CHECK(compression_of("{\"a\": 1}") == Compression::none);
}

BOOST_AUTO_TEST_CASE(packed_files_are_read_as_what_is_in_them) {
  const ScratchFolder folder;
  for (auto& [name, packed] : {std::pair<std::string, std::string>{"d.txt.gz", packed_gzip},
                               {"d.txt.zst", packed_zstd},
                               {"d.txt", packed_gzip}}) {
    const auto examples = read_examples(folder.put(name, packed));
    BOOST_TEST(examples.at(0).text == text);
    BOOST_TEST(examples[0].place.ends_with(name + ", line 1"));
  }
  check_error([&] { read_examples(folder.put("e.jsonl.gz", "{}")); }, {"e.jsonl.gz", "compressed"});
  check_error([&] { read_examples(folder.put("f.zip", "PK\x03\x04")); },
              {"f.zip", "a zip archive"});
  BOOST_TEST(read_examples(folder.put("o.txt", "ORCs and elves")).size() == 1u);
  check_error([&] { read_examples(folder.put("o.jsonl", "ORC\x08")); }, {"an ORC file"});
  check_error([&] { read_examples(folder.put("g.jsonl", "PK\x03\x04")); }, {"zip", "unpack"});
}

BOOST_AUTO_TEST_CASE(snappy_literals_and_copies) {
  // Length 24; "hello " as it is; a copy of 17 from 6 before; "\n".
  const std::string packed("\x18\x14hello \x42\x06\x00\x00\n", 13);
  BOOST_TEST(decompressed(Compression::snappy, packed, "d", 100) == text);
  for (size_t cut = 0; cut < packed.size(); ++cut)
    check_error([&] { decompressed(Compression::snappy, packed.substr(0, cut), "d", 100); },
                {"d: damaged Snappy data"});
  check_error([&] { decompressed(Compression::snappy, packed, "d", 23); }, {"24 bytes", "23"});
  check_error(
      [&] { decompressed(Compression::snappy, std::string("\x04\x0E\x02\x00", 4), "d", 9); },
      {"before its beginning"});
}

BOOST_AUTO_TEST_SUITE_END()
