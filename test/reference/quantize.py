#!/usr/bin/env python3
"""Makes test/reference/quantize.h: numbers and the blocks that the Python package gguf makes of them, and, where llama.cpp's library
is installed, the squared error of its own K types on the same numbers.

    pip install gguf numpy xllamacpp && python3 test/reference/quantize.py
"""
import ctypes
import os
import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize, quantize

random = np.random.default_rng(11)
# Rows of 256: normal, with a few large ones, and by 64: uniform and positive, tiny (f16 scales that are denormal), zeros, normal.
rows = np.stack([random.standard_normal(256) * 0.02, random.standard_normal(256) * np.where(random.random(256) < 0.03, 1.0, 0.05),
                 np.concatenate([random.random(64) * 3, random.standard_normal(64) * 1e-5, np.zeros(64), random.standard_normal(64)])]
                ).astype(np.float32)
rows[0, :6] = [0.0, -0.0, 1e-7, 0.5, -0.5, 2.0**-14]
rows[1, 32:64] = np.linspace(-4, 4, 32)  # halves between levels
lines = ["// Numbers and their blocks according to llama.cpp: made by test/reference/quantize.py.", "#pragma once", "#include <cstdint>",
         "#include <vector>", "", '#include "engine/files/stored_tensor.h"', "", "namespace afina {", "",
         "struct QuantizeCase {", "  StoredType type;", "  std::vector<uint8_t> blocks;  // of quantize_numbers", "};", "",
         "struct QuantizeError {", "  StoredType type;", "  double rms;  // of ggml's quantiser, relative to that of the numbers", "};", "",
         "// clang-format off"]


def wrapped(values, form, per_line):
    words = [form % v for v in values]
    return ",\n     ".join(", ".join(words[i:i + per_line]) for i in range(0, len(words), per_line))


lines.append("// Bits of f32.\ninline const std::vector<uint32_t> quantize_numbers =\n    {%s};" % wrapped(rows.reshape(-1).view(np.uint32), "0x%08x", 9))
lines.append("inline const std::vector<QuantizeCase> quantize_cases = {")
for kind in [T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0]:
    blocks = rows.astype(np.float16).view(np.uint8) if kind == T.F16 else quantize(rows, kind)
    lines.append("    {StoredType::%s,\n     {%s}}," % (kind.name.lower(), wrapped(np.ascontiguousarray(blocks).view(np.uint8).reshape(-1), "%d", 22)))
lines.append("};")

import xllamacpp.xllamacpp as built  # its library has ggml's C functions
library = ctypes.CDLL(built.__file__)
library.ggml_quantize_chunk.restype = ctypes.c_size_t
library.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
lines.append("// On 64 rows of 256 numbers: Random(5, \"quantize\", row).normal(i) * 0.02.")
lines.append("inline const std::vector<QuantizeError> quantize_errors = {")


def philox_normals():
    """The same numbers as engine/random.h's, by the file that test/engine/files/quantize_test.cpp writes (AFINA_WRITE_NUMBERS)."""
    return np.fromfile(os.environ["AFINA_NUMBERS"], np.float32).reshape(-1, 256)


normals = philox_normals() if "AFINA_NUMBERS" in os.environ else (random.standard_normal((64, 256)) * 0.02).astype(np.float32)
for kind in [T.Q4_K, T.Q5_K, T.Q6_K]:
    elements, size = GGML_QUANT_SIZES[kind]
    out = np.zeros((normals.shape[0], size), np.uint8)
    library.ggml_quantize_chunk(kind.value, normals.ctypes.data, out.ctypes.data, 0, normals.shape[0], 256, None)
    error = np.sqrt(((dequantize(out, kind).astype(np.float64) - normals) ** 2).sum() / (normals.astype(np.float64) ** 2).sum())
    lines.append("    {StoredType::%s, %.6f}," % (kind.name.lower(), error))
lines += ["};", "// clang-format on", "", "}  // namespace afina", ""]
with open(os.path.join(os.path.dirname(__file__), "quantize.h"), "w") as out:
    out.write("\n".join(lines))
