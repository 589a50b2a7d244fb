"""The table of cases of peft_methods.py: a base model of test/stored/tiny, a method, and how it is trained."""

from dataclasses import dataclass
from typing import Callable, Optional

import peft
import peft.optimizers.lorafa
import torch
from peft.optimizers import create_lorafa_optimizer, create_loraplus_optimizer

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
    prepare: Optional[Callable] = None  # (model), before it is trained
    after_step: Optional[Callable] = None  # (model, number of the step from 1), before the gradients are cleared
    spread: float = 0.0  # moves the start by normal noise of this width, where it would change too little
    normal: Optional[Callable] = None  # (model): what was trained, by afina's names, where PEFT's file cannot be exchanged
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

def hold_a(model):
    for name, p in model.named_parameters():
        if "lora_A" in name:
            p.requires_grad_(False)


def lora_fa(model):
    """PEFT's, but its product of gradients in f32 as on hardware without bf16, and with the eps of all cases."""
    peft.optimizers.lorafa.is_bf16_available = lambda: False
    optimizer = create_lorafa_optimizer(model, r=4, lora_alpha=8, lr=LR, weight_decay=0.0)
    for group in optimizer.param_groups:
        group["eps"] = 1e-8
    return optimizer


case("lora_fa", "llama", "LoRA-FA: A is held, B's gradient corrected by (A A^T)^-1 / s^2", lora(), optimizer=lora_fa, prepare=hold_a,
     method="lora:rank=4,alpha=8,targets=q_proj+v_proj+down_proj,fa=true")
case("lora_own_bias", "qwen2", "LoRA with lora_bias: B has a bias, beside the layer's own", lora(lora_bias=True, target_modules=["q_proj", "v_proj"]))
case("lora_kaiming", "llama", "LoRA whose B begins at random as well (init_lora_weights false)", lora(init_lora_weights=False), start_is_base=False)
case("lora_orthogonal", "llama", "LoRA whose A and B begin with rows of one orthogonal matrix", lora(init_lora_weights="orthogonal"))
case("pissa", "llama", "PiSSA: the largest singular values and vectors, taken out of the weights again when the file is read",
     lora(init_lora_weights="pissa", rank_pattern={"v_proj": 2}))
case("pissa_gpt2", "gpt2", "PiSSA on Conv1D, scale alpha / sqrt(r)", lora(init_lora_weights="pissa", use_rslora=True, **GPT2))
case("pissa_dora", "llama", "DoRA that begins as PiSSA", lora(init_lora_weights="pissa", use_dora=True))
case("olora", "llama", "OLoRA: Q and R of the weights, taken out of them again when the file is read", lora(init_lora_weights="olora"))
case("mica", "llama", "MiCA: B holds singular vectors of the smallest singular values, A alone is trained", lora(init_lora_weights="mica"))

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
case("miss_mini", "qwen2", "MiSS whose matrix of eight columns is repeated along the outputs; beside biases",
     other(peft.MissConfig, r=4, mini_r=8, init_weights="mini", **THREE))
case("miss_bat", "llama", "MiSS that multiplies blocks of the weight too", other(peft.MissConfig, r=8, init_weights="bat", **THREE))
case("gralora_hybrid", "llama", "GraLoRA beside a LoRA of rank 2 of the whole weight", other(peft.GraloraConfig, r=4, alpha=8, gralora_k=2, hybrid_r=2, **THREE))
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

# Outputs turned and scaled
case("road_1", "qwen2", "RoAD with one angle and scale for a pair of outputs, beside biases, which are turned too", other(peft.RoadConfig, group_size=8, **THREE))
case("road_2", "llama", "RoAD with an angle and a scale for each output", other(peft.RoadConfig, group_size=16, variant="road_2", **THREE))
case("road_4", "qwen2", "RoAD with two angles and scales for each output", other(peft.RoadConfig, group_size=4, variant="road_4", **PAIR))

# Single weights, and weights and biases together
case("shira", "llama", "SHiRA: as many weights as a LoRA of rank 1 has numbers, at places of an unseeded generator", other(peft.ShiraConfig, r=1, **THREE))
case("shira_seed", "qwen2", "SHiRA at places of a seed, beside biases", other(peft.ShiraConfig, r=2, random_seed=7, **PAIR))
case("glora", "llama", "GLoRA without biases: the paths of the bias are zeros in the file", other(peft.GloraConfig, r=2, **THREE))
case("glora_bias", "qwen2", "GLoRA beside biases, vectors for weight and bias, a low-rank path from one to the other",
     other(peft.GloraConfig, r=2, config_A_B="vector", config_D_E="vector", **THREE))
case("glora_constant", "qwen2", "GLoRA of single numbers", other(peft.GloraConfig, config_A_B="constant", config_C="vector", config_D_E="constant", **PAIR))

# Singular vectors of the weight
case("osf", "llama", "OSF: the smallest tenth of the singular values of each weight, less those that stay", other(peft.OSFConfig, effective_rank=0.9, **THREE))
case("osf_pattern", "llama", "OSF with a number and a share of single layers, by patterns that are looked for anywhere in a path",
     other(peft.OSFConfig, effective_rank=0.9, rank_pattern={"q_pro": 30, r"layers\.1.*down": 0.75}, **THREE))
