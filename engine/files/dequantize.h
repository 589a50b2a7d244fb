// Conversion of stored numbers to f32: floating-point types and the block formats of GGUF.
#pragma once
#include <cstdint>

#include "engine/files/stored_tensor.h"

namespace afina {

// F32, F16, BF16, F64 and Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K, IQ4_NL, IQ4_XS, MXFP4.
bool can_dequantize(StoredType type);

// Converts `count` numbers, a multiple of the type's block, from `source` (any alignment) to `to`.
// Exact except for one rounding per operation of the format's definition; F64 is rounded to
// nearest. Throws an Error for types that can_dequantize() denies.
void to_f32(StoredType type, const void* source, float* to, int64_t count);
// The same for numbers [first, first + count) of a tensor, both multiples of its block. Throws an
// Error with the tensor's name and the position if one is NaN or infinite.
void to_f32(const StoredTensor& tensor, int64_t first, int64_t count, float* to);

// The position of the first NaN or infinity; `count` if there is none.
int64_t first_not_finite(const float* values, int64_t count);

float f16_to_float(uint16_t bits);

}  // namespace afina
