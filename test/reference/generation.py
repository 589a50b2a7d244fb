#!/usr/bin/env python3
"""Where generation stops in transformers: what test/stored/generation.json holds of data/pocket, and any folder that afina wrote.

Usage: python generation.py                                     writes test/stored/generation.json
       python generation.py --model OUT/model --afina build/afina   opens a folder that afina wrote: afina generate must say the same text
"""
import argparse
import json
import pathlib
import subprocess
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from common import quiet

ROOT = pathlib.Path(__file__).resolve().parents[2]
RAW = ["Once upon a time", "The", "Nora went to the harbour"]
CHAT = ["Where is my parcel?", "How many apples are left?", "Tell me a story."]
MOST = 200


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=str(ROOT / "data" / "pocket"))
    parser.add_argument("--afina", help="the program to compare with")
    options = parser.parse_args()
    quiet()
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32, attn_implementation="eager").eval()
    ends = model.generation_config.eos_token_id
    ends = ends if isinstance(ends, list) else [] if ends is None else [ends]
    print("transformers:", len(tokenizer), "tokens, eos_token", tokenizer.eos_token, "stops at", ends)
    cases, wrong = [], 0
    for kind, prompts in (("raw", RAW), ("chat", CHAT)):
        for prompt in prompts:
            if kind == "raw":
                ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
            else:
                ids = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True, return_tensors="pt", return_dict=True)["input_ids"]
            made = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=MOST)[0, ids.shape[1]:].tolist()
            stopped = made.pop() if made and made[-1] in ends else -1
            cases.append({"kind": kind, "prompt": prompt, "ids": ids[0].tolist(), "new": made, "stopped_at": stopped})
            if options.afina:
                words = [options.afina, "generate", "--model", options.model, "--prompt", prompt, "--max-tokens", str(MOST)] + (["--raw"] if kind == "raw" else [])
                ours = subprocess.run(words, capture_output=True, text=True, check=True)
                theirs = tokenizer.decode(made, skip_special_tokens=True)
                same = ours.stdout.rstrip("\n") == theirs.rstrip("\n") and f"{len(made)} new ones" in ours.stderr
                wrong += not same
                print(f"{kind} {prompt!r}: {len(made)} new tokens, stopped at {stopped}:", "same" if same else f"ours {ours.stdout!r} {ours.stderr!r}, theirs {theirs!r}")
    if not options.afina:
        (ROOT / "test" / "stored" / "generation.json").write_text(json.dumps({"most": MOST, "cases": cases}, separators=(",", ":")))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
