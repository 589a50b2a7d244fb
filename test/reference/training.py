"""Makes the stored training runs of the tiny models: five steps of full fine-tuning and of PEFT LoRA, and PEFT's own adapter folders."""

import copy
import json
import math
import sys
import warnings

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from common import TINY, exact, quiet, samples_of, store, write_json

B, T, STEPS, VOCAB = 2, 12, 5, 80
EPS, DECAY, WARMUP = 1e-8, 0.1, 2
SKIP = 0.02  # weights that rounding alone moves by more than this share of the rate cannot be compared

# name: how to train; "lora" holds LoraConfig's options, "spread_b" gives B values other than zero at the start.
FULL = {"lr": 1e-2, "betas": [0.9, 0.95]}
LORA = {"lr": 2e-2, "betas": [0.9, 0.999], "lora": {"r": 4, "lora_alpha": 8, "target_modules": "all-linear"}}
RUNS = {
    "llama": {
        "full": FULL,
        "lora": LORA,
        "rslora": {"lr": 2e-2, "betas": [0.9, 0.999], "spread_b": True, "clip": 13.0,
                   "lora": {"r": 4, "lora_alpha": 8, "use_rslora": True, "target_modules": ["q_proj", "v_proj", "down_proj"],
                            "rank_pattern": {"q_proj": 8, "layers.1.mlp.down_proj": 2}, "alpha_pattern": {"v_proj": 16}}},
    },
    "qwen2": {"full": FULL, "lora": LORA},
    "gpt2": {"full": FULL, "lora": LORA},
}


def rate(step, peak):
    """Linear warm-up over the first steps, then half a cosine down to zero, reached one step after the last."""
    if step < WARMUP:
        return peak * (step + 1) / WARMUP
    return peak * 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))


def batches(generator):
    """STEPS batches of sequences a model can learn (a + b t mod VOCAB), with different numbers of targets."""
    start = torch.randint(0, VOCAB, (STEPS, B, 1), generator=generator)
    stride = torch.randint(1, 4, (STEPS, B, 1), generator=generator)
    ids = (start + stride * torch.arange(T)) % VOCAB
    labels = ids.clone()
    labels[:, 0, :3] = -100
    for step in range(STEPS):
        labels[step, 1, T - step :] = -100
    return ids, labels


def train(model, ids, labels, run):
    """Trains in place; returns per step the loss, the norm of the gradient before clipping, and the rate."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [{"params": [p for p in trained if p.ndim >= 2], "weight_decay": DECAY},
              {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=run["lr"], betas=run["betas"], eps=EPS)
    steps = []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, run["lr"])
        loss = model(ids[step], labels=labels[step]).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(trained, run.get("clip", 1.0))
        optimizer.step()
        optimizer.zero_grad()
        steps.append({"loss": exact(loss.item()), "grad_norm": exact(norm.item()), "lr": rate(step, run["lr"])})
    return steps


def noise(model, start, ids, labels, run, final):
    """The largest distance, in units of the rate, between this training and one in float64: what rounding alone does to the weights."""
    precise = copy.deepcopy(start).double()
    train(precise, ids, labels, run)
    weights = dict(precise.named_parameters())
    worst = {n: (final[n] - weights[n].float()).abs().max().item() / run["lr"] for n in final}
    top = sorted(worst.items(), key=lambda kv: -kv[1])
    return {n: exact(v) for n, v in top[:3]}, sorted(n for n, v in top if v > SKIP)


def adapted(model, run, generator):
    config = LoraConfig(task_type="CAUSAL_LM", bias="none", lora_dropout=0.0, fan_in_fan_out=model.config.model_type == "gpt2", **run["lora"])
    model = get_peft_model(model, config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_A" in name:  # PEFT's own spread (uniform, kaiming with a = sqrt 5), from a generator of ours
                bound = 1 / p.shape[1] ** 0.5
                p.copy_((torch.rand(p.shape, generator=generator) * 2 - 1) * bound)
            elif "lora_B" in name and run.get("spread_b"):
                p.copy_(0.1 * torch.randn(p.shape, generator=generator))
    return model


def file_names(model):
    """The adapter's tensors under the names of adapter_model.safetensors."""
    return {n.replace(".default.", "."): p.detach().clone() for n, p in model.named_parameters() if "lora_" in n}


def save_adapter(model, folder):
    """PEFT's folder without its README, and with the modules in one order (PEFT keeps them in a set)."""
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def make(base, name, run, seed):
    generator = torch.Generator().manual_seed(seed)
    folder = TINY / base
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    ids, labels = batches(generator)
    values = {"input_ids": ids, "labels": labels}
    targets = torch.full_like(labels, -100)
    targets[:, :, :-1] = labels[:, :, 1:]
    values["targets"] = targets
    if "lora" in run:
        model = adapted(model, run, generator)
        values |= {"init." + n: p for n, p in file_names(model).items()}
    start = copy.deepcopy(model)
    steps = train(model, ids, labels, run)
    final = {n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad}
    with torch.no_grad():
        out = model(ids[0], labels=labels[0])
        values["final_logits"] = out.logits
    if "lora" in run:
        values |= {"final." + n: p for n, p in file_names(model).items()}
        adapter = folder / ("adapter_" + name)
        model.peft_config["default"].base_model_name_or_path = "test/stored/tiny/" + base
        save_adapter(model, adapter)
    else:
        values |= samples_of("final", final.items())
    worst, skip = noise(model, start, ids, labels, run, final)
    about = {"steps": steps, "final_loss": exact(out.loss.item()), "adamw": {"lr": run["lr"], "betas": run["betas"], "eps": EPS},
             "weight_decay_on_matrices": DECAY, "clip": run.get("clip", 1.0), "warmup": WARMUP, "lora": run.get("lora"),
             "trained": sum(p.numel() for p in final.values()), "noise": worst, "skip": skip}
    if "lora" in run:
        with torch.no_grad():
            merged = model.merge_and_unload()
            values["merged_logits"] = merged(ids[0]).logits
            values |= samples_of("merged", ((n, p) for n, p in merged.named_parameters() if p.ndim == 2 and "emb" not in n and "wte" not in n))
    store(folder / f"train_{name}.safetensors", values)
    write_json(folder / f"train_{name}.json", about)
    print(base, name, "loss", [round(s["loss"], 4) for s in steps], "->", round(out.loss.item(), 4), "norms",
          [round(s["grad_norm"], 3) for s in steps], "noise", worst, "skip", skip)


if __name__ == "__main__":
    quiet()
    warnings.filterwarnings("ignore")
    for i, (base, runs) in enumerate(RUNS.items()):
        for j, (name, run) in enumerate(runs.items()):
            if len(sys.argv) < 2 or base in sys.argv[1:]:
                make(base, name, run, seed=200 + 10 * i + j)
