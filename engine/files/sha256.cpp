// SHA-256 (FIPS 180-4).
#include "engine/files/sha256.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/anywhere.h"
#include "engine/files/mapped_file.h"
#include "engine/files/sha256_compress.h"
#include "engine/isa.h"

namespace afina {

const uint32_t sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

namespace {

using Word = uint32_t;
AFINA_INLINE void round(Word a, Word b, Word c, Word& d, Word e, Word f, Word g, Word& h,
                        Word add) {
  Word t = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + (g ^ (e & (f ^ g))) + add;
  d += t;
  h = t + (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (c & (a ^ b)));
}

void compress_block(std::array<uint32_t, 8>& state, const uint8_t* block) {
  uint32_t w[64];
  for (int i = 0; i < 16; ++i) {
    const uint8_t* p = block + 4 * i;
    w[i] = uint32_t(p[0]) << 24 | uint32_t(p[1]) << 16 | uint32_t(p[2]) << 8 | uint32_t(p[3]);
  }
  for (int i = 16; i < 64; ++i) {
    uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state;
  // Eight rounds at a time: the names turn instead of the values.
  for (int i = 0; i < 64; i += 8) {
    round(a, b, c, d, e, f, g, h, sha256_constants[i] + w[i]);
    round(h, a, b, c, d, e, f, g, sha256_constants[i + 1] + w[i + 1]);
    round(g, h, a, b, c, d, e, f, sha256_constants[i + 2] + w[i + 2]);
    round(f, g, h, a, b, c, d, e, sha256_constants[i + 3] + w[i + 3]);
    round(e, f, g, h, a, b, c, d, sha256_constants[i + 4] + w[i + 4]);
    round(d, e, f, g, h, a, b, c, sha256_constants[i + 5] + w[i + 5]);
    round(c, d, e, f, g, h, a, b, sha256_constants[i + 6] + w[i + 6]);
    round(b, c, d, e, f, g, h, a, sha256_constants[i + 7] + w[i + 7]);
  }
  std::array<uint32_t, 8> add = {a, b, c, d, e, f, g, h};
  for (int i = 0; i < 8; ++i) state[i] += add[i];
}

void compress_plainly(std::array<uint32_t, 8>& state, const uint8_t* blocks, size_t count) {
  for (; count > 0; --count, blocks += 64) compress_block(state, blocks);
}

// AFINA_ISA=scalar means plain code here as well: so both ways can be tested.
void compress(std::array<uint32_t, 8>& state, const uint8_t* blocks, size_t count) {
  static const Sha256Compress by_instructions = sha256_by_instructions();
  (by_instructions && isa() != Isa::scalar ? by_instructions : compress_plainly)(state, blocks,
                                                                                 count);
}

}  // namespace

void Sha256::update(const void* data, size_t bytes) {
  const uint8_t* from = static_cast<const uint8_t*>(data);
  size_t filled = total_ % 64;
  total_ += bytes;
  if (filled > 0) {
    size_t take = std::min(bytes, 64 - filled);
    std::copy_n(from, take, block_.data() + filled);
    from += take;
    bytes -= take;
    if (filled + take < 64) return;
    compress(state_, block_.data(), 1);
  }
  compress(state_, from, bytes / 64);
  std::copy_n(from + bytes / 64 * 64, bytes % 64, block_.data());
}

std::string Sha256::hex() const {
  Sha256 last = *this;
  // A one bit, zeros up to 8 bytes short of a block, the length in bits.
  uint8_t padding[72] = {0x80};
  size_t zeros = (119 - total_ % 64) % 64;
  for (int i = 0; i < 8; ++i) padding[1 + zeros + i] = uint8_t((total_ * 8) >> (56 - 8 * i));
  last.update(padding, 1 + zeros + 8);
  std::string text;
  for (uint32_t word : last.state_)
    for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[(word >> shift) & 15];
  return text;
}

std::string sha256(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.hex();
}

std::string sha256_file(const std::string& path) {
  MappedFile file(path);
  Sha256 digest;
  // Piece by piece, giving the pages back: a large model must not count as memory in use.
  constexpr size_t piece = size_t(16) << 20;
  for (size_t offset = 0; offset < file.size(); offset += piece) {
    size_t bytes = std::min(piece, file.size() - offset);
    digest.update(file.data() + offset, bytes);
    file.drop(offset, bytes);
  }
  return digest.hex();
}

}  // namespace afina
