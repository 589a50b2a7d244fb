"""Makes the tiny random models of test/stored/tiny with what transformers computes on them: logits, loss and every gradient."""

import json
import shutil
import sys

import torch
from transformers import (GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, Qwen2Config,
                          Qwen2ForCausalLM)

from common import TINY, quiet, samples_of, store

VOCAB, B, T = 80, 2, 12
COMMON = dict(vocab_size=VOCAB, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
              max_position_embeddings=64, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2)

# name: (config, model class, how it is stored)
MODELS = {
    "llama": (LlamaConfig(**COMMON, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 10000.0}),
              LlamaForCausalLM, {}),
    # Untied, head_dim other than hidden / heads, Llama 3's rotary scaling (an original length small enough for all its three bands to
    # occur), in two shards with an index.
    "llama3": (LlamaConfig(**COMMON, head_dim=16, tie_word_embeddings=False,
                           rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
                                            "high_freq_factor": 4.0, "original_max_position_embeddings": 32}),
               LlamaForCausalLM, {"shards": True}),
    # Every bias, as many key as query heads, linear rotary scaling, config.json in the form of transformers 5 (rope_parameters).
    "llama_linear": (LlamaConfig(**{**COMMON, "num_key_value_heads": 4, "rms_norm_eps": 1e-6}, attention_bias=True, mlp_bias=True,
                                 tie_word_embeddings=False,
                                 rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}),
                     LlamaForCausalLM, {"new_config": True}),
    "qwen2": (Qwen2Config(**{**COMMON, "rms_norm_eps": 1e-6}, tie_word_embeddings=True, use_sliding_window=False,
                          rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}), Qwen2ForCausalLM, {}),
    # Stored as bf16; the numbers are those of the same weights raised to f32.
    "mistral": (MistralConfig(**{**COMMON, "num_key_value_heads": 1}, head_dim=8, sliding_window=None, tie_word_embeddings=False,
                              rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}), MistralForCausalLM,
                {"dtype": torch.bfloat16}),
    "gpt2": (GPT2Config(vocab_size=VOCAB, n_positions=32, n_embd=32, n_layer=2, n_head=4, n_inner=48, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
                        bos_token_id=0, eos_token_id=0), GPT2LMHeadModel, {}),
}


def spread(model, generator):
    """Values with enough spread that no logit, norm or bias is trivial."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if "norm" in name or ".ln_" in name:
                p.copy_(0.2 * noise if name.endswith("bias") else 1 + 0.2 * noise)
            elif p.ndim == 1:
                p.copy_(0.2 * noise)
            elif "embed" in name or "wte" in name or "wpe" in name:
                p.copy_(0.5 * noise)
            else:
                p.copy_(noise * 1.2 / (p.shape[0] if "c_" in name else p.shape[1]) ** 0.5)


def older_config(path):
    """Rewrites config.json in the form that transformers 4 wrote and most published models have."""
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters", None)
    if rope:
        config["rope_theta"] = rope.pop("rope_theta")
        config["rope_scaling"] = None if rope["rope_type"] == "default" else rope
    if "dtype" in config:
        config["torch_dtype"] = config.pop("dtype")
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def batch(generator):
    """Token ids, labels (Hugging Face's: the token itself, -100 where not trained on) and targets (labels moved one to the left)."""
    ids = torch.randint(0, VOCAB, (B, T), generator=generator)
    labels = ids.clone()
    labels[1, :3] = -100  # a prompt
    labels[1, -4:] = -100  # padding
    targets = torch.full_like(labels, -100)
    targets[:, :-1] = labels[:, 1:]
    return ids, labels, targets


def packed(model, generator):
    """One row of two documents that do not see each other; positions start anew in each."""
    ids = torch.randint(0, VOCAB, (1, T), generator=generator)
    logits = torch.cat([model(ids[:, :5]).logits, model(ids[:, 5:]).logits], dim=1)
    segments = torch.tensor([[0] * 5 + [1] * (T - 5)])
    return {"packed.input_ids": ids, "packed.segments": segments, "packed.logits": logits}


def make(name, seed):
    config, kind, form = MODELS[name]
    config._attn_implementation = "eager"
    generator = torch.Generator().manual_seed(seed)
    model = kind(config).eval()
    spread(model, generator)
    folder = TINY / name
    for old in [*folder.glob("*.safetensors"), *folder.glob("*.json")]:
        old.unlink()
    dtype = form.get("dtype", torch.float32)
    model.to(dtype).save_pretrained(folder, max_shard_size="40KB" if form.get("shards") else "1GB")
    (folder / "generation_config.json").unlink(missing_ok=True)
    if not form.get("new_config"):
        older_config(folder / "config.json")
    # Everything below is of the model as it is read back, so that what is stored is what is tested.
    model = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    ids, labels, targets = batch(generator)
    out = model(ids, labels=labels)
    out.loss.backward()
    values = {"input_ids": ids, "labels": labels, "targets": targets, "logits": out.logits, "loss": out.loss.reshape(1)}
    values |= samples_of("grad", ((n, p.grad) for n, p in model.named_parameters()))
    with torch.no_grad():
        values |= packed(model, generator)
    store(folder / "reference.safetensors", values, transformers=config.transformers_version, torch=torch.__version__)
    print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters, loss {out.loss.item():.6f}, "
          f"logits from {out.logits.min():.2f} to {out.logits.max():.2f}")


if __name__ == "__main__":
    quiet()
    for i, name in enumerate(MODELS):
        if len(sys.argv) < 2 or name in sys.argv[1:]:
            make(name, seed=100 + i)
