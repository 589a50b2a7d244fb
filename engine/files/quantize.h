// Conversion of f32 to the numbers of files: f16, bf16 and the block formats of GGUF.
#pragma once
#include <cstdint>
#include <string>

#include "engine/files/stored_tensor.h"

namespace afina {

// F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K and Q6_K.
bool can_quantize(StoredType type);

// Converts `count` numbers, a multiple of the type's block, to `to`. F16 and BF16 round to nearest
// even. Q4_0 to Q8_0 give the bits of llama.cpp's package gguf for Python; the K types have
// quantisers of their own, which look for scales of small squared error. Throws an Error that
// begins with `where` and names the position for NaN and infinity, and for a number (or a block's
// scale) that the type cannot hold: F16 ends at 65504.
void from_f32(StoredType type, const float* from, void* to, int64_t count,
              const std::string& where);

// A number in IEEE half precision, rounded to nearest even; infinity from 65520 on.
uint16_t float_to_f16(float value);

// Blocks of 256 numbers of finite values (quantize_k.cpp); `block` has the type's bytes. False if
// a scale is too large for f16.
bool q4_k_to_block(const float* from, uint8_t* block);
bool q5_k_to_block(const float* from, uint8_t* block);
bool q6_k_to_block(const float* from, uint8_t* block);

}  // namespace afina
