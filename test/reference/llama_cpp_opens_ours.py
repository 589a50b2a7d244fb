#!/usr/bin/env python3
"""llama.cpp and transformers as witnesses of 'afina export': small models of several architectures and a trained adapter are exported,
llama.cpp reads the GGUF files, transformers the folders, and their logits, tokens and greedy answers are compared. Prints a table.

    pip install torch transformers peft numpy xllamacpp
    python3 test/reference/llama_cpp_opens_ours.py build/afina

Only the C library inside xllamacpp is used; LLAMA_LIBRARY may name it where it is installed elsewhere. The bounds are those that llama.cpp
itself keeps from f32: its cache is F16, and files of few bits are computed with rounded activations.
"""
import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
AFINA = str(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/afina").resolve())
TEXTS = ["Good morning. I ordered a lamp three weeks ago and it has not arrived yet.", "Tom has 14 apples. He gives 5 of them to Ana.",
         "Where is my parcel? ¿Dónde está?"]
# Greatest difference of log-probabilities that llama.cpp's own arithmetic makes, by stored type.
BOUNDS = {"f32": 0.03, "f16": 0.04, "bf16": 0.2, "q8_0": 1.0, "q5_0": 2.5, "q4_0": 4.0, "q6_k": 1.0, "q5_k": 2.5, "q4_k": 4.0}
ALL_TYPES = ["llama, linear scaling", "llama 3's scaling", "mistral", "qwen2", "qwen3", "gemma", "gpt2", "gpt_neox"]
failures = []


class Params(ctypes.Structure):
    """A struct of the library that is only handed on; longer than any of them."""
    _fields_ = [("bytes", ctypes.c_ubyte * 1024)]


class Batch(ctypes.Structure):
    _fields_ = [("n_tokens", ctypes.c_int32), ("token", ctypes.POINTER(ctypes.c_int32)), ("embd", ctypes.c_void_p),
                ("pos", ctypes.POINTER(ctypes.c_int32)), ("n_seq_id", ctypes.POINTER(ctypes.c_int32)),
                ("seq_id", ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))), ("logits", ctypes.POINTER(ctypes.c_int8))]


def library():
    path = os.environ.get("LLAMA_LIBRARY")
    if not path:
        import xllamacpp.xllamacpp as built
        path = built.__file__
    lib = ctypes.CDLL(path)
    lib.llama_backend_init()
    for name, result, arguments in [
            ("llama_model_default_params", Params, []), ("llama_context_default_params", Params, []),
            ("llama_model_load_from_file", ctypes.c_void_p, [ctypes.c_char_p, Params]),
            ("llama_init_from_model", ctypes.c_void_p, [ctypes.c_void_p, Params]),
            ("llama_model_get_vocab", ctypes.c_void_p, [ctypes.c_void_p]), ("llama_vocab_n_tokens", ctypes.c_int32, [ctypes.c_void_p]),
            ("llama_vocab_is_eog", ctypes.c_bool, [ctypes.c_void_p, ctypes.c_int32]),
            ("llama_tokenize", ctypes.c_int32, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.POINTER(ctypes.c_int32), ctypes.c_int32,
                                                ctypes.c_bool, ctypes.c_bool]),
            ("llama_batch_init", Batch, [ctypes.c_int32, ctypes.c_int32, ctypes.c_int32]), ("llama_batch_free", None, [Batch]),
            ("llama_decode", ctypes.c_int32, [ctypes.c_void_p, Batch]), ("llama_get_logits", ctypes.POINTER(ctypes.c_float), [ctypes.c_void_p]),
            ("llama_free", None, [ctypes.c_void_p]), ("llama_model_free", None, [ctypes.c_void_p]),
            ("llama_model_chat_template", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_char_p]),
            ("llama_adapter_lora_init", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p])]:
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    callback = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
    lib.quiet = callback(lambda level, text, data: sys.stderr.write(text.decode(errors="replace")) if level == 4 else None)
    lib.llama_log_set(lib.quiet, None)
    return lib


LIB = library()


