"""Makes test/stored/smollm2.json: what transformers and PEFT compute with SmolLM2-135M-Instruct, for tests that have the model at hand."""

import argparse
import hashlib
import math
import random

import numpy as np
import torch
from peft import LoraConfig, get_peft_model

from common import DATA, exact, positions, quiet, sampled, write_json
from smollm2_model import chat, load_model, load_tokenizer

WINDOW, TOKENS = 512, 8192
B, T, STEPS = 2, 128, 5
TEXTS = {
    "chat": chat([{"role": "user", "content": "What is the capital of France, and what is it known for?"}]),
    "prose": "The lighthouse keeper had counted ships for thirty years. Every evening he wrote the names into a long green book, with the hour, the "
             "weather and the port they came from; in winter, when none came, he wrote down the birds. On the 3rd of November 1987 he wrote: "
             "\"Two gulls, one very old. Wind from the north-west, 42 knots.\" Nobody has read that book but his granddaughter, who found in it, "
             "between the ships and the birds, the day on which she was born.",
    "mixed": "def mean(xs):\n    return sum(xs) / len(xs)\n\n# ¿Cuánto cuesta? Son 12,50 €, señora.  数学很有趣。 🙂👍🏽\n\tTable:\t1\t22\t333\nI'll say it's "
             "O'Brien's   (end)  \n\n",
}
CHECKED = ["model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.k_proj.weight",
           "model.layers.14.mlp.down_proj.weight", "model.layers.29.self_attn.v_proj.weight", "model.layers.29.mlp.gate_proj.weight",
           "model.layers.7.input_layernorm.weight", "model.norm.weight"]
ADAPTED = ["layers.0.self_attn.q_proj", "layers.0.self_attn.k_proj", "layers.14.mlp.down_proj", "layers.29.mlp.up_proj"]


def digest(ids):
    return hashlib.sha256(np.asarray(ids, dtype="<i4").tobytes()).hexdigest()


def logits_of(model, tokenizer, text):
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == text
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    rows = []
    for at in positions(len(ids), 24):
        top = logits[at].topk(5)
        some = [(at * 7919 + j * 6151) % logits.shape[1] for j in range(8)]
        rows.append({"position": at, "top_ids": top.indices.tolist(), "top": exact(top.values), "ids": some, "logits": exact(logits[at][some]),
                     "logsumexp": exact(logits[at].double().logsumexp(0).item())})
    return {"text": text, "ids": ids, "largest": exact(logits.abs().max().item()), "rows": rows}


def greedy(model, tokenizer, text, count):
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    new, margins = [], []
    for _ in range(count):
        with torch.no_grad():
            top = model(torch.tensor([ids + new])).logits[0, -1].topk(2)
        new.append(top.indices[0].item())
        margins.append(exact((top.values[0] - top.values[1]).item()))
    return {"prompt": text, "new_ids": new, "text": tokenizer.decode(new, skip_special_tokens=False), "margins": margins}


def perplexity(model, tokenizer, path):
    text = open(path, encoding="utf-8", newline="").read()
    whole = tokenizer.encode(text, add_special_tokens=False).ids
    ids = torch.tensor(whole[:TOKENS]).reshape(-1, WINDOW)
    losses = []
    for row in ids:
        with torch.no_grad():
            logits = model(row[None]).logits[0, :-1]
        losses.append(torch.nn.functional.cross_entropy(logits, row[1:], reduction="sum").item())
    count = ids.shape[0] * (WINDOW - 1)
    return {"recipe": "the file wikitext2/test.txt as one text, no BOS, its first 8192 tokens in 16 windows of 512 that do not overlap; each "
                      "window alone, 511 predictions each; perplexity = exp(total_loss / predicted)",
            "tokens_of_the_whole_text": len(whole), "sha256_of_the_whole_ids_as_i32": digest(whole), "sha256_of_the_ids_as_i32": digest(ids),
            "first_ids": whole[:16], "predicted": count, "window_losses": exact(losses), "total_loss": exact(sum(losses)),
            "perplexity": exact(math.exp(sum(losses) / count))}


def word_problems(tokenizer):
    """STEPS batches of B windows of T tokens from sums in words (made here, so that the ids may be stored)."""
    rng = random.Random(7)
    names, things = ["Ana", "Tom", "Mei", "Omar", "Lucía", "Ivan"], ["pencils", "apples", "stamps", "marbles", "tickets", "candles"]
    text = ""
    while len(ids := tokenizer.encode(text, add_special_tokens=False).ids) < STEPS * B * T:
        name, thing, boxes, each, gone = rng.choice(names), rng.choice(things), rng.randint(2, 12), rng.randint(3, 24), rng.randint(1, 5)
        text += (f"Question: {name} has {boxes} boxes with {each} {thing} in each and gives away {gone} {thing}. How many are left?\n"
                 f"Answer: {boxes} * {each} = {boxes * each}, and {boxes * each} - {gone} = {boxes * each - gone}. {name} has {boxes * each - gone} "
                 f"{thing} left.\n\n")
    return torch.tensor(ids[: STEPS * B * T]).reshape(STEPS, B, T)


