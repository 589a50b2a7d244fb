"""Makes tiny random models of every architecture beside the first ones (test/stored/tiny), with what transformers computes on them:
logits of a batch and of packed documents, the loss and its gradients in f64, and five steps of AdamW."""

import sys

import torch
import transformers as hf

from common import TINY, quiet, samples_of, store
from tiny_models import batch, packed, spread

VOCAB, T = 80, 12
COMMON = dict(vocab_size=VOCAB, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
              max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=None)
DEFAULT = {"rope_type": "default", "rope_theta": 10000.0}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 16}
WINDOW = 5  # shorter than the documents
LAYERS = ["sliding_attention", "full_attention", "sliding_attention"]
LONG = {"rope_type": "longrope", "rope_theta": 10000.0, "short_factor": [1.0, 1.5, 2.0], "long_factor": [2.0, 4.0, 8.0]}

# name: (config, model class)
MODELS = {
    "qwen3": (hf.Qwen3Config(**COMMON, head_dim=16, tie_word_embeddings=True, rope_parameters={**DEFAULT, "rope_theta": 1e6}), hf.Qwen3ForCausalLM),
    "qwen3_yarn": (hf.Qwen3Config(**COMMON, head_dim=8, use_sliding_window=True, sliding_window=WINDOW, max_window_layers=1, attention_bias=True,
                                  rope_parameters=YARN), hf.Qwen3ForCausalLM),
    "gemma": (hf.GemmaConfig(**COMMON, head_dim=16, rope_parameters=DEFAULT), hf.GemmaForCausalLM),
    "gemma2": (hf.Gemma2Config(**COMMON, head_dim=16, query_pre_attn_scalar=24, sliding_window=WINDOW, layer_types=LAYERS, attn_logit_softcapping=2.0,
                               final_logit_softcapping=3.0, rope_parameters=DEFAULT), hf.Gemma2ForCausalLM),
    "gemma3": (hf.Gemma3TextConfig(**COMMON, head_dim=16, query_pre_attn_scalar=24, sliding_window=WINDOW, layer_types=LAYERS,
                                   rope_parameters={"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
                                                    "sliding_attention": DEFAULT}), hf.Gemma3ForCausalLM),
    "mistral_window": (hf.MistralConfig(**COMMON, head_dim=8, sliding_window=WINDOW, rope_parameters=DEFAULT), hf.MistralForCausalLM),
    "ministral": (hf.MinistralConfig(**COMMON, head_dim=16, sliding_window=WINDOW, layer_types=LAYERS, rope_parameters=DEFAULT),
                  hf.MinistralForCausalLM),
    "phi3": (hf.Phi3Config(**COMMON, sliding_window=WINDOW, rope_parameters=DEFAULT), hf.Phi3ForCausalLM),
    # Documents of 12 tokens are beyond the original 8: the long factors; the packed ones of 5 and 7 are not.
    "phi3_longrope": (hf.Phi3Config(**COMMON, original_max_position_embeddings=8, rope_parameters={**LONG, "partial_rotary_factor": 0.75}),
                      hf.Phi3ForCausalLM),
    "smollm3": (hf.SmolLM3Config(**COMMON, no_rope_layers=[1, 0, 1], use_sliding_window=True, sliding_window=WINDOW, rope_parameters=DEFAULT),
                hf.SmolLM3ForCausalLM),
    "olmo2": (hf.Olmo2Config(**COMMON, rope_parameters=DEFAULT), hf.Olmo2ForCausalLM),
    "olmo3": (hf.Olmo3Config(**COMMON, sliding_window=WINDOW, layer_types=LAYERS,
                             rope_parameters={"full_attention": YARN, "sliding_attention": {**DEFAULT, "rope_theta": 5e5}}), hf.Olmo3ForCausalLM),
    "granite": (hf.GraniteConfig(**COMMON, embedding_multiplier=6.0, residual_multiplier=0.22, attention_multiplier=0.2, logits_scaling=3.0,
                                 rope_parameters=DEFAULT), hf.GraniteForCausalLM),
    "gpt_neox": (hf.GPTNeoXConfig(**{k: v for k, v in COMMON.items() if k != "num_key_value_heads"}, rope_parameters={**DEFAULT,
                                  "partial_rotary_factor": 0.5}), hf.GPTNeoXForCausalLM),
    "gpt_neox_serial": (hf.GPTNeoXConfig(**{k: v for k, v in COMMON.items() if k != "num_key_value_heads"}, use_parallel_residual=False,
                                         rope_parameters={**DEFAULT, "partial_rotary_factor": 0.25}), hf.GPTNeoXForCausalLM),
    "stablelm": (hf.StableLmConfig(**COMMON, use_qkv_bias=True, rope_parameters={**DEFAULT, "partial_rotary_factor": 0.25}), hf.StableLmForCausalLM),
    "stablelm_parallel": (hf.StableLmConfig(**COMMON, use_parallel_residual=True, rope_parameters={**DEFAULT, "partial_rotary_factor": 0.25}),
                          hf.StableLmForCausalLM),
    "starcoder2": (hf.Starcoder2Config(**COMMON, sliding_window=WINDOW, rope_parameters=DEFAULT), hf.Starcoder2ForCausalLM),
    "qwen3_moe": (hf.Qwen3MoeConfig(**COMMON, head_dim=8, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16, norm_topk_prob=True,
                                    mlp_only_layers=[1], output_router_logits=True, router_aux_loss_coef=0.05, rope_parameters=DEFAULT),
                  hf.Qwen3MoeForCausalLM),
    "mixtral": (hf.MixtralConfig(**{**COMMON, "intermediate_size": 24, "num_hidden_layers": 2}, num_local_experts=4, num_experts_per_tok=2, rope_parameters=DEFAULT), hf.MixtralForCausalLM),
    "ministral3": (hf.Ministral3Config(**COMMON, head_dim=8, rope_parameters={"rope_type": "yarn", "rope_theta": 10000.0, "factor": 8.0,
                   "original_max_position_embeddings": 8, "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0,
                   "llama_4_scaling_beta": 0.3}), hf.Ministral3ForCausalLM),
    "seed_oss": (hf.SeedOssConfig(**COMMON, head_dim=16, attention_dropout=0.0, residual_dropout=0.0, rope_parameters=DEFAULT), hf.SeedOssForCausalLM),
    "internlm3": (hf.InternLM3Config(**COMMON, head_dim=8, attention_bias=True, mlp_bias=True, rope_parameters=DEFAULT), hf.LlamaForCausalLM),
    "stablelm_norms": (hf.StableLmConfig(**COMMON, use_parallel_residual=True, qk_layernorm=True,
                                         rope_parameters={**DEFAULT, "partial_rotary_factor": 0.25}), hf.StableLmForCausalLM),
}
LR, BETAS, EPS, DECAY, STEPS = 1e-3, (0.9, 0.999), 1e-8, 0.01, 5


