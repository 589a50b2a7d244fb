"""Compares ids of random texts with those of Hugging Face's tokenizers library, in every tokenizer of the folders named.

Usage: PYTHON tokenizer_random.py BENCH_TOKENIZER FOLDER... [--characters 1000000] [--seed 1]
BENCH_TOKENIZER is build/bench_tokenizer; FOLDERs hold NAME.json files (test/stored/tokenizers; what test/bench/tokenizer_inputs.py makes).
A text that differs is printed, as short as cutting it in halves makes it.
"""

import argparse
import glob
import hashlib
import array
import json
import os
import random
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer

PIECES = ["a", "B", "z", "the", " The", "ing", "é", "É", "ß", "ǅ", "ʰ", "ª", "中", "国", "の", "ب", "़", "\u0301", "\u0903", "\u0345", "e\u0301", "각", "ᄀ",
          "ᅡ", "ᆨ", "가", "1", "23", "٣", "½", "Ⅷ", "²", "\U0001d7d8", " ", " ", "  ", "   ", "\t", "\n", "\n\n", "\r", "\r\n", "\u00a0", "\u0085", "\u2028", "\u3000",
          "'", "'s", "'S", "'ll", "'LL", "'re", "'ve", "'D", "'m", "'t", ".", ",", "/", "//", "!", "_", "-", "€", "。", "🙂", "👨\u200d👩", "\ufe0f", "\u200b", "\ufeff",
          "\0", "\x7f", "▁", "▁▁", "<0x41>", "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<s>", "<unk>", "<mask>", "Ġ", "İ", "ſ", "Å", "ﬁ", "豈"]


def text(rng, words):
    kind = rng.randrange(6)
    if kind == 0:  # one word without spaces, sometimes of few letters
        return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz"[: rng.choice((1, 2, 5, 26))], k=rng.randrange(1, 700)))
    if kind == 1:
        return "".join(rng.choices(PIECES, k=rng.randrange(1, 60)))
    if kind == 2:
        return "".join(chr(c) for c in (rng.randrange(0x110000) for _ in range(rng.randrange(1, 60))) if not 0xD800 <= c < 0xE000)
    if kind == 3:
        return "".join(chr(rng.randrange(*rng.choice(((32, 127), (0xA0, 0x250), (0x300, 0x370), (0x400, 0x500), (0x900, 0x980), (0x4E00, 0x9FFF),
                                                      (0xAC00, 0xD7A0), (0x1F300, 0x1F700))))) for _ in range(rng.randrange(1, 80)))
    gap = rng.choice(("", " ", " ", "\n", "  "))
    return gap.join(rng.choice(words) if rng.random() < 0.9 else rng.choice(PIECES) for _ in range(rng.randrange(1, 80)))


class Ours:
    def __init__(self, program):
        self.child = subprocess.Popen([program, "--asked"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        return self.child.stdout.readline().split()

    def digest(self, texts):
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump(texts, file)
            file.flush()
            return self.ask(f"encode {file.name}")[2]


def theirs(tokenizer, texts):
    digest = hashlib.sha256()
    for one in texts:
        digest.update(array.array("i", tokenizer.encode(one, add_special_tokens=False).ids).tobytes())
    return digest.hexdigest()


def shortest(ours, tokenizer, texts):
    """One text that differs, cut as short as it goes."""
    while len(texts) > 1:
        half = texts[: len(texts) // 2]
        texts = half if ours.digest(half) != theirs(tokenizer, half) else texts[len(texts) // 2:]
    one, step = texts[0], len(texts[0])
    while step:
        for begin in range(0, len(one), step):
            less = one[:begin] + one[begin + step:]
            if ours.digest([less]) != theirs(tokenizer, [less]):
                one = less
                break
        else:
            step //= 2
    return one


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--characters", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    o = parser.parse_args()
    ours, differ = Ours(o.program), 0
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    words = [w for name in glob.glob(f"{root}/docs/*.md") + glob.glob(f"{root}/data/samples/*.jsonl") for w in open(name, encoding="utf-8").read().split()]
    for path in sorted(p for folder in o.folders for p in glob.glob(f"{folder}/*.json")):
        try:
            tokenizer = Tokenizer.from_file(path)
        except Exception:
            continue  # some other JSON
        ours.ask(f"load {path}")
        rng, left = random.Random(o.seed), o.characters
        while left > 0:
            texts = [text(rng, words) for _ in range(500)]
            left -= sum(map(len, texts))
            if ours.digest(texts) != theirs(tokenizer, texts):
                one = shortest(ours, tokenizer, texts)
                print(f"{path}: {one!r} differs: {tokenizer.encode(one, add_special_tokens=False).tokens}")
                differ += 1
                break
        else:
            print(f"{path}: the same ids for {o.characters} characters", flush=True)
    sys.exit(differ > 0)


if __name__ == "__main__":
    main()
