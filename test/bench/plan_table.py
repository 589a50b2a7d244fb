#!/usr/bin/env python3
"""What was foreseen beside what was measured, for a table: short runs of `afina train`, each with its own plan.

Usage: plan_table.py AFINA [SMOLLM2]   the program, and SmolLM2-135M-Instruct as a folder or .gguf (tools/get-smollm2)
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
COMMON = ["--held-out", "4", "--eval-rows", "2", "--generations", "0", "--on-too-long", "cut",
          "--on-problem", "skip", "--limit", "300", "--lr", "1e-4", "--clip", "1"]
POCKET = ["full --batch 8 --length 256", "full --batch 8 --length 256 --dtype bf16", "full --batch 8 --length 256 --checkpoint block",
          "full --batch 2 --accumulate 4 --length 256", "full --batch 4 --length 128 --pack off", "lora:rank=16 --batch 8 --length 256",
          "lora:rank=4,targets=q_proj+v_proj --batch 8 --length 256 --dtype bf16", "lora:rank=64,dropout=0.1 --batch 4 --length 256"]
SMOLLM2 = ["full --batch 4 --length 256", "full --batch 4 --length 256 --dtype bf16",
           "full --batch 4 --length 256 --dtype bf16 --checkpoint block", "full --batch 2 --length 512 --dtype bf16",
           "full --batch 1 --accumulate 4 --length 256 --dtype bf16", "lora:rank=16 --batch 4 --length 256",
           "lora:rank=16 --batch 4 --length 256 --dtype bf16", "lora:rank=64,targets=q_proj+v_proj --batch 2 --length 512 --dtype bf16",
           "lora:rank=8 --batch 4 --length 256 --dtype bf16 --pack-frozen on",
           "full --batch 4 --length 256 --dtype bf16-tiles", "lora:rank=16 --batch 4 --length 256 --dtype bf16-tiles"]


def difference(foreseen, measured):
    return "exact" if foreseen == measured else f"{100 * (measured / foreseen - 1):+.1f} %"


def mib(number):
    return f"{number / 2**20:,.1f}"


def row(afina, name, model, data, steps, options):
    method, *rest = options.split()
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([afina, "train", "--model", model, "--data", str(SOURCE / "data/samples" / data), "--method", method, "--out", out,
                        "--store", "bf16", "--steps", str(steps), "--eval-every", str(steps), *COMMON, *rest], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        run = json.load(open(out + "/run.json"))["run"]
    p, m = run["predicted"], run["memory"]
    flops = [sum(x["flops"][k] for k in ("forward", "backward")) for x in (p, run)]
    seconds = [p["seconds"]["training"] if p["seconds"] else float("nan"), run["seconds"]["training"]]
    print(f"| {name}: {options.replace('--', '')} | {mib(p['memory']['peak'])} | {mib(m['peak'])} | {difference(p['memory']['peak'], m['peak'])} "
          f"| {mib(p['memory']['resident_peak'])} | {mib(m['resident_peak'])} | {run['flops']['forward'] / 1e9:,.1f} + {run['flops']['backward'] / 1e9:,.1f} "
          f"| {difference(*flops)} | {seconds[0]:.2f} | {seconds[1]:.2f} | {difference(*seconds)} | {difference(p['storage_bytes'], run['storage_bytes'])} |",
          flush=True)


def main():
    afina = sys.argv[1]
    print("| run | peak foreseen, MiB | measured | difference | process foreseen, MiB | measured | GFLOP forward + backward | difference "
          "| seconds foreseen | measured | difference | bytes stored |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for dtype in "f32", "bf16-tiles":  # the machine's speed, once for all rows
        subprocess.run([afina, "plan", "--model", str(SOURCE / "data/pocket"), "--method", "full", "--dtype", dtype], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "AFINA_PROFILE": "new"})
    for options in POCKET:
        row(afina, "pocket", str(SOURCE / "data/pocket"), "support.jsonl", 30, options)
    for options in SMOLLM2 if len(sys.argv) > 2 else []:
        row(afina, "SmolLM2-135M", sys.argv[2], "arithmetic.jsonl", 3, options)


if __name__ == "__main__":
    main()
