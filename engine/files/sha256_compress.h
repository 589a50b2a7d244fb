// The compression function of SHA-256, in portable code or by processor instructions.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace afina {

// Fractional parts of the cube roots of the first 64 primes.
extern const uint32_t sha256_constants[64];

using Sha256Compress = void (*)(std::array<uint32_t, 8>& state, const uint8_t* blocks,
                                size_t count);
// The function that uses the SHA extensions of x86; nullptr if the processor has none.
Sha256Compress sha256_by_instructions();

}  // namespace afina
