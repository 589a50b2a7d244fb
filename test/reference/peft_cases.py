"""The table of cases of peft_methods.py: a base model of test/stored/tiny, a method, and how it is trained."""

from dataclasses import dataclass
from typing import Callable, Optional

import peft
import torch
from peft.optimizers import create_loraplus_optimizer

LR = 1e-2


def adamw(model):
    """What every case is trained with unless it says otherwise: no decay, and the gradient is not clipped."""
    return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=LR, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)


@dataclass
class Case:
    base: str
    about: str
    config: Optional[Callable] = None  # PEFT's; none: trained by torch alone
    trains: Optional[Callable] = None  # without config: does this parameter of the base (name) move?
    method: str = ""  # afina's own words, where adapter_config.json does not say how to train
    optimizer: Callable = adamw
    after_step: Optional[Callable] = None  # (model, number of the step from 1), before the gradients are cleared
    spread: float = 0.0  # moves the start by normal noise of this width, where it would change too little
    start_is_base: bool = True  # does the model start with the base model's logits?
    merges: bool = True  # not where PEFT's merging changes the model: of a tied table it adapts one side and merges into both


CASES = {}


def case(name, base, about, config=None, **more):
    assert name not in CASES
    CASES[name] = Case(base, about, config, **more)


def lora(**options):
    """A LoRA of rank 4, alpha 8 on q_proj, v_proj and down_proj, with these options changed."""
    return lambda: peft.LoraConfig(**{"task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj", "down_proj"]} | options)


def other(kind, **options):
    return lambda: kind(task_type="CAUSAL_LM", **options)


GPT2 = {"target_modules": ["c_attn", "c_proj"], "fan_in_fan_out": True}  # c_proj: attention's and the MLP's

# LoRA
case("lora", "llama", "LoRA, scale alpha / r", lora())
case("lora_rslora", "qwen2", "LoRA, scale alpha / sqrt(r); beside biases", lora(use_rslora=True))
case("lora_gaussian", "llama", "LoRA whose A starts as normal with deviation 1 / r", lora(init_lora_weights="gaussian"))
case("lora_gpt2", "gpt2", "LoRA on Conv1D (weights stored in x out)", lora(**GPT2))
case("lora_all_linear", "qwen2", "LoRA on all-linear, which the file spells out as names", lora(r=1, target_modules="all-linear"))
case("lora_expression", "llama", "LoRA, target_modules an expression over whole paths",
     lora(target_modules=r".*\.layers\.1\.(self_attn\.[qk]_proj|mlp\.up_proj)"))
case("lora_rank_pattern", "llama", "LoRA, ranks by name, by path and by expression; each layer's scale is alpha over its own rank",
     lora(rank_pattern={r"(k|v)_proj": 1, "layers.1.self_attn.q_proj": 8, "mlp.down_proj": 2}))
case("lora_pattern_order", "llama",
     "LoRA, keys of rank_pattern and alpha_pattern that overlap: the first in the file's order, which is the alphabet's, counts",
     lora(rank_pattern={"layers.0.self_attn.q_proj": 8, "q_proj": 2},
          alpha_pattern={r".*layers\.1\..*": 4, "q_proj": 32, r"self_attn\.v_proj": 16, "v_proj": 64}))
case("lora_plus", "llama", "LoRA+, B at four times the rate of A", lora(), method="lora:rank=4,alpha=8,targets=q_proj+v_proj+down_proj,plus=4",
     optimizer=lambda model: create_loraplus_optimizer(
         model, torch.optim.AdamW, lr=LR, loraplus_lr_ratio=4.0, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0))
case("lora_bias_all", "qwen2", "LoRA with bias=all: every bias of the model moves as well", lora(bias="all"))
case("lora_bias_only", "qwen2", "LoRA with bias=lora_only: the biases of adapted layers move as well", lora(bias="lora_only"))
case("lora_bias_gpt2", "gpt2", "LoRA with bias=all, biases of norms among them", lora(bias="all", **GPT2 | {"target_modules": ["c_attn"]}))

