"""Makes what the benchmark of tokenizers needs and no machine has: tokenizer.json files of the sizes of today's models, and texts.

Usage: PYTHON test/bench/tokenizer_inputs.py FOLDER, with the Python packages tokenizers and wordfreq (pip install tokenizers wordfreq==3.1.1).
The vocabularies are trained on words of two dozen languages as often as these use them, and on this repository's sources; the patterns,
normalizers and kinds of merges are those of the models that they are called after. What is there already is kept; all takes some minutes.
"""

import base64
import functools
import glob
import itertools
import json
import pathlib
import random
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LANGUAGES = "en es fr de it pt nl pl ru uk cs sv fi el tr hu ro ar fa he hi bn ta zh ja ko vi id".split()
CONTRACTIONS = r"'s|'t|'re|'ve|'m|'ll|'d"
LLAMA3 = rf"(?i:{CONTRACTIONS})|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
O200K = "|".join([rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+(?i:{CONTRACTIONS})?", rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*(?i:{CONTRACTIONS})?",
                  r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])


def sources():
    """This repository's sources and documents: what a vocabulary learns of code."""
    names = [n for folder in ("engine", "model", "data", "tools") for n in sorted(glob.glob(f"{ROOT}/{folder}/**/*.cpp", recursive=True))]
    names += sorted(glob.glob(f"{ROOT}/docs/**/*.md", recursive=True)) + sorted(glob.glob(f"{ROOT}/test/reference/*.py"))
    return [open(name, encoding="utf-8").read() for name in names]


def words(language, most, scale):
    """Words of a language, each as often as it comes among `scale` words (at least once), some with a capital."""
    import wordfreq

    for i, (word, frequency) in enumerate(wordfreq.get_frequency_dict(language, wordlist="best").items()):
        if i == most:
            return
        for k in range(max(1, int(frequency * scale))):
            yield word.capitalize() if (i + k) % 9 == 8 else word


def lines():
    for language in LANGUAGES:
        line = []
        for word in words(language, 90_000, 200_000):
            line.append(word)
            if len(line) == 64:
                yield " " + " ".join(line)
                line = []
        yield " " + " ".join(line)
    for text in sources():
        yield from text.splitlines(keepends=True)


def train(pre_tokenizer, size, alphabet, **more):
    from tokenizers import Tokenizer, models, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(lines(), trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False, **more))
    return json.loads(tokenizer.to_str())["model"]


def write(path, tokenizer):
    """As the library writes files: two spaces of indentation."""
    from tokenizers import Tokenizer

    text = Tokenizer.from_str(json.dumps(tokenizer)).to_str(pretty=True)
    path.write_text(text, encoding="utf-8")
    print(f"{path}: {len(tokenizer['model']['vocab'])} tokens, {len(tokenizer['model']['merges'])} merges, {len(text) / 1e6:.1f} MB", flush=True)


def added(first, names):
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return [{"id": first + i, "content": name, **flags} for i, name in enumerate(names)]


def byte_level(model, size, pattern, specials, normalizer=None, ignore_merges=False):
    """A file with the first `size` tokens of a trained model and the merges that make them."""
    vocab = {token: id for token, id in model["vocab"].items() if id < size}
    merges = [m for m in model["merges"] if m[0] in vocab and m[1] in vocab and m[0] + m[1] in vocab]
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    last = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    return {"version": "1.0", "added_tokens": added(size, specials), "normalizer": normalizer,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, last]}, "post_processor": last, "decoder": last,
            "model": {"type": "BPE", "vocab": vocab, "merges": merges, "ignore_merges": ignore_merges}}


def gemma(model, size):
    """Characters with byte fallback; as in files made of SentencePiece's, every way to cut a token into two tokens is a merge."""
    names = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"] + [f"<unused{i}>" for i in range(6_242)]
    vocab = {name: i for i, name in enumerate(names + ["<0x%02X>" % b for b in range(256)])}
    runs = [c * n for n in range(2, 32) for c in ("\n", "▁")]
    trained = [token for token in sorted(model["vocab"], key=model["vocab"].get) if token not in runs]
    singles, longer = [t for t in trained if len(t) == 1], [t for t in trained if len(t) > 1]
    for token in singles[:1] + ["▁", "\n"] + runs + longer + singles:
        if len(vocab) < size:
            vocab.setdefault(token, len(vocab))
    for token in singles:  # every character stays reachable
        if token not in vocab:
            vocab[token] = len(vocab)
    vocab = {token: i for i, token in enumerate(sorted(vocab, key=vocab.get)[:size])}
    merges = [[token[:i], token[i:]] for token in vocab if len(token) > 1 and not token.startswith("<") for i in range(1, len(token))
              if token[:i] in vocab and token[i:] in vocab]
    return {"version": "1.0", "added_tokens": added(0, names),
            "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
            "pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
            "post_processor": None,
            "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
                                                         {"type": "Fuse"}]},
            "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True, "ignore_merges": False, "vocab": vocab,
                      "merges": merges}}


