"""Makes test/stored/peft_sums.json: logits of weighted sums of stored LoRAs by PEFT, as the sum of live adapters and by its add_weighted_adapter."""

import peft
import torch

from common import DATA, exact, quiet, write_json
from peft_methods import MERGED_TAIL, data, logits_of, relative, tiny

# Adapters of test/stored/peft over one base, with their weights.
CASES = {
    "halves": {"lora": 0.5, "lora_rank_pattern": 0.5},
    "three": {"lora_pattern_order": 1.25, "mica": -0.5, "lora_expression": 2.0},
    "rslora": {"lora_rslora": 0.75, "lora_all_linear": 0.5},
    "bias_of_b": {"lora_all_linear": 0.5, "lora_own_bias": 1.5},
    "embedding_and_head": {"lora_embedding": 0.5, "lora_head": 0.75},
    "gpt2": {"lora_gpt2": 0.5, "lora_embedding_gpt2": 0.5},
    "tied": {"lora_ends_tied": 0.5},
}


def base_of(name):
    import json

    return json.loads((DATA / "peft" / name / "case.json").read_text())["base"]


def opened(parts):
    """The base with all of them beside each other, each under its own name."""
    names = list(parts)
    model = peft.PeftModel.from_pretrained(tiny(base_of(names[0])), DATA / "peft" / names[0], adapter_name=names[0])
    for name in names[1:]:
        model.load_adapter(DATA / "peft" / name, adapter_name=name)
    return model


def summed(parts, ids):
    """All of them active, each with its weight on its scale: PEFT adds up what each gives."""
    model = opened(parts)
    for module in model.modules():
        if isinstance(module, peft.tuners.lora.LoraLayer):
            for name, weight in parts.items():
                module.set_scale(name, weight)
    model.base_model.set_adapter(list(parts))
    return logits_of(model, ids)


def combined(parts, ids, how):
    """By add_weighted_adapter; None where PEFT refuses."""
    model = opened(parts)
    try:
        model.add_weighted_adapter(list(parts), list(parts.values()), "sum", combination_type=how)
    except (ValueError, RuntimeError, IndexError, AttributeError) as error:
        print("   ", how, "refused:", str(error)[:100])
        return None
    model.set_adapter("sum")
    return logits_of(model, ids)


def main():
    quiet()
    stored = {}
    for name, parts in CASES.items():
        base = base_of(next(iter(parts)))
        ids, _ = data(base)
        expected = summed(parts, ids)
        plain = logits_of(tiny(base), ids)
        print(f"{name} ({base}): moves the logits by {relative(plain, expected):.2g}; distance from the sum:")
        distances = {}
        for how in ("cat", "linear", "svd"):
            found = combined(parts, ids, how)
            if found is not None:
                distances[how] = exact(relative(found, expected))
        print("   ", distances)
        stored[name] = {"base": base, "parts": parts, "logits": [exact(x) for x in expected[:, -MERGED_TAIL:].flatten().tolist()], "distances_of_peft": distances}
    write_json(DATA / "peft_sums.json", stored)


if __name__ == "__main__":
    main()
