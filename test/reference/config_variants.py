"""What transformers makes of config.json in the forms that people have: the loss of tiny models under changed configs, for
test/stored/config_variants.json."""

import json
import shutil
import tempfile
import pathlib

import torch
from transformers import AutoModelForCausalLM

from common import DATA, TINY, exact, quiet, write_json

T = 24
GONE = "(gone)"
LLAMA3 = {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}

# (base, what is changed in its config.json)
VARIANTS = [
    ("llama", {"rope_theta": 500000.0, "rope_parameters": {"rope_type": "default"}, "rope_scaling": GONE}),
    ("llama", {"rope_theta": GONE, "rope_parameters": {"rope_type": "default"}, "rope_scaling": GONE}),
    ("llama", {"rope_theta": 500000.0, "rope_parameters": {"rope_type": "default", "rope_theta": 1000.0}}),
    ("llama", {"rope_theta": GONE, "rope_scaling": {"rope_type": "linear", "factor": 4.0, "rope_theta": 500000.0}}),
    ("llama", {"rope_theta": 200.0, "rope_scaling": {"rope_type": "linear", "factor": 4.0, "rope_theta": 500000.0}}),
    ("llama", {"rope_theta": GONE, "rope_scaling": {"rope_type": "linear", "factor": 4.0},
               "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0}}),
    ("llama", {"rope_theta": 100.0, "rope_scaling": {}, "rope_parameters": {"rope_type": "linear", "factor": 2.0}}),
    ("llama", {"rope_scaling": {"type": "dynamic", "factor": 2.0}}),
    ("llama", {"rope_scaling": LLAMA3}),
    ("llama", {"original_max_position_embeddings": 32, "rope_scaling": LLAMA3}),
    ("llama", {"rope_scaling": YARN}),
    ("llama", {"rope_scaling": {**YARN, "truncate": False, "beta_fast": 4.0, "beta_slow": 0.5}}),
    ("llama", {"rope_scaling": {**YARN, "attention_factor": 0.75}}),
    ("llama", {"rope_scaling": {**YARN, "mscale": 0.7, "mscale_all_dim": 1.3}}),
    ("llama", {"rope_scaling": {"type": "yarn", "factor": 2.0}}),
    ("mistral", {"sliding_window": 6}),
    ("mistral", {"sliding_window": 6, "use_sliding_window": False}),
    ("mistral", {"sliding_window": 6, "layer_types": ["full_attention", "full_attention"]}),
    ("mistral", {"sliding_window": None}),
    ("mistral", {"sliding_window": GONE}),
    ("mistral", {"sliding_window": 6, "num_key_value_heads": 1, "rope_theta": GONE}),
    ("qwen2", {"use_sliding_window": True, "sliding_window": 6, "max_window_layers": 2}),
    ("qwen2", {"use_sliding_window": True, "sliding_window": 6, "max_window_layers": 1}),
    ("qwen2", {"use_sliding_window": True, "sliding_window": 6, "max_window_layers": 0, "layer_types": GONE}),
    ("qwen2", {"use_sliding_window": False, "sliding_window": 6, "layer_types": GONE}),
    ("qwen2", {"use_sliding_window": True, "sliding_window": 6, "layer_types": ["full_attention", "sliding_attention"]}),
    ("gemma3", {"rope_parameters": GONE, "rope_theta": 20000.0, "rope_local_base_freq": 300.0, "rope_scaling": {"rope_type": "linear", "factor": 8.0}}),
    ("gemma3", {"rope_parameters": GONE, "layer_types": GONE, "sliding_window_pattern": 2}),
    ("gemma2", {"attn_logit_softcapping": None, "final_logit_softcapping": None, "layer_types": GONE}),
    ("gemma", {"hidden_act": "gelu", "hidden_activation": None}),
    ("olmo3", {"rope_parameters": GONE, "rope_theta": 3000.0, "rope_scaling": YARN}),
    ("smollm3", {"no_rope_layers": GONE, "no_rope_layer_interval": 2, "layer_types": GONE}),
    ("phi3", {"rope_parameters": GONE, "rope_theta": 100.0, "partial_rotary_factor": 0.5}),
    ("gpt_neox", {"rope_parameters": GONE, "rotary_emb_base": 100, "rotary_pct": 0.75}),
    ("gpt_neox", {"rope_parameters": GONE}),
    ("stablelm", {"rope_parameters": GONE, "rope_theta": 100.0}),
    ("stablelm", {"rope_parameters": GONE, "partial_rotary_factor": 0.5}),
]


def loss_of(base, changes, ids):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for file in (TINY / base).iterdir():
            if file.is_file() and file.name.startswith(("config", "model")):
                shutil.copy(file, folder / file.name)
        config = json.loads((folder / "config.json").read_text())
        for key, value in changes.items():
            config.pop(key, None)
            if value != GONE:
                config[key] = value
        (folder / "config.json").write_text(json.dumps(config))
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        with torch.no_grad():
            return model(ids, labels=ids).loss


if __name__ == "__main__":
    quiet()
    ids = torch.randint(0, 80, (1, T), generator=torch.Generator().manual_seed(7))
    cases = []
    for base, changes in VARIANTS:
        loss = loss_of(base, changes, ids)
        cases.append({"base": base, "set": {k: v for k, v in changes.items() if v != GONE}, "remove": [k for k, v in changes.items() if v == GONE],
                      "loss": exact(loss)})
        print(f"{base} {changes}: {loss.item():.6f}")
    (DATA / "config_variants.json").write_text(
        '{"ids": ' + json.dumps(ids[0].tolist()) + ',\n "cases": [\n  ' + ",\n  ".join(json.dumps(c) for c in cases) + "\n ]}\n")
