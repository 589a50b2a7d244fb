#!/usr/bin/env python3
"""Writes test/stored/tokenizers/files.json: ids that transformers gives where several files say what a tokenizer is, and words into which the
tokenizers library cuts text by patterns in which Oniguruma and PCRE2 differ.

Usage: pip install transformers tokenizers; python3 test/reference/tokenizer_files.py
The tokenizers are those of test/stored/tokenizers/ (tokenizer.py) with the changes that are written down.
"""
import json
import os
import tempfile

from tokenizers import Regex, pre_tokenizers
from transformers import AutoTokenizer
from transformers.utils import logging

STORED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "stored", "tokenizers")
TEXTS = ["xy", "a\n\n\n\n b\n \n\n\n \nc", "a<extra>b <slot>  c", "<|endoftext|>the <new>x <new>", "it's 12 ff  ff <pad><a><b>", "a \u1c89'S 中\U0002ebf0 x\U000113d1\U00011de5"]
GROUPED = "a12 b\u1c89\u1c8a.\u20c1 中\U0002ebf0\U000323af\U000323b0 \U0001ccf0\U0001cd00\U00011f02\U00011f34\U00011f43x\U00016d70 \ua7dd\ua7da\u0cf3\u0378 é\u0301 ²½٣"
PATTERN_TEXTS = ["", "ff  fg\tDEAD beef", "1234567 12 abc's it'S don't", "aaaaa b aab", "a\nb\r\n\r\n x \u000b\u2028y", "_x-y² ½ é٣\u200d", GROUPED, "¿Qué tal? [x]{2}"]
CL100K = r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}"
    r"\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PATTERNS = [
    r"\h+|\H", r"[\h ]+", r"[^\h]+", r"[\H]+", r"\w+|\W", r"[\w']+", r"[^\w]+", r"\b\w+\b", r"\Bb", r"\d+|\D", r"\s+|\S+", r"[\S]+", r"[^\S ]+", r"\v", r"[\v\n]",
    r"\p{N}{1,3}+| ", r"\p{N}{2}+", r"a{2}?", r"(?:ab?){2}?b", r"a{2,3}?", r"a{,2}b", r"a{2,}+b", r"(a|b){1,2}+ ", r"x{a}|\{2", r"(?m:a.b)", r"(?mi)A.B", r"a.b", r"(?i)DON'T",
    r"[[:alpha:]]+", r"[[:alnum:]_]+", r"[^[:space:]]+", r"[[:punct:]]+", r"[[:digit:]]+", r"[[:xdigit:]]+", r"[[:word:]]+", r"\u4e2d", r"[\u4e00-\u9fff]+", r"\x{4e2d}",
    r"\p{L}+", r"\P{L}+", r"[^\p{L}\p{N}]+", r"\p{M}+|\p{Lu}|\p{Ll}|\p{Lo}+", r"\p{N}+", r"\p{S}+", r"\p{P}+", r"\p{C}+", r"\p{Han}+", r"\p{^L}+", r"^.|.$", r"\s+$", CL100K, O200K,
]