case("osf_number", "qwen2", "OSF that keeps 28 singular values, beside biases", other(peft.OSFConfig, effective_rank=28, **PAIR))
case("tinylora", "llama", "TinyLoRA: two layers of three share a vector, which begins at random",
     other(peft.TinyLoraConfig, r=2, u=8, weight_tying=0.5, init_weights="uniform", **THREE), start_is_base=False)
case("tinylora_gpt2", "gpt2", "TinyLoRA on Conv1D, begun at zero, whose file holds no random matrices",
     other(peft.TinyLoraConfig, r=3, u=5, projection_seed=9, save_projection=False, **GPT2))


def in_our_signs(model):
    """PSOFT: the turn in a basis whose left singular vectors have their largest element positive, as afina's have; PEFT's signs are LAPACK's."""
    values = {}
    for name, module in model.named_modules():
        if not hasattr(module, "psoft_R"):
            continue
        turn, weight = module.psoft_R["default"], module.get_base_layer().weight.data
        U = torch.linalg.svd(weight, full_matrices=False)[0][:, :turn.size]
        signs = U.gather(0, U.abs().argmax(0, keepdim=True))[0].sign()
        path = name.removeprefix("base_model.model.") + ".psoft_R."
        values |= {path + "weight": turn.weight.data * signs[turn.rows] * signs[turn.cols],
                   path + "vector_a": turn.vector_a.data, path + "vector_b": turn.vector_b.data}
    return values


case("psoft", "llama", "PSOFT: the four largest singular directions turned, in afina's signs of them",
     other(peft.PsoftConfig, r=4, psoft_alpha=8, **THREE), method="psoft:rank=4,targets=q_proj+v_proj+down_proj", normal=in_our_signs)

# Low-rank matrices that follow from shared numbers
SHAPES = {"target_modules": ["layers.1.self_attn.q_proj", "layers.1.mlp.up_proj", "layers.1.mlp.down_proj"]}
case("randlora", "llama", "RandLoRA on a square, a wider and a higher weight: the file repeats the shared matrices for every layer",
     other(peft.RandLoraConfig, r=8, randlora_alpha=16, projection_prng_key=3, **SHAPES))
case("randlora_sparse", "qwen2", "RandLoRA of sparse matrices that the file leaves out, of a rank that does not divide; beside biases",
     other(peft.RandLoraConfig, r=7, randlora_alpha=14, sparse=True, save_projection=False, **THREE))
case("randlora_drawn", "gpt2", "RandLoRA on Conv1D, the shared matrices left out of the file",
     other(peft.RandLoraConfig, r=8, randlora_alpha=16, projection_prng_key=5, save_projection=False, **GPT2))
case("vblora", "llama", "VB-LoRA: pieces of 16, each of two of eight vectors", other(peft.VBLoRAConfig, r=4, num_vectors=8, vector_length=16, topk=2, **THREE),
     start_is_base=False)
case("vblora_gpt2", "gpt2", "VB-LoRA on Conv1D: pieces of 8, each of three vectors", other(peft.VBLoRAConfig, r=2, num_vectors=6, vector_length=8, topk=3, **GPT2),
     start_is_base=False)
case("unilora", "llama", "Uni-LoRA: the file is one vector, the choice of its numbers follows from the seed (numpy's generator)",
     other(peft.UniLoraConfig, r=4, theta_d_length=50, **THREE), start_is_base=False)
case("unilora_indices", "qwen2", "Uni-LoRA whose file holds the choice too, hardly more places than numbers; beside biases",
     other(peft.UniLoraConfig, r=1, theta_d_length=60, proj_seed=3, save_indices=True, target_modules=["layers.0.self_attn.q_proj"]), start_is_base=False)
case("unilora_gpt2", "gpt2", "Uni-LoRA on Conv1D", other(peft.UniLoraConfig, r=2, theta_d_length=100, **GPT2), start_is_base=False)

# Prompts and prefixes
case("prompt_tuning", "llama", "prompt tuning, four virtual tokens before the text",
     other(peft.PromptTuningConfig, num_virtual_tokens=4), start_is_base=False)
case("prompt_tuning_gpt2", "gpt2", "prompt tuning with learned positions", other(peft.PromptTuningConfig, num_virtual_tokens=4), start_is_base=False)
case("prefix_tuning", "llama", "prefix tuning, keys and values of four places in every layer (two key heads)",
     other(peft.PrefixTuningConfig, num_virtual_tokens=4), start_is_base=False)
case("prefix_tuning_gpt2", "gpt2", "prefix tuning with learned positions", other(peft.PrefixTuningConfig, num_virtual_tokens=4), start_is_base=False)

ENCODED = {"num_virtual_tokens": 4}
case("p_tuning", "llama", "P-tuning by a multi-layer perceptron, which the file does not hold",
     other(peft.PromptEncoderConfig, encoder_hidden_size=6, **ENCODED), method="ptuning:tokens=4,hidden=6", start_is_base=False)
case("p_tuning_lstm", "llama", "P-tuning by an LSTM of two layers in both directions",
     other(peft.PromptEncoderConfig, encoder_hidden_size=4, encoder_reparameterization_type="LSTM", **ENCODED),
     method="ptuning:tokens=4,hidden=4,encoder=lstm", start_is_base=False)
case("prefix_projection", "llama", "prefix tuning through a projection, which the file does not hold",
     other(peft.PrefixTuningConfig, prefix_projection=True, encoder_hidden_size=6, **ENCODED), method="prefix:tokens=4,projection=true,hidden=6",
     start_is_base=False)

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
