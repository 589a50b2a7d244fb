"""The peers' training step for comparison: PyTorch + transformers + PEFT on the CPU with SmolLM2-135M's shape, in tokens per second."""

import argparse
import json
import os
import platform
import resource
import statistics
import sys
import time

BEGIN = time.perf_counter()
# PEFT's configuration of each method at the size that test/bench/step_bench.cpp gives it; every linear layer of the blocks, or IA3's own choice.
LINEAR = {"task_type": "CAUSAL_LM", "target_modules": "all-linear"}
CONFIGS = {
    "lora": ("LoraConfig", {**LINEAR, "r": 16, "lora_alpha": 32}),
    "dora": ("LoraConfig", {**LINEAR, "r": 16, "lora_alpha": 32, "use_dora": True}),
    "vera": ("VeraConfig", {**LINEAR, "r": 256}),
    "randlora": ("RandLoraConfig", {**LINEAR, "r": 32}),
    "gralora": ("GraloraConfig", {**LINEAR, "r": 32, "gralora_k": 2}),
    "delora": ("DeloraConfig", {**LINEAR, "r": 16}),
    "ia3": ("IA3Config", {"task_type": "CAUSAL_LM", "target_modules": ["k_proj", "v_proj", "down_proj"], "feedforward_modules": ["down_proj"]}),
    "miss": ("MissConfig", {**LINEAR, "r": 64}),
    "road": ("RoadConfig", {**LINEAR}),
    "oft": ("OFTConfig", {**LINEAR, "r": 0, "oft_block_size": 32}),
    "hra": ("HRAConfig", {**LINEAR, "r": 8}),
}


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", choices=["full", *CONFIGS], default="full")
    parser.add_argument("--dtype", choices=["f32", "bf16", "autocast"], default="f32",
                        help="bf16: weights, gradients and moments in bf16 (a LoRA's own weights stay f32, PEFT's default); autocast: f32 weights, "
                             "products in bf16")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--steps", type=int, default=5, help="timed steps")
    parser.add_argument("--warmup", type=int, default=2, help="steps before those")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--attention", choices=["sdpa", "eager"], default="sdpa")
    parser.add_argument("--compile", action="store_true", help="torch.compile the model")
    parser.add_argument("--checkpointing", action="store_true", help="activation checkpointing")
    parser.add_argument("--base", choices=["nf4", "nf4-double", "int8"], help="a base that bitsandbytes quantises, opened by transformers in bf16 as "
                        "QLoRA's users do it; --dtype is left out of account")
    parser.add_argument("--model", help="SmolLM2 as .gguf, a folder with weights, or a folder with a config.json alone, whose weights are then "
                        "random; SmolLM2's shape with random weights otherwise")
    return parser.parse_args()


def quantised(model, base):
    """The same model, stored once and opened again with its linear layers in 4 or 8 bits."""
    import tempfile

    import peft
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    if base == "int8":
        form = BitsAndBytesConfig(load_in_8bit=True)
    else:
        form = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16,
                                  bnb_4bit_use_double_quant=base == "nf4-double")
    with tempfile.TemporaryDirectory() as folder:
        model.to(torch.bfloat16).save_pretrained(folder)
        del model
        opened = AutoModelForCausalLM.from_pretrained(folder, quantization_config=form, dtype=torch.bfloat16, device_map="cpu")
    return peft.prepare_model_for_kbit_training(opened, use_gradient_checkpointing=False)


def build(o):
    import torch
    import peft
    from transformers import LlamaConfig, LlamaForCausalLM

    import smollm2_model

    torch.set_num_threads(o.threads)
    torch.manual_seed(1)
    if o.model and o.model.endswith(".gguf"):
        model = smollm2_model.load_model(o.model, o.attention)
    elif o.model and os.path.exists(os.path.join(o.model, "model.safetensors")):
        model = LlamaForCausalLM.from_pretrained(o.model, attn_implementation=o.attention, dtype=torch.bfloat16 if o.dtype == "bf16" else torch.float32)
    elif o.model:
        config = LlamaConfig.from_pretrained(o.model)
        config._attn_implementation = o.attention
        # Made in the dtype that it is used in, as a model that is opened would be.
        torch.set_default_dtype(torch.bfloat16 if o.dtype == "bf16" else torch.float32)
        model = LlamaForCausalLM(config)
        torch.set_default_dtype(torch.float32)
    else:
        config = smollm2_model.config()
        config._attn_implementation = o.attention
        model = LlamaForCausalLM(config)
    if o.base:
        model = quantised(model, o.base)
    elif o.dtype == "bf16":
        model = model.to(torch.bfloat16)
    model.config.use_cache = False
    if o.checkpointing:
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
    if o.method in CONFIGS:
        kind, words = CONFIGS[o.method]
        model = peft.get_peft_model(model, getattr(peft, kind)(**words))
    return model.train()


def measure(o, model):
    """Seconds of every step by phase; the last entry of each list is the latest step."""
    import torch

    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-5, weight_decay=0.1, foreach=True)
    forward = torch.compile(model) if o.compile else model
    generator = torch.Generator().manual_seed(2)
    # processor: of all threads together; other programs on the machine change it too, if less than wall time
    times = {"forward": [], "backward": [], "optimizer": [], "step": [], "processor": []}
    first = None
    for step in range(o.warmup + o.steps):
        ids = torch.randint(0, model.config.vocab_size, (o.batch, o.length), generator=generator)
        start, used = time.perf_counter(), time.process_time()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=o.dtype == "autocast" or bool(o.base)):
            loss = forward(input_ids=ids, labels=ids).loss
        loss_value = loss.item()
        a = time.perf_counter()
        loss.backward()
        b = time.perf_counter()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        end = time.perf_counter()
        first = first or end - BEGIN
        if step >= o.warmup:
            for name, value in zip(times, (a - start, b - a, end - b, end - start, time.process_time() - used)):
                times[name].append(value)
        print(f"step {step} loss {loss_value:.4f} {end - start:.2f} s", file=sys.stderr, flush=True)
    return times, first, sum(p.numel() for p in trained)


def bitsandbytes_version(o):
    if not o.base:
        return {}
    import bitsandbytes

    return {"bitsandbytes": bitsandbytes.__version__}


def main():
    o = options()
    os.environ["OMP_NUM_THREADS"] = str(o.threads)
    model = build(o)
    ready = time.perf_counter() - BEGIN
    times, first, trained = measure(o, model)
    import peft
    import torch
    import transformers

    seconds = {name: round(statistics.median(v), 4) for name, v in times.items()}
    print(json.dumps({
        **{k: v for k, v in vars(o).items() if v is not None},
        "trained_parameters": trained, "tokens_per_second": round(o.batch * o.length / seconds["step"], 1),
        "tokens_per_second_best": round(o.batch * o.length / min(times["step"]), 1), "median_seconds": seconds,
        "peak_resident_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "seconds_until_model_ready": round(ready, 2), "seconds_until_first_step_done": round(first, 2),
        "torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__, **bitsandbytes_version(o), "python": platform.python_version(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability()}))


if __name__ == "__main__":
    main()
