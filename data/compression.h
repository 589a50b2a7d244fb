// Compressed bytes: gzip (RFC 1952) by zlib, Zstandard (RFC 8878) by libzstd, and Snappy's raw
// format, which Parquet files use.
#pragma once
#include <string>
#include <string_view>

namespace afina {

enum class Compression { none, gzip, zstd, snappy };

// What the first bytes of a file say: gzip, zstd or none. Snappy's raw format has no such mark.
Compression compression_of(std::string_view bytes);

// The bytes before compression; several gzip members or zstd frames one after the other give one
// text. An Error that begins with `where` for damaged or incomplete bytes, and for more than `most`
// bytes of result.
std::string decompressed(Compression kind, std::string_view bytes, const std::string& where,
                         size_t most);

}  // namespace afina
