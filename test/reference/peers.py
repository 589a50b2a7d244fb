"""One table: a training step of SmolLM2-135M's shape by afina and by PyTorch + transformers + PEFT, one after the other on one machine."""

import argparse
import json
import pathlib
import platform
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# What afina runs and the peer's settings it is held against: of either the best counts, in speed and in memory each. bf16-tiles is bf16 in
# the order in which AMX sums, as PyTorch uses it where there is AMX; elsewhere it is slower than bf16, and left out.
AMX = "amx_bf16" in pathlib.Path("/proc/cpuinfo").read_text() if pathlib.Path("/proc/cpuinfo").exists() else False
BF16 = ["bf16", "bf16-tiles"] if AMX else ["bf16"]
LINES = [
    ("full, f32", ("full", ["f32"]), [["--dtype", "f32"]]),
    ("full, bf16", ("full", BF16), [["--dtype", "autocast"]]),
    # Not the same work: small updates are lost in weights of bf16, and afina's moments and masters stay in f32.
    ("full, bf16; PyTorch's weights and moments in bf16 as well", ("full", BF16), [["--dtype", "bf16"]]),
    ("LoRA r 16, f32", ("lora", ["f32"]), [["--dtype", "f32"]]),
    ("LoRA r 16, bf16", ("lora", BF16), [["--dtype", "autocast"], ["--dtype", "bf16"]]),
]
# The other methods that form no changed weight, with --family: sizes as in peer_bench.py and in test/bench/step_bench.cpp.
FAMILY = {"dora": "DoRA r 16", "vera": "VeRA r 256", "randlora": "RandLoRA r 32", "gralora": "GraLoRA r 32, k 2", "delora": "DeLoRA r 16",
          "ia3": "IA3", "miss": "MiSS r 64", "road": "RoAd", "oft": "OFT block 32", "hra": "HRA r 8"}


def lines(o):
    if not o.family:
        return LINES
    return [(f"{label}, {dtype}", (method, ["f32"] if dtype == "f32" else BF16), settings)
            for method, label in {"lora": "LoRA r 16", **FAMILY}.items()
            for dtype, settings in (("f32", [["--dtype", "f32"]]), ("bf16", [["--dtype", "autocast"], ["--dtype", "bf16"]]))]


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench-step", default="build/bench_step", help="afina's side")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--steps", type=int, default=3, help="timed steps, after one or two that are not")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="try torch.compile as well (needs a C++ compiler; minutes a line)")
    parser.add_argument("--family", action="store_true", help="LoRA and every other method that forms no changed weight, in f32 and bf16")
    parser.add_argument("--only", help="lines whose name contains this")
    parser.add_argument("--model", help="a model with weights, as bench_step and peer_bench.py take it, for the time until the first step")
    parser.add_argument("--out", help="JSON with everything that was measured")
    return parser.parse_args()


def touch_memory():
    """On a virtual machine the first to use memory waits for the host to find it, for seconds: that is not to be either program's."""
    total = int(re.search(r"MemAvailable: +(\d+) kB", pathlib.Path("/proc/meminfo").read_text())[1]) << 10
    touch = f"block = bytearray({min(8 << 30, total // 2)})\nfor i in range(0, len(block), 4096): block[i] = 1"
    subprocess.run([sys.executable, "-c", touch], check=True)  # not in this process, whose peak its children would begin with


def ours(o, method, dtype):
    """tokens/s, MiB resident at most and seconds until the first step could begin, as bench_step prints them."""
    words = [o.bench_step, method, dtype, str(o.batch), str(o.length), str(o.steps), *(["plain", "none", o.model] if o.model else [])]
    text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    print(text, file=sys.stderr)
    rate = float(re.search(r"([\d.]+) tokens/s", text)[1])
    memory, first = re.search(r"peak resident (\d+) MiB, first step begins after ([\d.]+) s", text).groups()
    return {"tokens_per_second": rate, "peak_resident_MiB": int(memory), "seconds_until_model_ready": float(first), "dtype": dtype,
            "text": text}


def theirs(o, method, settings):
    words = [sys.executable, str(HERE / "peer_bench.py"), "--method", method, "--batch", str(o.batch), "--length", str(o.length),
             "--steps", str(o.steps), "--warmup", "1", "--threads", str(o.threads), *settings, *(["--model", o.model] if o.model else [])]
    ran = subprocess.run(words, capture_output=True, text=True)
    if ran.returncode:
        print(f"{' '.join(settings)}: failed\n{ran.stderr[-2000:]}", file=sys.stderr)
        return None
    print(ran.stdout, file=sys.stderr)
    return json.loads(ran.stdout.strip().splitlines()[-1])


def main():
    o = options()
    found, measured = [], {}
    touch_memory()
    for name, (method, dtypes), settings in lines(o):
        if o.only and o.only not in name:
            continue
        if o.compile:
            settings = settings + [s + ["--compile"] for s in settings]
        for dtype in dtypes:
            if (method, dtype) not in measured:
                measured[method, dtype] = ours(o, method, dtype)
        mine = [measured[method, dtype] for dtype in dtypes]
        peers = [p for p in (theirs(o, method, s) for s in settings) if p]
        if not peers:
            sys.exit(f"{name}: the peer ran in none of its settings (see above); is this Python the one with torch, transformers and peft?")
        fast, fastest = (max(r["tokens_per_second"] for r in runs) for runs in (mine, peers))
        small, smallest = (min(r["peak_resident_MiB"] for r in runs) for runs in (mine, peers))
        print(f"{name}: {fast / fastest:.2f}x the tokens/s, {small / smallest:.2f}x the memory", file=sys.stderr)
        found.append({"line": name, "afina": mine, "peers": peers})
    print(f"{o.batch} x {o.length}, {o.threads} threads; torch {peers[0]['torch']}, transformers {peers[0]['transformers']}, "
          f"peft {peers[0]['peft']}, Python {platform.python_version()}, {peers[0]['cpu_capability']}\n")
    print("| | tokens/s: afina | PyTorch | | peak resident: afina | PyTorch | | start: afina | PyTorch | |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for f in found:
        def best(runs):
            return max(runs, key=lambda r: r["tokens_per_second"]), min(runs, key=lambda r: r["peak_resident_MiB"])

        def first(runs):
            return min(r["seconds_until_model_ready"] for r in runs)

        (fast, small), (fastest, smallest) = best(f["afina"]), best(f["peers"])
        print(f"| {f['line']} | {fast['tokens_per_second']:.0f} ({fast['dtype']}) | {fastest['tokens_per_second']:.0f} ({fastest['dtype']}"
              f"{', compiled' if fastest['compile'] else ''}) | **{fast['tokens_per_second'] / fastest['tokens_per_second']:.2f}×** "
              f"| {small['peak_resident_MiB']:,} MiB | {smallest['peak_resident_MiB']:,} MiB ({smallest['dtype']}) "
              f"| **{small['peak_resident_MiB'] / smallest['peak_resident_MiB']:.2f}×** "
              f"| {first(f['afina']):.2f} s | {first(f['peers']):.1f} s | **{first(f['afina']) / first(f['peers']):.2f}×** |")
    if o.out:
        pathlib.Path(o.out).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
