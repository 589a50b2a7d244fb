"""One table: loading tokenizer.json files and encoding texts by afina and by Hugging Face's tokenizers (Rust), in turns, on one thread each.

Usage: PYTHON test/bench/tokenizer_peer.py build/bench_tokenizer FOLDER [--rounds 5] [--only WORD]
FOLDER holds what tokenizer_inputs.py made. In each round every file is loaded and all texts are encoded once by the one, then by the other,
so that no cache has seen a text before; the ids must be the same. The library is timed both as encode() of one document after the other and
as encode_batch_fast() of all of them, which leaves offsets out; the faster counts. Seconds are the
processor's, of the whole process: on a machine that does other work as well they are the same.
"""

import os

os.environ.update(TOKENIZERS_PARALLELISM="false", RAYON_NUM_THREADS="1")  # before the library is loaded

import argparse
import array
import glob
import hashlib
import json
import platform
import statistics
import subprocess
import sys
import time

try:
    import tokenizers
except ImportError:
    tokenizers = None
LIMIT = {"load": 1.0, "encode": 5.0}


def processor():
    try:
        return next(line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


class Ours:
    def __init__(self, program):
        self.child = subprocess.Popen([program, "--asked"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        return self.child.stdout.readline().split()

    def load(self, path):
        return float(self.ask(f"load {path}")[0])

    def encode(self, path):
        seconds, tokens, digest = self.ask(f"encode {path}")
        return float(seconds), int(tokens), digest


class Theirs:
    def load(self, path):
        self.tokenizer = None
        begin = time.process_time()
        self.tokenizer = tokenizers.Tokenizer.from_file(path)
        return time.process_time() - begin

    def encode(self, path):
        """Seconds of the faster way, and the digest of the ids."""
        texts, seconds = json.load(open(path, encoding="utf-8")), []
        ways = [lambda: [self.tokenizer.encode(text, add_special_tokens=False) for text in texts],
                lambda: self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
        if self.first_way:
            ways.reverse()  # in turns: the second finds words in the cache
        for way in ways:
            begin = time.process_time()
            encodings = way()
            seconds.append(time.process_time() - begin)
        digest = hashlib.sha256()
        for encoding in encodings:
            digest.update(array.array("i", encoding.ids).tobytes())
        return min(seconds), digest.hexdigest()


def measure(ours, theirs, path, texts, rounds):
    found = {"load": ([], []), **{text: ([], []) for text in texts}}
    wrong = []
    for index in range(rounds):
        theirs.first_way = index % 2
        found["load"][0].append(ours.load(path))
        found["load"][1].append(theirs.load(path))
        for text in texts:
            seconds, tokens, digest = ours.encode(text)
            found[text][0].append(seconds)
            their_seconds, their_digest = theirs.encode(text)
            found[text][1].append(their_seconds)
            if digest != their_digest and text not in wrong:
                wrong.append(text)
    return found, wrong


def name_of(path):
    return os.path.basename(path).removesuffix(".json").removeprefix("text-")


def report(path, texts, found, wrong):
    (mine, theirs), misses = found["load"], len(wrong)
    ratio = min(mine) / min(theirs)
    misses += ratio > LIMIT["load"]
    print(f"| **{name_of(path)}**: load | {min(mine) * 1e3:.0f} ms ({statistics.median(mine) * 1e3:.0f}) "
          f"| {min(theirs) * 1e3:.0f} ms ({statistics.median(theirs) * 1e3:.0f}) | **{ratio:.2f}× its time** |")
    for text in texts:
        mine, theirs = found[text]
        megabytes = sum(len(d.encode()) for d in json.load(open(text, encoding="utf-8"))) / 1e6
        rates = [megabytes / s for s in (min(mine), statistics.median(mine), min(theirs), statistics.median(theirs))]
        ratio = rates[0] / rates[2]
        misses += ratio < LIMIT["encode"]
        print(f"| {name_of(text)} | {rates[0]:.1f} MB/s ({rates[1]:.1f}) | {rates[2]:.1f} MB/s ({rates[3]:.1f}) | **{ratio:.1f}×**"
              f"{' IDS DIFFER' if text in wrong else ''} |", flush=True)
    return misses


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="tokenizers whose name contains this")
    o = parser.parse_args()
    if tokenizers is None:
        sys.exit(f"{sys.executable} has no tokenizers library: it was not measured (pip install tokenizers)")
    texts = sorted(glob.glob(f"{o.folder}/text-*.json"))
    files = [f for f in sorted(glob.glob(f"{o.folder}/*.json")) if f not in texts and o.only in f]
    print(f"{processor()}, one thread, processor time; tokenizers {tokenizers.__version__}; best (median) of {o.rounds}\n")
    print("| | afina | tokenizers (Rust) | |\n|---|---:|---:|---:|")
    ours, theirs, misses = Ours(o.program), Theirs(), 0
    for path in files:
        misses += report(path, texts, *measure(ours, theirs, path, texts, o.rounds))
    print(f"\nBars: loading at most {LIMIT['load']:.1f}× its time, encoding at least {LIMIT['encode']:.0f}× its speed, the same ids: "
          + (f"missed {misses} times" if misses else "all kept"))


if __name__ == "__main__":
    main()
