// Fuzz target: gzip, zstd and Snappy.
#include "data/compression.h"
#include "engine/error.h"
#include "test/fuzz/fuzz.h"

static void run(std::string_view input) {
  using namespace afina;
  constexpr size_t most = 1 << 20;
  const bool snappy = !input.empty() && input[0] == 's';
  const Compression kind = snappy ? Compression::snappy : compression_of(input);
  require(kind != Compression::none, "fuzz: not compressed");
  if (decompressed(kind, input.substr(snappy), "fuzz", most).size() > most)
    throw std::logic_error("more than was allowed");
}

static std::vector<std::string> seeds() {
  // "hello hello hello hello\n" by zlib and libzstd, and as Snappy's raw format.
  return {std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27"
                      "\xb9\x00\x00\x88\x59\x0b\x18\x00\x00\x00",
                      29),
          std::string("\x28\xb5\x2f\xfd\x20\x18\x6d\x00\x00\x38\x68\x65\x6c\x6c\x6f\x20\x0a\x01\x00"
                      "\x99\x4b\x11",
                      22),
          std::string("s\x18\x14hello \x42\x06\x00\x00\n", 14)};
}

// zlib and zstd take their windows from malloc; the result alone is counted.
static const afina::FuzzTarget registered("compressed", run, seeds,
                                          {"\x1f\x8b\x08", "\x28\xb5\x2f\xfd", "\xff\xff\xff\x7f"},
                                          8 << 20);
