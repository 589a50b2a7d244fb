#!/usr/bin/env python3
"""Writes test/stored/tokenizers/: small tokenizers of each supported kind, and what Hugging Face `tokenizers` makes of odd text with them.

Usage: pip install tokenizers; python3 test/reference/tokenizer.py [SmolLM2.gguf]
With a GGUF file of SmolLM2 its ids are written as well (the file is read here, not by afina).
"""
import glob
import json
import os
import struct
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OUT = os.path.join(ROOT, "test", "stored", "tokenizers")
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")

TEXTS = [
    "", " ", "  ", "Hello, world!", " Hello  world   !", "The price is 1234567.89, not 12 345.", "it's IT'S we'll WE'LL I'VE 'ſ ''s",
    "¿Qué tal, señor Núñez? ¡Olé! El pingüino comió jamón.", "cafe\u0301 A\u030a \u1e9b\u0323 o\u0323\u0302 \u1100\u1161\u11a8 \u212b \ufb01 \u0958",
    "a\u0301\u0323b\u0323\u0301 \u0344 \u0301x", "你好，世界。我们在学习机器翻译。", "日本語のテキスト、カタカナとひらがな。 한국어 텍스트",
    "🙂👩‍👩‍👧‍👦🇪🇸 😀😃 ❤️", "Привет, мир! Σίσυφος. שלום مرحبا हिन्दी ไทย",
    "def f(x):\n    if x > 0:\n\t\treturn x ** 2  # square\n\n\nprint(f(3))\r\n", "int main() {\r\n  return (a<b) ? !c : ~d;\r\n}\r\n\r\n",
    '{"key": [1, 2.5e-3, null], "k2": "v\\n"}', "a\u00a0b\u2003c\u3000d\u200be\u180ef\u0085g\u2028h\ufeffi", "\t\t \n \n\n  \n x\n\n\ny  \n",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", "<|im_start|><|im_end|>x<|endoftext|> <|im_", "<s>[INST] hi [/INST] ok </s>",
    "word<mask> two <mask>  three  <lead>  four<lead>x solo nosolo solo.", "½ Ⅷ ² ٣٤ ⅷ １２", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "▁under▁▁score _ __ Ġ Ċ", "x" * 70 + "the" * 40, "WikiText @-@ 0 @.@ 7 = = Title = =", "\x01\x7f\u0080\ufffd\ue000𝒳\U0010fffd",
]
INVALID = ["ff", "c3", "61c328", "e4bd", "e4bda0e5", "f09f99", "f09f9982f09f", "eda080", "c080", "f4908080", "20fe20ff", "e28261", "80818283", "f0808080c3a9"]


def corpus():
    lines = [text for text in TEXTS if len(text) < 200] * 3
    for path in sorted(glob.glob(os.path.join(ROOT, "data", "pocket", "grammar", "*.txt"))):
        if os.path.basename(path).startswith(("shop_", "spanish")):
            continue  # younger than the stored tokenizers, which would change for nothing
        lines += open(path, encoding="utf-8").read().split("\n")[:60]
    return lines


def trained(pre, size, normalizer=None, alphabet=True):
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre:
        tokenizer.pre_tokenizer = pre
    start = pre_tokenizers.ByteLevel.alphabet() if alphabet else []
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=start, show_progress=False, special_tokens=[])
    tokenizer.train_from_iterator(corpus(), trainer)
    return json.loads(tokenizer.to_str())


def byte_level(use_regex=True, prefix=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=use_regex)


def finished(data, added, post=None, decoder=None):
    tokenizer = Tokenizer.from_str(json.dumps(data))
    tokenizer.decoder = decoder or decoders.ByteLevel()
    for token in added:
        tokenizer.add_special_tokens([token]) if token.special else tokenizer.add_tokens([token])
    if post:
        tokenizer.post_processor = post(tokenizer)
    return tokenizer


def special(text, **how):
    return AddedToken(text, special=True, normalized=False, **how)


def gpt2():
    tokenizer = finished(trained(byte_level(prefix=True), 420), [special("<|endoftext|>"), AddedToken("<mask>", lstrip=True, normalized=True),
                         AddedToken("<lead>", rstrip=True, normalized=False), AddedToken("solo", single_word=True, normalized=False)])
    return tokenizer


