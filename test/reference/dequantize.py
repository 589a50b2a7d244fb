#!/usr/bin/env python3
"""Makes test/reference/dequantize.h: random blocks of every format and their numbers according to the Python package gguf.

    pip install gguf numpy && python3 test/reference/dequantize.py
"""
import os
import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize

# Where the f16 scales lie in a block: random bits there would be mostly NaN, infinite or huge.
SCALES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q4_K: [0, 2], T.Q6_K: [208], T.F16: [0], T.BF16: [],
          T.Q2_K: [80, 82], T.Q3_K: [108], T.Q5_K: [0, 2], T.IQ4_NL: [0], T.IQ4_XS: [0], T.MXFP4: []}
random = np.random.default_rng(2024)
lines = ["// Random blocks of every stored type and the numbers in them: made by test/reference/dequantize.py.", "#pragma once",
         "#include <cstdint>", "#include <vector>", "", '#include "engine/files/stored_tensor.h"', "", "namespace afina {", "",
         "struct DequantizeCase {", "  StoredType type;", "  std::vector<uint8_t> blocks;", "  std::vector<uint32_t> numbers;  // bits of f32", "};", "",
         "// clang-format off", "inline const std::vector<DequantizeCase> dequantize_cases = {"]
for kind, scales in SCALES.items():
    elements, size = GGML_QUANT_SIZES[kind]
    blocks = 2 if elements < 256 else 1
    if elements == 1:
        blocks = 24
    raw = random.integers(0, 256, (blocks, size), dtype=np.uint8)
    for at in scales:
        values = (random.standard_normal(blocks) * 0.03).astype(np.float16)
        if kind == T.F16:  # also: zeros, denormals, the largest
            values[:6] = np.array([0, 0x8000, 1, 0x03ff, 0x0200, 0x7bff], np.uint16).view(np.float16)
        raw[:, at:at + 2] = values.view(np.uint8).reshape(blocks, 2)
    if kind == T.MXFP4:  # the scale is a power of two: usual ones, and those at both ends
        raw = np.concatenate([raw, raw[::-1], raw[:1]])
        raw[:, 0] = [120, 127, 0, 1, 252]
    if kind == T.BF16:
        raw = (random.standard_normal(blocks).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).view(np.uint8)
    numbers = dequantize(raw.reshape(-1), kind).astype(np.float32).reshape(-1).view(np.uint32)
    def wrapped(values, form, per_line):
        words = [form % v for v in values]
        return ",\n     ".join(", ".join(words[i:i + per_line]) for i in range(0, len(words), per_line))
    lines.append("    {StoredType::%s,\n     {%s},\n     {%s}}," % (kind.name.lower(), wrapped(raw.reshape(-1), "%d", 22), wrapped(numbers, "0x%08x", 9)))
lines += ["};", "// clang-format on", "", "}  // namespace afina", ""]
with open(os.path.join(os.path.dirname(__file__), "dequantize.h"), "w") as out:
    out.write("\n".join(lines))
