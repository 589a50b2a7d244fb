"""Opens a model folder that afina wrote with transformers (model and tokenizer) and compares its logits and token ids with ours."""

import argparse
import json
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from common import quiet, store
from compare import add_options, judge, read_ours


def tokenizer_agrees(folder, path):
    """The folder's tokenizer against a JSON list of {"text", "ids"} that afina wrote; without one, only that it opens."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if not path:
        print(f"tokenizer: {len(tokenizer)} tokens, chat template {'present' if tokenizer.chat_template else 'absent'}")
        return True
    records = json.loads(pathlib.Path(path).read_text())
    wrong = [r["text"] for r in records if tokenizer.encode(r["text"], add_special_tokens=False) != r["ids"]]
    print(f"tokenizer: {len(records) - len(wrong)} of {len(records)} texts agree", *(repr(w) for w in wrong[:3]))
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="the folder")
    parser.add_argument("--texts", help='JSON list of {"text": ..., "ids": [...]} from afina')
    parser.add_argument("--no-tokenizer", action="store_true", help="the folder has none")
    add_options(parser)
    options = parser.parse_args()
    quiet()
    ids, ours = read_ours(options)
    model, report = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    problems = {k: sorted(map(str, v)) for k, v in report.items() if v}
    assert not problems, f"not loaded cleanly: {problems}"
    good = options.no_tokenizer or tokenizer_agrees(options.model, options.texts)
    with torch.no_grad():
        theirs = model.eval()(ids).logits
    if options.out:
        store(options.out, {"input_ids": ids, "logits": theirs})
    return 0 if judge("model", ours, theirs, options.tolerance) and good else 1


if __name__ == "__main__":
    sys.exit(main())
