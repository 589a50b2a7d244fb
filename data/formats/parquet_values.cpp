// Encodings of values in Parquet pages.
#include "data/formats/parquet_values.h"

#include <algorithm>

#include "engine/error.h"

namespace afina {

void ParquetBytes::damaged() const { fail(where_, ": damaged: a page ends in its middle"); }

std::string_view ParquetBytes::take(size_t count) {
  if (count > left()) damaged();
  at_ += count;
  return bytes_.substr(at_ - count, count);
}

uint64_t ParquetBytes::little_endian(int count) {
  uint64_t value = 0;
  const std::string_view bytes = take(size_t(count));
  for (int i = 0; i < count; ++i) value |= uint64_t(uint8_t(bytes[size_t(i)])) << (8 * i);
  return value;
}

uint64_t ParquetBytes::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint64_t byte = little_endian(1);
    value |= (byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  damaged();
}

int64_t ParquetBytes::zigzag() {
  const uint64_t value = varint();
  return int64_t(value >> 1) ^ -int64_t(value & 1);
}

uint64_t packed_number(std::string_view bytes, size_t index, int width) {
  uint64_t value = 0;
  const size_t first = index * size_t(width);
  for (int done = 0; done < width;) {
    const size_t bit = first + size_t(done);
    const int here = std::min(8 - int(bit % 8), width - done);
    const uint64_t part = uint64_t(uint8_t(bytes[bit / 8])) >> (bit % 8) & ((1u << here) - 1);
    value |= part << done;
    done += here;
  }
  return value;
}

std::vector<uint32_t> ParquetBytes::runs(size_t count, int width) {
  require(width <= 32, where_, ": damaged: numbers of ", width, " bits");
  std::vector<uint32_t> out;
  out.reserve(count);
  while (out.size() < count) {
    const uint64_t head = varint();
    const size_t wanted = count - out.size();
    if (head & 1) {  // groups of eight packed numbers
      const uint64_t groups = head >> 1;
      if (groups == 0 || (width > 0 && groups > left())) damaged();
      const size_t here = size_t(std::min<uint64_t>(groups, (wanted + 7) / 8));
      // The last group may be cut short at the end of a page.
      const size_t bytes = std::min(size_t(groups) * size_t(width), left());
      if (bytes * 8 < std::min(wanted, here * 8) * size_t(width)) damaged();
      const std::string_view packed = take(width > 0 ? bytes : 0);
      for (size_t i = 0; i < std::min(wanted, here * 8); ++i)
        out.push_back(uint32_t(packed_number(packed, i, width)));
    } else {
      const uint64_t times = head >> 1;
      if (times == 0) damaged();
      const uint32_t value = uint32_t(little_endian((width + 7) / 8));
      out.insert(out.end(), size_t(std::min<uint64_t>(times, wanted)), value);
    }
  }
  return out;
}

std::vector<int64_t> ParquetBytes::deltas(size_t most) {
  const uint64_t block = varint(), parts = varint(), count = varint();
  uint64_t value = uint64_t(zigzag());  // sums wrap around, as the format says
  const bool sensible = parts > 0 && parts <= 256 && block > 0 && block <= (1 << 20) &&
                        block % parts == 0 && (block / parts) % 8 == 0;
  require(count <= most && sensible, where_, ": damaged: a page of ", count, " deltas");
  std::vector<int64_t> out;
  if (count == 0) return out;
  out.push_back(int64_t(value));
  const size_t each = size_t(block / parts);
  while (out.size() < count) {
    const uint64_t least = uint64_t(zigzag());
    const std::string_view widths = take(size_t(parts));
    for (size_t part = 0; part < parts && out.size() < count; ++part) {
      const int width = uint8_t(widths[part]);
      require(width <= 64, where_, ": damaged: deltas of ", width, " bits");
      const std::string_view packed = take(each / 8 * size_t(width));
      for (size_t i = 0; i < each && out.size() < count; ++i) {
        value += least + packed_number(packed, i, width);
        out.push_back(int64_t(value));
      }
    }
  }
  return out;
}

std::vector<std::string_view> ParquetBytes::delta_lengths(size_t most) {
  std::vector<std::string_view> out;
  for (int64_t length : deltas(most)) {
    if (length < 0) damaged();
    out.push_back(take(size_t(length)));
  }
  return out;
}

}  // namespace afina
