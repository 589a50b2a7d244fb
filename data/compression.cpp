// Compressed bytes: gzip, Zstandard and Snappy.
#include "data/compression.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "engine/error.h"

namespace afina {

namespace {

constexpr size_t piece = 256 << 10;  // bytes of result at a time

void require_room(const std::string& out, size_t most, const std::string& where) {
  require(out.size() <= most, where, ": decompressed it has more than ", most,
          " bytes; split the file into several");
}

std::string from_gzip(std::string_view bytes, const std::string& where, size_t most) {
  z_stream stream{};
  require(inflateInit2(&stream, 15 + 16) == Z_OK, where, ": zlib could not begin (out of memory?)");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  std::string out;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  size_t left = bytes.size();
  stream.avail_in = 0;
  for (bool complete = false; !complete || left + stream.avail_in > 0;) {
    if (stream.avail_in == 0) {  // zlib counts what it is given in 32 bits
      stream.avail_in = uInt(std::min(left, size_t(1) << 30));
      left -= stream.avail_in;
    }
    if (complete) {
      // Another member, or zeros that fill up a tape or a block.
      if (*stream.next_in == 0 && std::all_of(stream.next_in, stream.next_in + stream.avail_in,
                                              [](Bytef byte) { return byte == 0; }))
        return out;
      require(inflateReset(&stream) == Z_OK, where, ": zlib could not go on");
      complete = false;
    }
    const size_t before = out.size();
    out.resize(before + std::min(piece, most - before + 1));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = uInt(out.size() - before);
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    require_room(out, most, where);
    require(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR, where,
            ": damaged gzip data: ", stream.msg ? stream.msg : "no gzip member begins here");
    complete = result == Z_STREAM_END;
    require(
        complete || left + stream.avail_in > 0 || stream.avail_out == 0, where,
        ": the gzip data ends in its middle: the file is incomplete; copy or download it again");
  }
  return out;
}

std::string from_zstd(std::string_view bytes, const std::string& where, size_t most) {
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                        ZSTD_freeDStream);
  require(stream != nullptr, where, ": libzstd could not begin (out of memory?)");
  std::string out;
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  size_t expected = 1;  // 0: a frame is complete
  while (in.pos < in.size || expected != 0) {
    const size_t before = out.size();
    out.resize(before + std::min(piece, most - before + 1));
    ZSTD_outBuffer to{out.data() + before, out.size() - before, 0};
    const size_t consumed = in.pos;
    expected = ZSTD_decompressStream(stream.get(), &to, &in);
    out.resize(before + to.pos);
    require(!ZSTD_isError(expected), where, ": damaged zstd data: ", ZSTD_getErrorName(expected));
    require_room(out, most, where);
    require(
        expected == 0 || in.pos > consumed || to.pos > 0, where,
        ": the zstd data ends in its middle: the file is incomplete; copy or download it again");
  }
  return out;
}

// Snappy's raw format: the length, then literals and copies of what was already written
// (google/snappy, format_description.txt).
class Snappy {
 public:
  Snappy(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  std::string read(size_t most) {
    const uint64_t length = varint();
    require(length <= most, where_, ": decompressed it has ", length, " bytes, more than ", most);
    // A copy of 64 bytes takes 3: what promises more is damaged, and gets no memory.
    require(length <= bytes_.size() * 32, where_, ": damaged Snappy data: ", bytes_.size(),
            " bytes cannot hold ", length);
    out_.reserve(length);
    while (at_ < bytes_.size()) {
      const uint8_t tag = next();
      if ((tag & 3) == 0) literal(tag >> 2);
      else copy(tag);
      require(out_.size() <= length, where_, ": damaged Snappy data: longer than it says");
    }
    require(out_.size() == length, where_, ": damaged Snappy data: ", out_.size(), " bytes of ",
            length);
    return std::move(out_);
  }

 private:
  uint8_t next() {
    require(at_ < bytes_.size(), where_, ": damaged Snappy data: it ends in its middle");
    return uint8_t(bytes_[at_++]);
  }
  uint64_t little_endian(int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; ++i) value |= uint64_t(next()) << (8 * i);
    return value;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      const uint8_t byte = next();
      value |= uint64_t(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    fail(where_, ": damaged Snappy data: its length has more than 32 bits");
  }
  void literal(uint64_t length) {
    if (length >= 60) length = little_endian(int(length) - 59);
    ++length;
    require(length <= bytes_.size() - at_, where_, ": damaged Snappy data: it ends in its middle");
    out_.append(bytes_.substr(at_, length));
    at_ += length;
  }
  void copy(uint8_t tag) {
    uint64_t length = (tag >> 2) + 1, offset = 0;
    if ((tag & 3) == 1) {
      length = ((tag >> 2) & 7) + 4;
      offset = uint64_t(tag >> 5) << 8;
      offset |= next();
    } else {
      offset = little_endian((tag & 3) == 2 ? 2 : 4);
    }
    require(offset > 0 && offset <= out_.size(), where_,
            ": damaged Snappy data: a copy from before its beginning");
    for (uint64_t i = 0; i < length; ++i) out_ += out_[out_.size() - offset];
  }

  std::string_view bytes_;
  const std::string& where_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

Compression compression_of(std::string_view bytes) {
  if (bytes.starts_with("\x1f\x8b")) return Compression::gzip;
  if (bytes.starts_with("\x28\xb5\x2f\xfd")) return Compression::zstd;
  return Compression::none;
}

std::string decompressed(Compression kind, std::string_view bytes, const std::string& where,
                         size_t most) {
  switch (kind) {
    case Compression::none: break;
    case Compression::gzip: return from_gzip(bytes, where, most);
    case Compression::zstd: return from_zstd(bytes, where, most);
    case Compression::snappy: return Snappy(bytes, where).read(most);
  }
  return std::string(bytes);
}

}  // namespace afina