def template(token, index):
    return {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": token, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {token: {"id": token, "ids": [index], "tokens": [token]}}}


def added(index, content, **how):
    return {"id": index, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **how}


def decoder(*tokens):
    return {str(t["id"]): {k: v for k, v in t.items() if k != "id"} for t in tokens}


def cases():
    """base, changed members of tokenizer.json, further added tokens, and the files beside it."""
    plain = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>"}
    size = {name: len(load(name)["model"]["vocab"]) + len(load(name)["added_tokens"]) for name in ("gpt2", "smollm", "sentence_piece")}
    n = size["smollm"]
    two = [added(n, "<a>"), added(n + 1, "<b>")]
    pair = template("<b>", n + 1)
    pair["single"] = [pair["single"][0], {"SpecialToken": {"id": "<a>", "type_id": 0}}, pair["single"][1], {"SpecialToken": {"id": "<a>", "type_id": 0}}]
    pair["special_tokens"]["<a>"] = {"id": "<a>", "ids": [n], "tokens": ["<a>"]}
    config = "tokenizer_config.json"
    yield "white space with both strips", "smollm", {}, [added(n, "\n\n", lstrip=True, rstrip=True), added(n + 1, "\n \n", lstrip=True)], {config: plain}
    yield "gap", "smollm", {}, [added(n + 3, "<extra>"), added(n + 9, "<slot>", special=False, lstrip=True)], {config: plain}
    yield "order", "smollm", {}, [added(n + 1, "<extra>"), added(n, "<slot>")], {config: plain}
    yield "in config", "smollm", {}, [], {config: {**plain, "added_tokens_decoder": decoder(added(n, "<slot>"), added(n + 1, "<new>", special=False, rstrip=True))}}
    yield "config changes flags", "smollm", {}, [added(n, "<slot>")], {config: {**plain, "added_tokens_decoder": decoder(added(n, "<slot>", lstrip=True, special=False))}}
    yield "extra in config", "smollm", {}, [], {config: {**plain, "additional_special_tokens": ["<slot>", {"__type": "AddedToken", "content": "<new>", "rstrip": True, "lstrip": False, "single_word": False, "normalized": False, "special": True}]}}
    yield "list beside", "smollm", {}, [], {config: plain, "added_tokens.json": {"<new>": n + 1, "<slot>": n}}
    yield "list beside a decoder", "smollm", {}, [], {config: {**plain, "added_tokens_decoder": {}}, "added_tokens.json": {"<slot>": n}}
    yield "map", "smollm", {}, two, {config: plain, "special_tokens_map.json": {"eos_token": "<a>", "additional_special_tokens": ["<slot>"]}}
    yield "role of the vocabulary", "smollm", {}, [], {config: {**plain, "pad_token": "the"}}
    yield "other than bos", "smollm", {"post_processor": template("<b>", n + 1)}, two, {config: {**plain, "bos_token": "<a>"}}
    yield "several", "smollm", {"post_processor": pair}, two, {config: {**plain, "bos_token": "<a>"}}
    yield "no first token for Llama", "smollm", {"post_processor": template("<a>", n)}, two, {config: {**plain, "tokenizer_class": "LlamaTokenizerFast", "bos_token": "<a>", "add_bos_token": False}}
    yield "a first token for Llama", "smollm", {}, two, {config: {**plain, "tokenizer_class": "LlamaTokenizerFast", "bos_token": "<a>", "add_bos_token": True}}
    yield "split", "smollm", {}, two, {config: {**plain, "split_special_tokens": True}}
    for name, value in (("space", True), ("no space", False), ("space unsaid", None)):
        said = {} if value is None else {"add_prefix_space": value}
        yield "GPT-2 " + name, "gpt2", {}, [], {config: {**plain, "tokenizer_class": "GPT2Tokenizer", "unk_token": "<|endoftext|>", "bos_token": "<|endoftext|>", **said}}
        yield "other " + name, "gpt2", {}, [], {config: {**plain, **said}}


def load(name):
    with open(os.path.join(STORED, name + ".json"), encoding="utf-8") as file:
        return json.load(file)


def main():
    logging.set_verbosity_error()
    result = {"texts": TEXTS, "cases": [], "pattern_texts": PATTERN_TEXTS, "patterns": []}
    for name, base, change, more, files in cases():
        with tempfile.TemporaryDirectory() as folder:
            data = {**load(base), **change}
            data["added_tokens"] = data["added_tokens"] + more
            for path, content in {**files, "tokenizer.json": data, "config.json": {"model_type": "llama"}}.items():
                with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
                    json.dump(content, file)
            tokenizer = AutoTokenizer.from_pretrained(folder)
            ids = [tokenizer(text)["input_ids"] for text in TEXTS]
        result["cases"].append({"name": name, "base": base, "change": change, "added": more, "files": files, "ids": ids})
    for pattern in PATTERNS:
        cut = pre_tokenizers.Split(Regex(pattern), "isolated")
        result["patterns"].append({"pattern": pattern, "words": [[word for word, _ in cut.pre_tokenize_str(text)] if text else [] for text in PATTERN_TEXTS]})
    with open(os.path.join(STORED, "files.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, ensure_ascii=True, separators=(",", ":"))


main()