def make_tokenizers(folder):
    from tokenizers import Regex, pre_tokenizers as pre

    names = {"gemma-262k", "llama3-128k", "qwen2-151k", "gpt-oss-200k"}
    missing = {name for name in names if not (folder / f"{name}.json").exists()}
    if missing - {"gemma-262k"}:
        steps = [pre.Split(Regex(LLAMA3), "isolated"), pre.ByteLevel(add_prefix_space=False, use_regex=False)]
        model = train(pre.Sequence(steps), 199_998, pre.ByteLevel.alphabet())
        chat = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
        reserved = [f"<|reserved_special_token_{i}|>" for i in range(253)]
        write(folder / "llama3-128k.json", byte_level(model, 128_000, LLAMA3, chat + reserved, ignore_merges=True))
        write(folder / "qwen2-151k.json", byte_level(model, 151_643, QWEN2, chat, {"type": "NFC"}))
        write(folder / "gpt-oss-200k.json", byte_level(model, 199_998, O200K, chat))
    if "gemma-262k" in missing:
        model = train(pre.Metaspace(prepend_scheme="never"), 262_144, [], limit_alphabet=16_000)
        write(folder / "gemma-262k.json", gemma(model, 262_144))


@functools.cache
def drawn(language):
    """Words of a language, and for each the share of all words up to it."""
    import wordfreq

    known = wordfreq.get_frequency_dict(language, wordlist="best")
    return list(known), list(itertools.accumulate(known.values()))


def prose(language, count, rng, gap=" ", stops=".!?", comma=","):
    """Sentences of words drawn as often as the language uses them."""
    out, left = [], 0
    known, bounds = drawn(language)
    for word in rng.choices(known, cum_weights=bounds, k=count):
        if left == 0:
            out.append(rng.choice(stops) if out else "")
            out.append(("\n\n" if rng.random() < 0.1 else gap) + word.capitalize())
            left = rng.randrange(5, 25)
        else:
            number = str(rng.randrange(10 ** rng.randrange(1, 5)))
            out.append(gap + (number if rng.random() < 0.02 else word) + (comma if rng.random() < 0.07 else ""))
        left -= 1
    return "".join(out).strip()


def cut(text, size):
    """Documents of about `size` characters, cut between lines or words."""
    documents = []
    while text:
        end = text.find(" ", size)
        end = len(text) if end < 0 or len(text) - end < size // 2 else end
        documents.append(text[:end])
        text = text[end:]
    return documents


def make_texts(folder):
    """Lists of documents, JSON arrays of strings."""
    rng = random.Random(1)
    everyday = [open(ROOT / "data/samples" / name, encoding="utf-8").read() for name in ("support.txt", "support_es.txt")]
    code = "\n".join(sources())[:1_200_000]
    asian = prose("zh", 60_000, rng, "", "。！？", "，") + prose("ja", 60_000, rng, "", "。！？", "、")
    emoji = [chr(c) for c in (*range(0x1F600, 0x1F645), *range(0x1F680, 0x1F6C0), 0x2764)] + ["👨‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽"]
    mixed = "".join(c + (rng.choice(emoji) + " " if rng.random() < 0.03 else "") for c in asian)
    turns = []
    for i in range(2500):
        question, answer = prose("en", rng.randrange(5, 40), rng), prose("en", rng.randrange(20, 120), rng)
        turns.append(f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n{answer}<|im_end|>\n")
    chats = ["".join(turns[i:i + 4]) for i in range(0, len(turns), 4)]
    texts = {"english": cut(everyday[0][:100_000] + prose("en", 180_000, rng), 8192), "spanish": cut(everyday[1][:100_000] + prose("es", 180_000, rng), 8192),
             "code": cut(code, 8192), "cjk-emoji": cut(mixed, 4096), "chat": chats,
             "one-word": ["".join(prose("en", 40_000, rng).split()).replace(".", "").replace(",", "").lower()],
             "base64": [base64.b64encode(rng.randbytes(150_000)).decode()]}
    for name, documents in texts.items():
        path = folder / f"text-{name}.json"
        if not path.exists():
            path.write_text(json.dumps(documents, ensure_ascii=False), encoding="utf-8")
            print(f"{path}: {sum(len(d.encode()) for d in documents) / 1e6:.2f} MB in {len(documents)} documents", flush=True)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    make_texts(folder)
    make_tokenizers(folder)


if __name__ == "__main__":
    main()
