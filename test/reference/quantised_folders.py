"""Makes test/stored/quantised: the tiny Llama as transformers saves it with bitsandbytes (0.50.2, beside requirements.txt).

Folders nf4 (double quantisation, of bf16 weights), fp4 (single, f32) and int8, each with reference.safetensors: tokens, what two of the
quantised weights give, and the logits in f32 of the model with all of them unpacked. They are unpacked by bitsandbytes' definition in Python:
its kernel for CPUs takes the scales of other blocks where rows are no multiple of a block, and these are shorter than one.
"""

import json
import shutil

import bitsandbytes.functional as bnb
import torch
from bitsandbytes.backends.default.ops import _dequantize_4bit_compute
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from common import DATA, TINY, quiet

quiet()
OUT = DATA / "quantised"
TOKENS = torch.tensor([[3, 14, 15, 9, 2, 6, 5, 35]])
KINDS = {
    "nf4": (torch.bfloat16, dict(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True)),
    "fp4": (torch.float32, dict(load_in_4bit=True)),
    "int8": (torch.float32, dict(load_in_8bit=True)),
}


def unpacked(weight):
    if getattr(weight, "SCB", None) is not None:
        return bnb.int8_vectorwise_dequant(weight.data, weight.SCB)
    state = weight.quant_state
    scales = state.absmax
    if state.nested:
        scales = bnb.dequantize_blockwise(scales, state.state2) + state.offset
    return _dequantize_4bit_compute(weight.data.reshape(-1), scales.float(), state.code, state.blocksize, state.shape, state.dtype).float()


for name, (dtype, options) in KINDS.items():
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    config = BitsAndBytesConfig(**options, **({} if name == "int8" else {"bnb_4bit_compute_dtype": torch.float32}))
    model = AutoModelForCausalLM.from_pretrained(TINY / "llama", quantization_config=config, dtype=dtype, device_map="cpu")
    model.save_pretrained(folder)
    for extra in folder.glob("generation_config.json"):
        extra.unlink()
    out = {"tokens": TOKENS}
    plain = AutoModelForCausalLM.from_pretrained(TINY / "llama", dtype=dtype).float()  # embedding and norms as they were rounded
    modules = dict(plain.named_modules())
    for path, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if getattr(weight, "SCB", None) is None and not hasattr(weight, "quant_state"):
            continue
        modules[path].weight.data = unpacked(weight).reshape(modules[path].weight.shape)
        if path.endswith(("layers.1.self_attn.q_proj", "layers.0.mlp.down_proj")):
            out[f"{path}.weight"] = modules[path].weight.data
    with torch.no_grad():
        out["logits"] = plain(TOKENS).logits
    save_file({k: v.contiguous().clone() for k, v in out.items()}, folder / "reference.safetensors")
    print(name, len(out), json.loads((folder / "config.json").read_text())["quantization_config"]["quant_method"])
