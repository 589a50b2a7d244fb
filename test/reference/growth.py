"""How the costs of LoRA grow with the length of a row, and with depth and width: afina beside PyTorch + transformers + PEFT."""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# Names, layers, width, heads, key and value heads, MLP: the three SmolLM2 and one between them.
SHAPES = [("135M", 30, 576, 9, 3, 1536), ("360M", 32, 960, 15, 5, 2560), ("1B", 24, 1536, 24, 8, 6144), ("1.7B", 24, 2048, 32, 32, 8192)]


def config_of(shape, folder):
    name, layers, width, heads, kv_heads, mlp = shape
    path = pathlib.Path(folder) / name
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": width, "intermediate_size": mlp,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": kv_heads, "vocab_size": 49152,
        "max_position_embeddings": 8192, "rms_norm_eps": 1e-05, "rope_theta": 100000.0, "tie_word_embeddings": True}))
    return str(path)


def ours(o, model, length, checkpoint):
    words = [o.bench_step, "lora", o.dtype, "1", str(length), "1", "plain", checkpoint, model]
    text = subprocess.run(o.before + words, check=True, capture_output=True, text=True).stdout
    print(text.splitlines()[0], file=sys.stderr, flush=True)
    return (float(re.search(r"([\d.]+) tokens/s", text)[1]), int(re.search(r"peak resident (\d+) MiB", text)[1]),
            int(re.search(r"([\d.]+) % of the peak", text)[1]))


def theirs(o, model, length):
    words = [sys.executable, str(HERE / "peer_bench.py"), "--method", "lora", "--dtype", o.dtype, "--batch", "1", "--length", str(length),
             "--steps", "1", "--warmup", "1", "--threads", str(o.threads), "--model", model]
    ran = subprocess.run(o.before + words, capture_output=True, text=True)
    if ran.returncode:
        print(f"the peer failed at {length}: {ran.stderr[-500:]}", file=sys.stderr)
        return None
    found = json.loads(ran.stdout.strip().splitlines()[-1])
    print(f"peer: {found['tokens_per_second']} tokens/s", file=sys.stderr, flush=True)
    return found["tokens_per_second"], found["peak_resident_MiB"]


def row(o, name, model, length, peer):
    plain, block = ours(o, model, length, "none"), ours(o, model, length, "block")
    other = theirs(o, model, length) if peer else None
    speed, memory = (f"{other[0]:.0f}", f"{other[1]:,}") if other else ("–", "–")
    times = f"{plain[0] / other[0]:.2f}×" if other else "–"
    print(f"| {name} | {plain[0]:.0f} | {plain[2]} % | {speed} | {times} | {plain[1]:,} | {block[1]:,} | {block[0]:.0f} | {memory} |", flush=True)


def head(first):
    print(f"\n| {first} | tokens/s | of the peak | PyTorch | | MiB | MiB, checkpoint block | tokens/s with it | MiB, PyTorch |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench-step", default="build/bench_step", help="afina's side")
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lengths", type=int, nargs="*", default=[256, 512, 1024, 2048, 4096, 8192], help="of one row, at 135M")
    parser.add_argument("--sizes", nargs="*", default=[s[0] for s in SHAPES], help="at one row of 256 tokens")
    parser.add_argument("--peer-to", type=int, default=4096, help="longest row for the peer, which takes minutes a step beyond")
    parser.add_argument("--before", default="", help="words before each command, as in --before='chrt -f 1'")
    o = parser.parse_args()
    o.before = o.before.split()
    with tempfile.TemporaryDirectory() as folder:
        if o.lengths:
            head("length")
        for length in o.lengths:
            row(o, f"{length:,}", config_of(SHAPES[0], folder), length, length <= o.peer_to)
        if o.sizes:
            head("shape")
        for shape in SHAPES:
            if shape[0] in o.sizes:
                row(o, f"{shape[0]}: {shape[1]} layers of {shape[2]}", config_of(shape, folder), 256, True)


if __name__ == "__main__":
    main()