def llama3():
    pre = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), byte_level(False)])
    data = trained(pre, 420)
    # A whole word that no merges lead to: only ignore_merges finds it.
    data["model"]["vocab"]["Hello"] = len(data["model"]["vocab"])
    data["model"]["ignore_merges"] = True
    bos = "<|begin_of_text|>"
    return finished(data, [special(bos), special("<|im_start|>"), special("<|im_end|>")], lambda t: processors.Sequence(
        [processors.ByteLevel(trim_offsets=True), processors.TemplateProcessing(single=bos + " $A", special_tokens=[(bos, t.token_to_id(bos))])]))


def qwen2():
    pre = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated"), byte_level(False)])
    return finished(trained(pre, 420, normalizers.NFC()), [special("<|endoftext|>"), special("<|im_start|>"), special("<|im_end|>")])


def smollm():
    pre = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level()])
    return finished(trained(pre, 420), [special("<|endoftext|>"), special("<|im_start|>"), special("<|im_end|>")])


def sentence_piece():
    normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    data = trained(None, 420, normalizer, alphabet=False)
    names = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)]
    vocab = {name: i for i, name in enumerate(names)}
    for token in sorted(data["model"]["vocab"], key=data["model"]["vocab"].get):
        # Only what a text in English needs, so that there is something to fall back for.
        if all(ord(c) < 128 or c == "▁" for c in token):
            vocab[token] = len(vocab)
    data["model"]["vocab"] = vocab
    data["model"]["merges"] = [m for m in data["model"]["merges"] if m[0] in vocab and m[1] in vocab and m[0] + m[1] in vocab]
    data["model"].update(unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return finished(data, [special("<unk>"), special("<s>"), special("</s>")], lambda t: processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]), decoder)


def gguf_metadata(path):
    file = open(path, "rb")
    assert file.read(4) == b"GGUF"
    _, _, count = struct.unpack("<IQQ", file.read(20))
    plain = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

    def value(kind):
        if kind == 8:
            return file.read(struct.unpack("<Q", file.read(8))[0]).decode("utf-8")
        if kind == 9:
            inner, n = struct.unpack("<IQ", file.read(12))
            return [value(inner) for _ in range(n)]
        return struct.unpack("<" + plain[kind], file.read(struct.calcsize(plain[kind])))[0]

    data = {}
    for _ in range(count):
        key = value(8)
        data[key] = value(struct.unpack("<I", file.read(4))[0])
    return data


def smollm2(path):
    data = gguf_metadata(path)
    tokens = data["tokenizer.ggml.tokens"]
    merges = [tuple(m.split(" ")) for m in data["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level()])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([special(tokens[i]) for i, kind in enumerate(data["tokenizer.ggml.token_type"]) if kind == 3])
    return tokenizer


def cases(tokenizer):
    texts = TEXTS + [bytes.fromhex(text).decode("utf-8", "replace") for text in INVALID]
    out = {"ids": [], "plain_ids": [], "decoded": [], "decoded_without_special": []}
    for text in texts:
        tokenizer.encode_special_tokens = True
        out["plain_ids"].append(tokenizer.encode(text, add_special_tokens=False).ids)
        tokenizer.encode_special_tokens = False
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        out["ids"].append(ids)
        out["decoded"].append(tokenizer.decode(ids, skip_special_tokens=False))
        out["decoded_without_special"].append(tokenizer.decode(ids, skip_special_tokens=True))
        # Every second id: what no text gives, but generation may.
    out["halves"] = [tokenizer.decode(ids[1::2], skip_special_tokens=False) for ids in out["ids"]]
    return out


def main():
    os.makedirs(OUT, exist_ok=True)
    result = {"texts": TEXTS, "invalid": INVALID}
    for name, make in (("gpt2", gpt2), ("smollm", smollm), ("llama3", llama3), ("qwen2", qwen2), ("sentence_piece", sentence_piece)):
        tokenizer = make()
        with open(os.path.join(OUT, name + ".json"), "w", encoding="utf-8") as file:
            json.dump(json.loads(tokenizer.to_str()), file, ensure_ascii=False, separators=(",", ":"))
        result[name] = cases(tokenizer)
    stored = os.path.join(OUT, "cases.json")
    if len(sys.argv) > 1:
        result["smollm2"] = cases(smollm2(sys.argv[1]))
    elif os.path.exists(stored):
        result["smollm2"] = json.load(open(stored, encoding="utf-8")).get("smollm2", {})
    with open(stored, "w", encoding="utf-8") as file:
        json.dump(result, file, ensure_ascii=True, separators=(",", ":"))


main()
