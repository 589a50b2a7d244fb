"""Makes test/stored/blocks.safetensors: matrices in NF4, FP4 (with and without double quantisation) and int8 by rows, by bitsandbytes.

Needs bitsandbytes 0.50.2 beside requirements.txt. Of a case NAME: NAME.x, the values; NAME.nf4, .nf4.absmax, .nf4.f32, .nf4.bf16 (codes,
scales, what they give in each dtype), the same of fp4; NAME.double.codes, .scales, .offset, .f32 (scales of nf4 in 8 bits); NAME.int8, .SCB,
.int8.f32. And map, the dynamic map, with index, what bitsandbytes' CPU code finds for the values y.
"""

import torch
import bitsandbytes.functional as bnb
from safetensors.torch import save_file

from common import DATA, quiet

quiet()
torch.manual_seed(3)
bounds = (torch.tensor([-1.0, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.09105004, 0.0, 0.0795803, 0.1609302, 0.2461123,
                        0.33791524, 0.44070983, 0.562617, 0.72295684, 1.0]))
bounds = (bounds[:-1] + bounds[1:]) / 2
edges = torch.cat([bounds, torch.tensor([1.0, -1.0, 0.0, -0.0]), torch.nextafter(bounds, torch.tensor(2.0)), torch.zeros(30)])[:64]
CASES = {
    "random": torch.randn(5, 128) * 0.05,
    "odd": torch.randn(3, 37) * 0.02,  # blocks run across rows, the last one is short
    "zeros": torch.zeros(2, 64),
    "equal": torch.cat([torch.full((1, 64), 0.25), torch.full((1, 64), -0.25)]),
    "tiny": torch.randn(2, 64) * 1e-38,  # denormals among them
    "below": torch.full((1, 64), 1e-40),
    "short_zeros": torch.zeros(1, 3),
    "huge": torch.randn(2, 64).clamp(-1, 1) * 3e38,
    "edges": edges.reshape(1, 64),
    "many": (torch.randn(66, 260) * torch.rand(66, 1)).bfloat16(),  # more than 256 blocks
}

out = {}
for name, x in CASES.items():
    out[f"{name}.x"] = x
    x = x.float().contiguous()
    for kind in ("nf4", "fp4"):
        packed, state = bnb.quantize_4bit(x, quant_type=kind, blocksize=64)
        out[f"{name}.{kind}"] = packed.flatten()
        out[f"{name}.{kind}.absmax"] = state.absmax
        if name == "many":
            continue
        for word, dtype in {"f32": torch.float32, "bf16": torch.bfloat16}.items():
            state.dtype = dtype
            out[f"{name}.{kind}.{word}"] = bnb.dequantize_4bit(packed, state).reshape(x.shape)
    packed, state = bnb.quantize_4bit(x, quant_type="nf4", blocksize=64, compress_statistics=True)
    out[f"{name}.double.codes"] = state.absmax
    out[f"{name}.double.scales"] = state.state2.absmax
    out[f"{name}.double.offset"] = state.offset.reshape(1)
    state.dtype = torch.bfloat16
    out[f"{name}.double.bf16"] = bnb.dequantize_4bit(packed, state).reshape(x.shape)
    codes, scales, _ = bnb.int8_vectorwise_quant(x.clone())
    if x.abs().amax(1).min() > 1e-36:  # a row whose 127 / SCB is finite
        out[f"{name}.int8"] = codes
        out[f"{name}.SCB"] = scales
        if name != "many":
            out[f"{name}.int8.f32"] = bnb.int8_vectorwise_dequant(codes, scales)
out["map"] = bnb.create_dynamic_map().float()
y = torch.cat([torch.linspace(-1, 1, 1501), torch.randn(500) * 0.01]).clamp(-1, 1)
y = y[: len(y) // 256 * 256].reshape(-1, 256)
y[:, 0] = 1  # so that a block's largest is 1, and its values are y itself
out["y"] = y
out["index"] = bnb.quantize_blockwise(y, blocksize=256)[0]
save_file({k: v.contiguous().clone() for k, v in out.items()}, DATA / "blocks.safetensors")
