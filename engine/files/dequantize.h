// Stored numbers to f32: whole and half precision, and the block formats of GGUF.
#pragma once
#include <cstdint>

#include "engine/files/stored_tensor.h"

namespace afina {

// F32, F16, BF16, F64 and Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q6_K.
bool can_dequantize(StoredType type);

// `count` numbers, a multiple of the type's block, from `source` (any alignment) to `to`. Exact but
// for one rounding per operation of the format's definition; F64 is rounded to nearest. A type that
// has no place among weights is an Error that says so.
void to_f32(StoredType type, const void* source, float* to, int64_t count);
// Numbers [first, first + count) of a tensor, both multiples of its block. NaN and infinity among
// them are an Error with name and place.
void to_f32(const StoredTensor& tensor, int64_t first, int64_t count, float* to);

// The place of the first NaN or infinity; count if there is none.
int64_t first_not_finite(const float* values, int64_t count);

float f16_to_float(uint16_t bits);

}  // namespace afina
