"""Opens an adapter that afina wrote with PEFT, on the same base model, and compares PEFT's logits, plain and merged, with ours."""

import argparse
import sys

import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from common import quiet, store
from compare import add_options, judge, read_ours


def base_model(path):
    if path.endswith(".gguf"):
        from smollm2_model import load_model

        return load_model(path)
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()


def opened(base, adapter):
    """The adapter on its base as PEFT opens it; every tensor of the file must have found its place."""
    model = PeftModel.from_pretrained(base_model(base), adapter).eval()
    # PEFT only warns when names do not match, and would go on with an adapter that does nothing.
    stored = load_file(adapter.rstrip("/") + "/adapter_model.safetensors")
    taken = get_peft_model_state_dict(model)
    # What PEFT writes once more for every layer (RandLoRA) stands once in ours.
    shared = {n.rsplit(".", 1)[1]: t for n, t in stored.items() if n.count(".") == 1 and n.startswith("base_model.")}
    taken = {n: t for n, t in taken.items() if n in stored or not torch.equal(t.float(), shared.get(n.rsplit(".", 1)[1], torch.tensor(0.)).float())}
    # The base's own table, which PEFT repeats in the file of an adapter on the embedding or the head, is no part of the adapter.
    taken = {n: t for n, t in taken.items() if n in stored or not n.endswith(".base_layer.weight")}
    assert set(stored) == set(taken), f"names differ: {sorted(set(stored) ^ set(taken))[:6]}"
    wrong = [n for n in stored if not torch.equal(stored[n].float(), taken[n].float())]
    assert not wrong, f"not loaded: {wrong[:6]}"
    return model


def agrees(base, adapter, ids, ours, tolerance, out=None, merges=True):
    """Does PEFT, with the adapter and with it merged where it can be, give our logits of these ids?"""
    model = opened(base, adapter)
    prompt = model.active_peft_config.is_prompt_learning  # has logits of its own tokens in front, and nothing to merge
    theirs = {}
    with torch.no_grad():
        theirs["logits"] = model(ids).logits[:, -ids.shape[1]:]
        if merges and not prompt:
            theirs["merged_logits"] = model.merge_and_unload()(ids).logits
    if out:
        store(out, {"input_ids": ids} | theirs)
    return all([judge(name.replace("_logits", "").replace("logits", "adapter"), ours[:, -ids.shape[1]:], of_peft, tolerance)
                for name, of_peft in theirs.items()])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True, help="the base model: a Hugging Face folder, or SmolLM2 as .gguf")
    parser.add_argument("--adapter", required=True, help="the adapter's folder")
    add_options(parser)
    options = parser.parse_args()
    quiet()
    ids, ours = read_ours(options)
    return 0 if agrees(options.base, options.adapter, ids, ours, options.tolerance, options.out) else 1


if __name__ == "__main__":
    sys.exit(main())