class Llama:
    def __init__(self, path, adapter=None):
        self.model = LIB.llama_model_load_from_file(str(path).encode(), LIB.llama_model_default_params())
        assert self.model, f"llama.cpp does not read {path}"
        self.adapter = LIB.llama_adapter_lora_init(self.model, str(adapter).encode()) if adapter else None
        assert not adapter or self.adapter, f"llama.cpp does not read {adapter}"
        self.vocab = LIB.llama_model_get_vocab(self.model)
        self.size = LIB.llama_vocab_n_tokens(self.vocab)

    def tokens(self, text, special=True):
        data, room = text.encode(), (ctypes.c_int32 * 4096)()
        return list(room[:LIB.llama_tokenize(self.vocab, data, len(data), room, 4096, special, True)])

    def logits(self, tokens):
        params = LIB.llama_context_default_params()
        np.frombuffer(params.bytes, np.uint32)[:4] = [512, 512, 512, 1]  # context, batches, sequences
        context = LIB.llama_init_from_model(self.model, params)
        if self.adapter:
            adapters, scales = (ctypes.c_void_p * 1)(self.adapter), (ctypes.c_float * 1)(1.0)
            LIB.llama_set_adapters_lora(ctypes.c_void_p(context), adapters, ctypes.c_size_t(1), scales)
        batch = LIB.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = token, i, 1, 0, 1
        assert LIB.llama_decode(context, batch) == 0
        out = np.ctypeslib.as_array(LIB.llama_get_logits(context), (len(tokens), self.size)).astype(np.float64)
        LIB.llama_batch_free(batch)
        LIB.llama_free(context)
        return out

    def close(self):
        LIB.llama_model_free(self.model)


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def run(*words):
    done = subprocess.run([AFINA, *map(str, words)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def greedy(logits_of, tokens, count=32):
    tokens = list(tokens)
    for _ in range(count):
        tokens.append(int(logits_of(tokens)[-1].argmax()))
    return tokens[-count:]


def compare(name, kind, llama, model, tokenizer, answers=False):
    rows = [tokenizer(text)["input_ids"] for text in TEXTS]
    same_tokens = all(llama.tokens(text) == row for text, row in zip(TEXTS, rows))
    largest, kl, same, count = 0.0, 0.0, 0, 0
    with torch.no_grad():
        theirs = lambda tokens: model(torch.tensor([tokens])).logits[0].double().numpy()
        for row in rows:
            a, b = log_softmax(theirs(row)), log_softmax(llama.logits(row))
            largest = max(largest, np.abs(a - b).max())
            kl += (np.exp(a) * (a - b)).sum()
            same += (a.argmax(-1) == b.argmax(-1)).sum()
            count += len(row)
        answer = ""
        if answers:
            first, second = greedy(theirs, rows[0]), greedy(llama.logits, rows[0])
            answer = str(next((i for i in range(32) if first[i] != second[i]), 32))
    ok = same_tokens and largest <= BOUNDS[kind]
    if not ok:
        failures.append(f"{name} {kind}")
    print(f"| {name} | {kind} | {largest:.2g} | {BOUNDS[kind]} | {kl / count:.1e} | {100 * same / count:.1f} % | {answer} | "
          f"{'same' if same_tokens else 'OTHER'} |", flush=True)


def random_models(folder):
    torch.manual_seed(3)
    common = dict(vocab_size=2048, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                  max_position_embeddings=256, bos_token_id=0, eos_token_id=2, tie_word_embeddings=False, initializer_range=0.2)
    configs = {
        "llama, linear scaling": transformers.LlamaConfig(**common, rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}),
        "llama 3's scaling": transformers.LlamaConfig(**{**common, "max_position_embeddings": 16384}, rope_parameters={
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
            "rope_theta": 5e5}),
        "mistral": transformers.MistralConfig(**common, sliding_window=None),
        "qwen2": transformers.Qwen2Config(**common),
        "qwen3": transformers.Qwen3Config(**common, head_dim=32),
        "gemma": transformers.GemmaConfig(**{**common, "tie_word_embeddings": True}, head_dim=16, hidden_activation="gelu_pytorch_tanh"),
        "gpt2": transformers.GPT2Config(vocab_size=2048, n_embd=64, n_layer=2, n_head=4, n_positions=256, bos_token_id=0, eos_token_id=2,
                                        initializer_range=0.2),
        "gpt_neox": transformers.GPTNeoXConfig(vocab_size=2048, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
                                               num_attention_heads=4, max_position_embeddings=256, rotary_pct=0.25, bos_token_id=0,
                                               eos_token_id=2, initializer_range=0.2),
    }
    untied, tied = common, {**common, "tie_word_embeddings": True}
    configs |= {  # these in f32 alone
        "phi3": transformers.Phi3Config(**untied, pad_token_id=0),
        "olmo2": transformers.Olmo2Config(**untied),
        "olmo3": transformers.Olmo3Config(**{**untied, "num_hidden_layers": 4}, sliding_window=8),
        "granite": transformers.GraniteConfig(**untied, embedding_multiplier=2.0, residual_multiplier=0.5, attention_multiplier=0.3,
                                              logits_scaling=2.0),
        "stablelm": transformers.StableLmConfig(**untied, partial_rotary_factor=0.5, use_qkv_bias=True),
        "starcoder2": transformers.Starcoder2Config(**tied, sliding_window=None),
        "smollm3": transformers.SmolLM3Config(**{**untied, "num_hidden_layers": 5}, pad_token_id=0),
        "gemma2": transformers.Gemma2Config(**{**tied, "num_hidden_layers": 3}, head_dim=32, query_pre_attn_scalar=32, sliding_window=8),
        "gemma3": transformers.Gemma3TextConfig(**{**tied, "num_hidden_layers": 7}, head_dim=32, query_pre_attn_scalar=32, sliding_window=8),
        "mixtral": transformers.MixtralConfig(**untied, num_local_experts=4, num_experts_per_tok=2, sliding_window=None),
        "qwen3_moe": transformers.Qwen3MoeConfig(**untied, head_dim=32, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=64,
                                                 norm_topk_prob=True, decoder_sparse_step=1),
    }
    for name, config in configs.items():
        model = transformers.AutoModelForCausalLM.from_config(config).eval().float()
        for parameter in model.parameters():  # norms and biases other than 1 and 0
            if parameter.dim() == 1:
                parameter.data += 0.2 * torch.randn_like(parameter)
        path = folder / name.replace(" ", "_")
        model.save_pretrained(path)
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(ROOT / "data/pocket" / file, path)
        yield name, path, model


def main():
    print(f"torch {torch.__version__}, transformers {transformers.__version__}")
    print("| model | type | largest Δ | bound | KL | same choice | greedy tokens alike, of 32 | tokens |")
    print("|---|---|---:|---:|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        tokenizer = transformers.AutoTokenizer.from_pretrained(ROOT / "data/pocket")
        for name, path, model in random_models(folder):
            for kind in ("f32", "f16", "q8_0") if name in ALL_TYPES else ("f32",):
                out = folder / f"{path.name}-{kind}.gguf"
                run("export", "--model", path, "--to", "gguf", "--type", kind, "--out", out, "--accept")
                llama = Llama(out)
                compare(name, kind, llama, model, tokenizer)
                llama.close()
        adapters = folder / "run"
        run("train", "--model", "data/pocket", "--data", "data/samples/support.jsonl", "--method", "lora:rank=8,alpha=16,rslora=true",
            "--lr", "3e-3", "--steps", "60", "--batch", "2", "--length", "256", "--on-too-long", "cut", "--out", adapters)
        run("export", adapters, "--to", "hf", "--out", folder / "merged")
        merged = transformers.AutoModelForCausalLM.from_pretrained(folder / "merged", dtype=torch.float32).eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "merged")
        for kind in BOUNDS:
            out = folder / f"trained-{kind}.gguf"
            run("export", adapters, "--to", "gguf", "--type", kind, "--out", out)
            llama = Llama(out)
            compare("pocket, trained", kind, llama, merged, tokenizer, answers=True)
            assert LIB.llama_vocab_is_eog(llama.vocab, tokenizer.eos_token_id), "the end token is not one for llama.cpp"
            assert LIB.llama_model_chat_template(llama.model, None).decode() == tokenizer.chat_template, "another template"
            llama.close()
        run("export", "--model", "data/pocket", "--to", "gguf", "--type", "f32", "--out", folder / "base.gguf")
        run("export", adapters, "--to", "gguf-lora", "--out", folder / "adapter.gguf")
        llama = Llama(folder / "base.gguf", folder / "adapter.gguf")
        compare("pocket and its adapter (rslora)", "f32", llama, merged, tokenizer, answers=True)
        run("export", adapters, "--to", "peft", "--out", folder / "peft")
        import peft
        base = transformers.AutoModelForCausalLM.from_pretrained(ROOT / "data/pocket", dtype=torch.float32)
        opened = peft.PeftModel.from_pretrained(base, folder / "peft").eval()
        with torch.no_grad():
            ids = torch.tensor([tokenizer(TEXTS[0])["input_ids"]])
            off = (opened(ids).logits - merged(ids).logits).abs().max().item()
        print(f"\nPEFT {peft.__version__} opens the adapter: largest difference of logits from the merged folder {off:.1e}")
        if off > 1e-3:
            failures.append("peft")
    if failures:
        sys.exit("outside the bounds: " + ", ".join(failures))


if __name__ == "__main__":
    main()
