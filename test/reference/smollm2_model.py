"""Builds SmolLM2-135M-Instruct for transformers and tokenizers from its GGUF file, every weight dequantised to f32."""

import numpy as np
import torch
from gguf import GGUFReader, dequantize
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

LAYER = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
         "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
         "ffn_down": "mlp.down_proj"}
OUTER = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight", "output.weight": "lm_head.weight"}


def field(reader, key, otherwise=None):
    found = reader.get_field(key)
    return otherwise if found is None else found.contents()


def hf_name(name):
    if name in OUTER:
        return OUTER[name]
    _, layer, part, kind = name.split(".")
    return f"model.layers.{layer}.{LAYER[part]}.{kind}"


def half_split(weight, heads):
    """Rows of q and k: llama.cpp keeps rotary pairs side by side (2i, 2i + 1), Hugging Face half a head apart (i, i + dim / 2)."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def weights(reader):
    heads, kv = field(reader, "llama.attention.head_count"), field(reader, "llama.attention.head_count_kv")
    out = {}
    for t in reader.tensors:
        values = np.array(dequantize(t.data, t.tensor_type), dtype=np.float32).reshape([int(n) for n in reversed(t.shape)])
        name = hf_name(t.name)
        if "q_proj" in name or "k_proj" in name:
            values = half_split(values, heads if "q_proj" in name else kv)
        out[name] = torch.from_numpy(np.ascontiguousarray(values))
    return out


def config(reader=None):
    """The model's configuration; without a reader, SmolLM2-135M's own."""
    get = (lambda key, known: field(reader, "llama." + key, known)) if reader else (lambda key, known: known)
    return LlamaConfig(vocab_size=get("vocab_size", 49152), hidden_size=get("embedding_length", 576),
                       intermediate_size=get("feed_forward_length", 1536), num_hidden_layers=get("block_count", 30),
                       num_attention_heads=get("attention.head_count", 9), num_key_value_heads=get("attention.head_count_kv", 3),
                       max_position_embeddings=get("context_length", 8192), rms_norm_eps=get("attention.layer_norm_rms_epsilon", 1e-5),
                       rope_parameters={"rope_type": "default", "rope_theta": get("rope.freq_base", 100000.0)}, tie_word_embeddings=True,
                       bos_token_id=1, eos_token_id=2, pad_token_id=2)


def load_model(path, attention="eager"):
    reader = GGUFReader(path)
    shape = config(reader)
    shape._attn_implementation = attention
    model = LlamaForCausalLM(shape).float().eval()
    missing, unexpected = model.load_state_dict(weights(reader), strict=False)
    assert missing == ["lm_head.weight"] and not unexpected, (missing, unexpected)
    model.tie_weights()
    return model


def load_tokenizer(path):
    """Byte-level BPE with digits apart ("smollm" in llama.cpp); control tokens are matched before everything else."""
    reader = GGUFReader(path)
    assert field(reader, "tokenizer.ggml.pre") == "smollm"
    tokens = field(reader, "tokenizer.ggml.tokens")
    merges = [tuple(m.split(" ")) for m in field(reader, "tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    control = 3  # GGUF's token type of those
    kinds = field(reader, "tokenizer.ggml.token_type")
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, k in zip(tokens, kinds) if k == control])
    return tokenizer


def chat(messages):
    """The model's own chat template, ready for the assistant's answer."""
    if messages[0]["role"] != "system":
        messages = [{"role": "system", "content": "You are a helpful AI assistant named SmolLM, trained by Hugging Face"}, *messages]
    return "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages) + "<|im_start|>assistant\n"
