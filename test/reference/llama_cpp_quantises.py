#!/usr/bin/env python3
"""llama.cpp's own quantisers against the bounds of engine/files/rounding.h: numbers of several kinds are quantised without and with weights of
importance. Prints for each type the largest error of numbers with a common scale, in parts of half the distance of levels plus that of the scales
(the bound there is 1.5), without weights; and the largest of a whole block, in parts of the block's own root mean square (the bound is 0.95),
with moderate weights (exp of a normal number, sigma 2) and with extreme ones (sigma 4; a third of all without weight).

    pip install numpy gguf xllamacpp
    python3 test/reference/llama_cpp_quantises.py

Only the C library inside xllamacpp is used; LLAMA_LIBRARY may name it where it is installed elsewhere.
"""
import ctypes
import os
import pathlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

# Numbers with a common scale, levels above a minimum?, steps, largest whole scale.
LEVELS = {T.Q4_0: (32, False, 8, 0), T.Q4_1: (32, True, 15, 0), T.Q5_0: (32, False, 16, 0), T.Q5_1: (32, True, 31, 0),
          T.Q8_0: (32, False, 127, 0), T.Q2_K: (16, True, 3, 15), T.Q3_K: (16, False, 4, 32), T.Q4_K: (32, True, 15, 63),
          T.Q5_K: (32, True, 31, 63), T.Q6_K: (16, False, 32, 128), T.IQ4_NL: (32, False, 113 / 24, 0),
          T.IQ4_XS: (32, False, 113 / 24, 32)}
ROWS, WIDTH = 12, 4096


def library():
    path = os.environ.get("LLAMA_LIBRARY")
    if not path:
        import xllamacpp
        path = next(pathlib.Path(xllamacpp.__file__).parent.glob("*.so"))
    lib = ctypes.CDLL(str(path))
    quantise = lib.ggml_quantize_chunk
    quantise.restype = ctypes.c_size_t
    quantise.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]
    return quantise


def bounds(kind, x):
    """Half the distance of levels, and what rounding the scales makes; one for each group."""
    group, affine, steps, scales = LEVELS[kind]
    blocks = x.reshape(-1, gguf.GGML_QUANT_SIZES[kind][0] // group, group).astype(float)
    if affine:
        low = np.minimum(blocks.min(-1), 0) if scales else blocks.min(-1)
        width, below = blocks.max(-1) - low, abs(low)
    else:
        width = abs(blocks).max(-1)
        below = 0 * width
    of_scales = 2.0**-11 * (width + below) + 2.0**-25 * max(scales, 1) * (steps + affine)
    if scales:
        of_scales = of_scales + (width.max(-1, keepdims=True) + below.max(-1, keepdims=True)) / (2 * scales)
    return (width / steps / 2 + of_scales).reshape(-1)


def main():
    quantise, rng = library(), np.random.default_rng(1)
    normal = rng.normal(0, .02, (ROWS, WIDTH))
    numbers = {"normal": normal, "student": rng.standard_t(3, (ROWS, WIDTH)) * .02, "laplace": rng.laplace(0, .01, (ROWS, WIDTH)),
               "uniform": rng.uniform(-.05, .05, (ROWS, WIDTH)), "rows": normal * np.exp(rng.normal(0, 2, (ROWS, 1))),
               "columns": normal * np.exp(rng.normal(0, 1.5, (1, WIDTH))), "positive": abs(normal), "shifted": normal + .05}
    weights = {"none": [None], "moderate": [np.exp(rng.normal(0, 2, WIDTH))],
               "extreme": [np.exp(rng.normal(0, 4, WIDTH)), np.where(rng.random(WIDTH) < .3, 1e-8, 1.)]}
    print("type     of a group  of a block: none  moderate  extreme")
    for kind, (group, *_) in LEVELS.items():
        size, stored = gguf.GGML_QUANT_SIZES[kind]
        groups, blocks = 0., {}
        for x in numbers.values():
            x = np.ascontiguousarray(x, dtype=np.float32)
            for name, several in weights.items():
                for weight in several:
                    weight = None if weight is None else np.ascontiguousarray(weight, dtype=np.float32)
                    out = np.zeros(x.size // size * stored, np.uint8)
                    quantise(int(kind), x.ctypes.data, out.ctypes.data, 0, ROWS, WIDTH, None if weight is None else weight.ctypes.data)
                    read = gguf.dequantize(out.reshape(ROWS, -1), kind).reshape(x.shape)
                    off, whole = (read - x).astype(float)**2, x.astype(float)**2
                    if name == "none":
                        groups = max(groups, np.max(np.sqrt(off.reshape(-1, group).mean(-1)) / bounds(kind, x)))
                    of_block = np.max(np.sqrt(off.reshape(-1, size).mean(-1) / whole.reshape(-1, size).mean(-1)))
                    blocks[name] = max(blocks.get(name, 0.), of_block)
        print(f"{kind.name:8} {groups:10.2f} {blocks['none']:17.2f} {blocks['moderate']:9.2f} {blocks['extreme']:8.2f}")


if __name__ == "__main__":
    main()
