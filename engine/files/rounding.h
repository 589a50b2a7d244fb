// How far numbers may be from what a file holds of them: bounds that follow from the formats alone,
// whoever wrote the file.
#pragma once
#include <cstdint>

#include "engine/files/stored_tensor.h"

namespace afina {

// The relative root mean square error that rounding to a type makes of Gaussian weights; 0 for F32
// and F64, negative for a type that is not known.
double gaussian_rounding(StoredType type);

// How many neighbouring numbers share a scale of their own: 16 or 32 of the block formats; 1 for
// floating-point types, which round each number by itself; 0 for a type without a bound here.
int64_t numbers_per_scale(StoredType type);

// The bounds for one block of the type: x, its block_elements exact numbers. bounds: one for each
// numbers_per_scale() of them, the largest root mean square of (stored - exact) there. Of
// floating-point types that is half a unit in the last place of the number; 0 of F32 and F64.
//
// Of a block format it is 1.5 times half the distance of neighbouring levels, where the levels
// reach from end to end of the numbers, plus what rounding the scales themselves makes. Rounding to
// nearest makes at most half the distance, and 0.58 of it as a rule; a least-squares search for
// scales makes less. The rest is room for the end without a level of formats that have one more
// below zero than above (1.41 where half of all numbers lie there).
void rounding_bounds(StoredType type, const float* x, double* bounds);

// Do quantisers of this type search for scales by weights of their own, as llama.cpp with an
// importance matrix does? Q8_0, MXFP4 and floating-point types have one scale that is right.
bool may_be_weighed(StoredType type);
// The bound for a whole block of such a type, whatever the weights were: a root mean square error
// of 0.95 of that of the numbers, plus what the smallest scales of an f16 make. Numbers without
// weight may be far off, but a block that is gone (1), holds other numbers (1.4) or another sign
// (2) is worse than any search.
double weighed_bound(StoredType type, const float* x);

}  // namespace afina
