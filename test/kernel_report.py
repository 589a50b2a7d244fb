#!/usr/bin/env python3
"""Registers, shared memory and spills of every CUDA kernel, from the compiler's report: the table of docs/results/kernels.md.

Usage: test/kernel_report.py [--arch sm_90a] [FILES, cuda/*.cu by default]. Needs nvcc; no GPU. Exit code 1 when a kernel spills."""

import argparse
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLAGS = ["-std=c++20", "-O3", f"-I{ROOT}", "--expt-relaxed-constexpr", "--fmad=false", "--ftz=true", "-Xptxas", "-v", "-cubin"]


def find_nvcc():
    for path in (shutil.which("nvcc"), "/usr/local/cuda/bin/nvcc"):
        if path and os.path.exists(path):
            return path
    sys.exit("kernel_report: nvcc is not installed")


def report(nvcc, file, arch):
    """What ptxas says of a file: [(mangled name, registers, shared bytes, spilled bytes)]."""
    command = [nvcc, *FLAGS, f"-arch={arch}", "-o", os.devnull, file]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        sys.exit(ran.stderr)
    found, name, spilled = [], None, 0
    for line in ran.stderr.splitlines():
        if m := re.search(r"Compiling entry function '([^']+)'", line):
            name, spilled = m[1], 0
        elif m := re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line):
            spilled = int(m[1]) + int(m[2])
        elif name and (m := re.search(r"Used (\d+) registers", line)):
            shared = re.search(r"(\d+) bytes smem", line)
            found.append((name, int(m[1]), int(shared[1]) if shared else 0, spilled))
            name = None
    return found


def readable(names):
    """flash forward_kernel<64> instead of what the linker sees."""
    text = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True).stdout.splitlines()
    out = []
    for line in text:
        line = re.sub(r"\(anonymous namespace\)::|afina::cuda::|afina::", "", line).removeprefix("void ")
        depth, end = 0, len(line)
        for i, c in enumerate(line):  # the parameters begin at the first parenthesis outside of <>
            depth += (c == "<") - (c == ">")
            if c == "(" and depth == 0 and i and line[i - 1] not in "<, ":
                end = i
                break
        line = re.sub(r"\((?:bool|int|Scalar|unsigned)\)", "", line[:end])
        out.append(line.replace(">", "\\>").replace("<", "\\<"))
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", default="sm_90a")
    parser.add_argument("files", nargs="*")
    o = parser.parse_args()
    nvcc = find_nvcc()
    spills = False
    print(f"| file | kernel | registers | static shared | spilled |\n|---|---|---:|---:|---:|")
    for file in o.files or sorted(glob.glob(str(ROOT / "cuda" / "*.cu"))):
        found = report(nvcc, file, o.arch)
        for (_, registers, shared, spilled), name in zip(found, readable([f[0] for f in found])):
            spills = spills or spilled > 0
            print(f"| {pathlib.Path(file).stem} | {name} | {registers} | {shared} | {spilled} |", flush=True)
    sys.exit(spills)


if __name__ == "__main__":
    main()