def uniform(name, shape):
    """Reproducible start of a lora_A, f32 to the bit: SplitMix64 of (FNV-1a of the name) + index, 24 high bits, times 1 / sqrt(columns)."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = (state ^ byte) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(state) + (np.arange(shape[0] * shape[1], dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    unit = (z >> np.uint64(40)).astype(np.float32) * np.float32(2**-23) - np.float32(1)
    return torch.from_numpy((unit * np.float32(1 / shape[1] ** 0.5)).reshape(shape))


def file_name(name):
    return name.replace(".default.", ".")


def train(model, batches, lr):
    trained = {file_name(n): p for n, p in model.named_parameters() if p.requires_grad}
    groups = [{"params": [p for p in trained.values() if p.ndim >= 2], "weight_decay": 0.1},
              {"params": [p for p in trained.values() if p.ndim < 2], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.95), eps=1e-8)
    steps = []
    for ids in batches:
        loss = model(ids, labels=ids).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(list(trained.values()), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        steps.append({"loss": exact(loss.item()), "grad_norm": exact(norm.item())})
        print("  ", steps[-1], flush=True)
    with torch.no_grad():
        return steps, exact(model(batches[0], labels=batches[0]).loss.item()), trained


def samples(tensors, names):
    return {n: {"norm": exact(tensors[n].detach().double().norm().item()), "samples": exact(sampled(tensors[n], 17))} for n in names}


def full(path, batches, attention):
    model = load_model(path, attention)
    start = samples(dict(model.named_parameters()), CHECKED)
    steps, after, trained = train(model, batches, 1e-5)
    return {"lr": 1e-5, "trained": sum(p.numel() for p in trained.values()), "steps": steps, "final_loss": after, "start": start,
            "final": samples(trained, CHECKED)}


def lora(path, batches, attention):
    model = get_peft_model(load_model(path, attention), LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear"))
    model.eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_A" in name:
                p.copy_(uniform(file_name(name), p.shape))
    names = [f"base_model.model.model.{m}.lora_{x}.weight" for m in ADAPTED for x in "AB"]
    start = samples({file_name(n): p for n, p in model.named_parameters()}, names)
    steps, after, trained = train(model, batches, 1e-4)
    return {"lr": 1e-4, "r": 16, "lora_alpha": 32, "trained": sum(p.numel() for p in trained.values()), "steps": steps, "final_loss": after,
            "start": start, "final": samples(trained, names)}


def distance(a, b):
    """Of two runs that differ in rounding alone: the largest distance of final samples, as a share of the rate."""
    return exact(max(max(abs(x - y) for x, y in zip(a["final"][n]["samples"], b["final"][n]["samples"])) for n in a["final"]) / a["lr"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="SmolLM2-135M-Instruct as GGUF")
    parser.add_argument("--text", required=True, help="wikitext2/test.txt")
    options = parser.parse_args()
    quiet()
    tokenizer = load_tokenizer(options.model)
    model = load_model(options.model)
    result = {"model_sha256": hashlib.sha256(open(options.model, "rb").read()).hexdigest(),
              "weights": samples(dict(model.named_parameters()), CHECKED),
              "prompts": {name: logits_of(model, tokenizer, text) for name, text in TEXTS.items()},
              "greedy": greedy(model, tokenizer, TEXTS["chat"], 24)}
    print(result["greedy"])
    result["wikitext2"] = perplexity(model, tokenizer, options.text)
    print("perplexity", result["wikitext2"]["perplexity"], flush=True)
    del model
    batches = word_problems(tokenizer)
    result["training"] = {"recipe": "f32; every token but a window's first is a target; AdamW betas 0.9 0.95, eps 1e-8, weight decay 0.1 on tensors "
                                    "with two dimensions, constant rate, clip 1.0", "input_ids": batches.tolist()}
    for name, run in (("full", full), ("lora", lora)):
        print(name, flush=True)
        result["training"][name] = run(options.model, batches, "eager")
        result["training"][name]["noise"] = distance(result["training"][name], run(options.model, batches, "sdpa"))
        print(name, "noise", result["training"][name]["noise"], flush=True)
    write_json(DATA / "smollm2.json", result)


if __name__ == "__main__":
    main()
