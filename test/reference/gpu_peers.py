"""The peers' training steps on a GPU: PyTorch (torch.compile, fused AdamW, SDPA) and PEFT, on the shapes of test/bench/gpu/steps.cpp.

Prints a Markdown table: for each model and method the quickest of the settings tried, tokens/s and peak memory. torch.compile takes
minutes, of which the GPU has seconds: with --lock, several of these (one a line: --only, --methods) compile side by side, and each waits
with its timed steps until it has the lock, and so the card, to itself. What else is timed meanwhile takes the same lock (flock -x)."""

import argparse
import contextlib
import fcntl
import gc
import sys
import time

MODELS = {
    "GPT-2 124M": (1024, 32), "SmolLM2 135M": (1024, 32), "Llama 3.2 1B shape": (2048, 4),
}
# How each is set: the dtype of the weights ("autocast": f32 weights, products in bf16) and whether torch.compile is used.
SETTINGS = {"autocast-compiled": ("autocast", True), "bf16-compiled": ("bf16", True), "autocast": ("autocast", False), "bf16": ("bf16", False)}


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="models whose name contains this")
    parser.add_argument("--steps", type=int, default=10, help="timed steps")
    parser.add_argument("--warmup", type=int, default=4, help="steps before those (the first compiles)")
    parser.add_argument("--most-rows", type=int, default=256)
    parser.add_argument("--once", action="store_true", help="the rows to begin with alone, not doubled")
    parser.add_argument("--settings", default="autocast-compiled,bf16-compiled,autocast", help="of " + ", ".join(SETTINGS))
    parser.add_argument("--methods", default="full,lora")
    parser.add_argument("--rows", type=int, help="rows to begin with, where not the models' own")
    parser.add_argument("--lock", help="a file: held by all during the first steps, by one alone during those that are timed")
    return parser.parse_args()


def config_of(name):
    from transformers import GPT2Config, LlamaConfig

    if name == "GPT-2 124M":
        return GPT2Config(vocab_size=50304, n_positions=1024, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    if name == "SmolLM2 135M":
        return LlamaConfig(hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
                           vocab_size=49152, max_position_embeddings=8192, rms_norm_eps=1e-5, rope_theta=1e5, tie_word_embeddings=True)
    return LlamaConfig(hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32, num_key_value_heads=8,
                       head_dim=64, vocab_size=128256, max_position_embeddings=8192, rms_norm_eps=1e-5, rope_theta=5e5,
                       tie_word_embeddings=True)


def build(name, method, dtype):
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    config = config_of(name)
    config.use_cache = False
    model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
    # A frozen base is held in bf16 whatever the setting, as afina holds it: PEFT keeps the adapters in f32.
    model = model.to("cuda", torch.bfloat16 if dtype == "bf16" or method == "lora" else torch.float32)
    if method == "lora":
        from peft import LoraConfig, get_peft_model

        model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear"))
    return model.train()


@contextlib.contextmanager
def held(path, how):
    if not path:
        yield
        return
    with open(path, "w") as file:
        fcntl.flock(file, how)
        yield


def measure(o, name, method, dtype, compiled, rows, length):
    import torch

    torch.cuda.reset_peak_memory_stats()
    model = build(name, method, dtype)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-5, weight_decay=0.01, fused=True)
    forward = torch.compile(model) if compiled else model
    vocabulary = model.config.vocab_size

    def steps(count):
        for _ in range(count):
            ids = torch.randint(0, vocabulary, (rows, length)).pin_memory().to("cuda", non_blocking=True)
            with torch.autocast("cuda", dtype=torch.bfloat16, enabled=dtype == "autocast"):
                loss = forward(input_ids=ids, labels=ids).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0, foreach=True)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        torch.cuda.synchronize()

    begin = time.perf_counter()
    with held(o.lock, fcntl.LOCK_SH):
        steps(o.warmup)
    torch.cuda.empty_cache()  # for those beside it
    print(f"{name}, {method}: {o.warmup} steps and compiling in {time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)
    with held(o.lock, fcntl.LOCK_EX):
        steps(1)  # takes the memory again
        start = time.perf_counter()
        steps(o.steps)
        seconds = (time.perf_counter() - start) / o.steps
        if o.lock:
            torch.cuda.empty_cache()
    return rows * length / seconds, torch.cuda.max_memory_allocated() / 2**30


def fill(o, name, method, dtype, compiled):
    """Doubles the rows until that gains nothing or does not fit: (tokens/s, GiB, rows)."""
    import torch

    length, rows = MODELS[name]
    rows = o.rows or rows
    best = None
    while rows <= o.most_rows:
        try:
            rate, memory = measure(o, name, method, dtype, compiled, rows, length)
        except torch.cuda.OutOfMemoryError:
            print(f"{name}, {method}, {dtype}: {rows} rows do not fit", file=sys.stderr)
            break
        finally:
            gc.collect()
            torch.cuda.empty_cache()
            torch.compiler.reset()
        gained = not o.once and (best is None or rate > 1.02 * best[0])
        if best is None or rate > best[0]:
            best = (rate, memory, rows)
        if not gained:
            break
        rows *= 2
    return best


def main():
    o = options()
    import peft
    import torch
    import transformers

    torch.backends.cuda.matmul.allow_tf32 = True
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}, {torch.cuda.get_device_name()}\n")
    print("| model | method | setting | rows x length | tokens/s | peak memory |\n|---|---|---|---:|---:|---:|")
    for name in MODELS:
        if o.only not in name:
            continue
        for method in o.methods.split(","):
            for dtype, compiled in (SETTINGS[s] for s in o.settings.split(",")):
                try:
                    found = fill(o, name, method, dtype, compiled)
                except Exception as error:  # one setting that does not run must not hide the others
                    print(f"{name}, {method}, {dtype}: {error}", file=sys.stderr)
                    continue
                if not found:
                    continue
                rate, memory, rows = found
                print(f"| {name} | {'LoRA r 16' if method == 'lora' else method} | {dtype}{', compiled' if compiled else ''} "
                      f"| {rows} x {MODELS[name][0]} | {rate:.0f} | {memory:.2f} GiB |", flush=True)


if __name__ == "__main__":
    main()