def form(kind):
    """Experts one after another: the quicker forms have no f64."""
    return {"experts_implementation": "eager"} if "Moe" in kind.__name__ or "Mixtral" in kind.__name__ else {}


def loss_of(model, ids, labels):
    """Row by row, each counting by its targets: the same as at once, but for the routers' loss, which is a row's own in afina."""
    counts = [(row[1:] >= 0).sum() for row in labels]
    outs = [model(ids[i:i + 1], labels=labels[i:i + 1]) for i in range(len(ids))]
    total = sum(counts)
    loss = sum(out.loss * n for out, n in zip(outs, counts)) / total
    routers = sum(out.aux_loss * n for out, n in zip(outs, counts)) / total if getattr(outs[0], "aux_loss", None) is not None else 0
    return loss, routers * getattr(model.config, "router_aux_loss_coef", 0)


def training(kind, folder, generator):
    """Five steps of AdamW in f32: matrices decay, vectors do not. Returns the losses, without the routers'."""
    model = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager", **form(kind)).train()
    named = list(model.named_parameters())
    groups = [{"params": [p for _, p in named if p.ndim > 1], "weight_decay": DECAY},
              {"params": [p for _, p in named if p.ndim <= 1], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=LR, betas=BETAS, eps=EPS)
    ids = torch.randint(0, VOCAB, (STEPS, 2, T), generator=generator)
    losses = []
    for step in range(STEPS):
        loss, routers = loss_of(model, ids[step], ids[step])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append((loss - routers).detach())
    return {"train.input_ids": ids, "train.losses": torch.stack(losses)}


def make(name, seed):
    config, kind = MODELS[name]
    config._attn_implementation = "eager"
    generator = torch.Generator().manual_seed(seed)
    model = kind(config).eval()
    spread(model, generator)
    if "gemma" in name:  # norms' weights are stored less 1
        with torch.no_grad():
            for n, p in model.named_parameters():
                if "norm" in n:
                    p -= 1
    folder = TINY / name
    for old in [*folder.glob("*.safetensors"), *folder.glob("*.json")]:
        old.unlink()
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    model = kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager", **form(kind)).eval()
    ids, labels, targets = batch(generator)
    values = {"input_ids": ids, "labels": labels, "targets": targets}
    with torch.no_grad():
        values |= {"logits": model(ids).logits} | packed(model, generator)
    values |= training(kind, folder, generator)
    model = model.double()
    loss, _ = loss_of(model, ids, labels)
    loss.backward()
    values["loss"] = loss.reshape(1)
    from safetensors import safe_open
    with safe_open(folder / "model.safetensors", "pt") as f:
        names = set(f.keys())
    values |= samples_of("grad", ((n, p.grad) for n, p in named_as_stored(model) if n in names))
    store(folder / "reference.safetensors", values, transformers=hf.__version__, torch=torch.__version__)
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{name}: loss {loss.item():.6f}, logits from {values['logits'].min():.2f} to {values['logits'].max():.2f}, {size} bytes")


class Part:
    def __init__(self, grad):
        self.grad = grad


def named_as_stored(model):
    """Parameters by the names that files have: experts apart, where transformers holds them stacked."""
    mixtral = model.config.model_type == "mixtral"
    neox = model.config.model_type == "gpt_neox"
    for name, p in model.named_parameters():
        if ".mlp.experts." not in name:
            name = name.replace(".mlp.gate.", ".block_sparse_moe.gate.") if mixtral else name
            yield (name.replace("lm_head.", "embed_out.") if neox else name), p
            continue
        base, kind = name.rsplit(".", 1)
        if mixtral:
            base = base.replace(".mlp.", ".block_sparse_moe.")
        words = {"gate": "w1", "up": "w3", "down": "w2"} if mixtral else {"gate": "gate_proj", "up": "up_proj", "down": "down_proj"}
        for e in range(p.shape[0]):
            if kind == "down_proj":
                yield f"{base}.{e}.{words['down']}.weight", Part(p.grad[e])
            else:
                half = p.shape[1] // 2
                yield f"{base}.{e}.{words['gate']}.weight", Part(p.grad[e, :half])
                yield f"{base}.{e}.{words['up']}.weight", Part(p.grad[e, half:])


if __name__ == "__main__":
    quiet()
    for i, name in enumerate(MODELS):
        if len(sys.argv) < 2 or name in sys.argv[1:]:
            make(name, seed=200 + i)
