// SHA-256 (FIPS 180-4): digests of models, data and trained values.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace afina {

class Sha256 {
 public:
  void update(const void* data, size_t bytes);
  void update(std::string_view text) { update(text.data(), text.size()); }
  // The digest of everything so far, as 64 hexadecimal digits. More updates may follow.
  std::string hex() const;

 private:
  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> block_ = {};
  uint64_t total_ = 0;
};

std::string sha256(std::string_view bytes);
std::string sha256_file(const std::string& path);

}  // namespace afina