# DoRA
case("dora", "llama", "DoRA; the norm is a constant in the gradient", lora(use_dora=True))
case("dora_bias", "qwen2", "DoRA beside biases, which are not scaled", lora(use_dora=True))
case("dora_gpt2", "gpt2", "DoRA on Conv1D", lora(use_dora=True, **GPT2))
case("dora_rslora", "llama", "DoRA with scale alpha / sqrt(r), and a layer of another rank", lora(use_dora=True, use_rslora=True, rank_pattern={"v_proj": 2}))

# IA3
case("ia3", "llama", "IA3 on keys, values and (feedforward: before the product) the MLP's down_proj",
     other(peft.IA3Config, target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"]))
case("ia3_bias", "llama_linear", "IA3 beside biases: keys' and values' are scaled, and merging scales them; down_proj's is not",
     other(peft.IA3Config, target_modules=["k_proj", "v_proj", "down_proj"], feedforward_modules=["down_proj"]))
case("ia3_gpt2", "gpt2", "IA3 on Conv1D: c_attn, and mlp.c_proj as feedforward",
     other(peft.IA3Config, target_modules=["c_attn", "mlp.c_proj"], feedforward_modules=["mlp.c_proj"], fan_in_fan_out=True))

# VeRA
VERA = {"r": 4, "d_initial": 1.0, "projection_prng_key": 7}
case("vera", "llama", "VeRA on layers of several shapes, which share slices of one pair of projections",
     other(peft.VeraConfig, target_modules=["q_proj", "v_proj", "down_proj"], **VERA))
case("vera_bias", "qwen2", "VeRA beside biases", other(peft.VeraConfig, target_modules=["q_proj", "v_proj"], **VERA))
case("vera_gpt2", "gpt2", "VeRA on Conv1D", other(peft.VeraConfig, **VERA, **GPT2))
case("vera_no_projection", "llama", "VeRA whose file holds no projections: they follow from projection_prng_key (torch's generator)",
     other(peft.VeraConfig, target_modules=["q_proj", "v_proj"], save_projection=False, **VERA))

# AdaLoRA
ADALORA = {"init_r": 4, "target_r": 2, "lora_alpha": 8, "deltaT": 1, "target_modules": ["q_proj", "v_proj", "down_proj"]}


def allocate(model, step):
    model.base_model.update_and_allocate(step)


case("adalora", "llama", "AdaLoRA before anything is cut, its regularizer in the loss",
     other(peft.AdaLoraConfig, **ADALORA, total_step=100, tinit=50, tfinal=10), after_step=allocate)
case("adalora_schedule", "llama", "AdaLoRA whose ranks are cut in the five steps: the file holds what is left, and rank_pattern says which",
     other(peft.AdaLoraConfig, **ADALORA, total_step=5, tinit=1, tfinal=1), after_step=allocate)

# A change of the weight that few numbers say
THREE = {"target_modules": ["q_proj", "v_proj", "down_proj"]}
PAIR = {"target_modules": ["q_proj", "down_proj"]}
case("loha", "llama", "LoHa: the Hadamard product of two products of rank 4, and a layer of another rank and alpha",
     other(peft.LoHaConfig, r=4, alpha=8, rank_pattern={"v_proj": 2}, alpha_pattern={"v_proj": 3}, **THREE))
case("lokr", "llama", "LoKr: a Kronecker product whose larger factor is a product of rank 2",
     other(peft.LoKrConfig, r=2, alpha=4, **THREE))
case("lokr_both", "llama", "LoKr of rank 1, both factors apart", other(peft.LoKrConfig, r=1, alpha=4, decompose_both=True, **THREE))
case("lokr_factor", "qwen2", "LoKr with a factor given, beside biases", other(peft.LoKrConfig, r=2, alpha=2, decompose_factor=2, **THREE))
case("hira", "llama", "HiRA: the weight times a matrix of rank 4, element by element; PEFT does not read rank_pattern",
     other(peft.HiraConfig, r=4, rank_pattern={"v_proj": 2}, **THREE))
case("hira_gpt2", "gpt2", "HiRA on Conv1D", other(peft.HiraConfig, r=4, **GPT2))
case("miss", "llama", "MiSS: one matrix of rank 4, repeated along the inputs", other(peft.MissConfig, r=4, **THREE))
case("miss_remainder", "qwen2", "MiSS of rank 5, which divides no input; beside biases", other(peft.MissConfig, r=5, **THREE))
case("delora", "llama", "DeLoRA: strength and directions apart; a layer of another rank and strength",
     other(peft.DeloraConfig, r=4, delora_lambda=15, rank_pattern={"v_proj": 2}, lambda_pattern={"v_proj": 5}, **THREE))
case("gralora", "llama", "GraLoRA: a LoRA in each of 2 x 2 blocks", other(peft.GraloraConfig, r=4, alpha=8, gralora_k=2, **THREE))
case("gralora_bias", "qwen2", "GraLoRA of 4 x 4 blocks, beside biases", other(peft.GraloraConfig, r=4, alpha=6, gralora_k=4, target_modules=["q_proj", "down_proj"]))
# PEFT 0.21.2 gives inputs of C3A a gradient that is not the slope, so that a training that begins at random goes another way there.
case("c3a_zero", "qwen2", "C3A that begins at zero, beside biases; a layer with other blocks",
     other(peft.C3AConfig, block_size=8, block_size_pattern={"v_proj": 4}, init_weights=True, **THREE))
case("fourierft", "llama", "FourierFT: 40 numbers of a spectrum, which begin at random", other(peft.FourierFTConfig, n_frequency=40, scaling=20.0, **THREE),
     start_is_base=False)
case("fourierft_gpt2", "gpt2", "FourierFT on Conv1D, begun at zero, other places; a layer with another number",
     other(peft.FourierFTConfig, n_frequency=30, scaling=20.0, random_loc_seed=5, init_weights=True, n_frequency_pattern={"attn.c_proj": 12}, **GPT2))
case("waveft", "llama", "WaveFT: 40 numbers of a Haar spectrum", other(peft.WaveFTConfig, n_frequency=40, scaling=25.0, **THREE))
case("waveft_direct", "qwen2", "WaveFT without the transform, beside biases", other(peft.WaveFTConfig, n_frequency=30, scaling=5.0, use_idwt=False, random_loc_seed=3, **THREE))

# Turned inputs
case("oft", "llama", "OFT: orthogonal blocks of 8 inputs by five terms of the series", other(peft.OFTConfig, oft_block_size=8, r=0, **THREE))
case("oft_exact", "qwen2", "OFT by Cayley's transform itself, beside biases", other(peft.OFTConfig, oft_block_size=8, r=0, use_cayley_neumann=False, **THREE))
case("oft_shared", "llama", "OFT with one block for all inputs of a layer", other(peft.OFTConfig, oft_block_size=4, r=0, block_share=True, **THREE))
case("boft", "llama", "BOFT with one butterfly factor", other(peft.BOFTConfig, boft_block_size=4, **THREE))
case("boft_bias", "qwen2", "BOFT beside biases, which are not scaled", other(peft.BOFTConfig, boft_block_size=8, **PAIR))
case("hra", "llama", "HRA: four reflections in equal pairs", other(peft.HRAConfig, r=4, **THREE))
case("hra_odd", "qwen2", "HRA with three reflections, which do not undo each other", other(peft.HRAConfig, r=3, **PAIR), start_is_base=False)
case("beft", "qwen2", "BEFT on layers with biases", other(peft.BeftConfig, target_modules=["q_proj", "v_proj"]))

# Prompts and prefixes
case("prompt_tuning", "llama", "prompt tuning, four virtual tokens before the text",
     other(peft.PromptTuningConfig, num_virtual_tokens=4), start_is_base=False)
case("prompt_tuning_gpt2", "gpt2", "prompt tuning with learned positions", other(peft.PromptTuningConfig, num_virtual_tokens=4), start_is_base=False)
case("prefix_tuning", "llama", "prefix tuning, keys and values of four places in every layer (two key heads)",
     other(peft.PrefixTuningConfig, num_virtual_tokens=4), start_is_base=False)
case("prefix_tuning_gpt2", "gpt2", "prefix tuning with learned positions", other(peft.PrefixTuningConfig, num_virtual_tokens=4), start_is_base=False)

# Weights of the base
case("ln_tuning", "llama", "norms trained, stored as whole copies",
     other(peft.LNTuningConfig, target_modules=["input_layernorm", "post_attention_layernorm", "norm"]))
case("ln_tuning_gpt2", "gpt2", "norms with biases trained", other(peft.LNTuningConfig, target_modules=["ln_1", "ln_2", "ln_f"]))
case("bitfit", "qwen2", "every bias trained, by torch alone: PEFT has no such type", trains=lambda name: name.endswith(".bias"), method="bitfit")
case("bitfit_gpt2", "gpt2", "the same with biases of norms among them", trains=lambda name: name.endswith(".bias"), method="bitfit")

# What is trained beside an adapter: biases, whole modules, rows of the embedding; and adapters on the embedding and the head
case("vera_bias_only", "llama_linear", "VeRA with bias=vera_only", other(peft.VeraConfig, target_modules=["q_proj", "down_proj"], bias="vera_only", **VERA))
case("boft_bias_all", "qwen2", "BOFT with bias=all", other(peft.BOFTConfig, boft_block_size=4, target_modules=["q_proj"], bias="all"))
case("lora_save_head", "llama3", "LoRA beside a whole head of its own and the last norm; a target inside a whole module is left out",
     lora(r=2, target_modules=["q_proj", "down_proj"], modules_to_save=["lm_head", "model.norm", "layers.0.mlp"]))
case("lora_save_head_tied", "llama", "LoRA beside the head of a tied model: a copy of the table is trained as the head alone",
     lora(r=2, target_modules=["q_proj"], modules_to_save=["lm_head"]))
case("lora_save_embedding_tied", "gpt2", "LoRA beside the embedding of a tied model: a copy is trained for looking up alone",
     lora(r=2, target_modules=["c_attn"], fan_in_fan_out=True, modules_to_save=["wte"]))
case("lora_save_tying", "llama", "LoRA beside embedding and head of a tied model, which stay one (ensure_weight_tying)",
     lora(r=2, target_modules=["q_proj"], modules_to_save=["embed_tokens"], ensure_weight_tying=True))
case("lora_tokens", "llama", "LoRA beside rows of a tied embedding, which the head follows",
     lora(r=2, target_modules=["q_proj"], trainable_token_indices=[9, 1, 33]))
case("lora_tokens_untied", "llama3", "LoRA beside rows of an embedding and of a head of its own",
     lora(r=2, target_modules=["q_proj"], trainable_token_indices={"embed_tokens": [9, 1, 33], "lm_head": [9, 1, 33]}))
case("trainable_tokens", "gemma", "rows of a tied embedding alone; Gemma's factor multiplies them, but not in the head",
     other(peft.TrainableTokensConfig, token_indices=[5, 64, 9]))
case("trainable_tokens_untied", "llama3", "rows of an embedding that is not the head", other(peft.TrainableTokensConfig, token_indices=[5, 64, 9]))
case("lora_embedding", "llama3", "LoRA on the embedding, beside q_proj", lora(target_modules=["embed_tokens", "q_proj"]))
case("lora_head", "llama3", "LoRA on a head of its own, of another rank", lora(target_modules=["lm_head", "v_proj"], rank_pattern={"lm_head": 2}))
case("lora_head_tied", "gemma2", "LoRA on the head of a tied model, which leaves the embedding alone; capped logits",
     lora(target_modules=["lm_head", "q_proj"]), merges=False)
case("lora_ends_tied", "gemma", "LoRA on embedding and head of a tied model; Gemma's factor multiplies the embedding's",
     lora(target_modules=["embed_tokens", "lm_head"]), merges=False)
case("lora_embedding_gpt2", "gpt2", "LoRA on GPT-2's embedding, with scale alpha / sqrt(r)", lora(target_modules=["wte", "c_attn"], fan_in_fan_out=True, use_rslora=True),
     merges=False)
