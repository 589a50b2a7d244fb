"""Checks docs/compatibility.md again: python compatibility.py [--afina build/afina] [--refused | --libraries] [--only TEXT]

Two questions, and a line for every answer:
- Do the libraries still say what is stored? Every script that made numbers for a section of the document runs in a copy of the tree, and
  what it writes is compared with test/stored/: texts and ids exactly, numbers to 1e-5 of their own size. (The tests hold afina to the
  stored numbers.) Needs the environment of requirements.txt.
- Does afina refuse what the document says, with those words? For each row of a table of refusals an input is made here, the program is
  run on it, and what it says is compared with the words in the row; a row without an input is reported, so that none is forgotten.
"""

import argparse
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
POCKET = ROOT / "data" / "pocket"
STORED = ROOT / "test" / "stored"
SUPPORT = ROOT / "data" / "samples" / "support.jsonl"
GONE = "(gone)"
# Script, its arguments, and the part of test/stored/ that it writes.
SCRIPTS = [
    ("architectures.py", [], "tiny"), ("config_variants.py", [], "config_variants.json"), ("tokenizer.py", [], "tokenizers"),
    ("tokenizer_files.py", [], "tokenizers"), ("chat_template.py", [], "chat_templates.json"), ("jinja.py", [], "jinja.json"),
    ("chat_mask.py", [], "chat_masks.json"), ("generation.py", [], "generation.json"), ("data_forms.py", [], "data"),
    ("peft_methods.py", [], "peft"), ("peft_sums.py", [], "peft_sums.json")]


class Bench:
    """Makes inputs in a folder of its own and runs the program on them."""

    def __init__(self, afina, folder):
        self.afina, self.folder, self.count = afina, folder, 0

    def new(self, suffix=""):
        self.count += 1
        return self.folder / f"case{self.count}{suffix}"

    def run(self, *words):
        done = subprocess.run([str(self.afina), *map(str, words)], capture_output=True, text=True, errors="replace", timeout=300)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    def model(self, config=None, tokenizer=None, tokenizer_config=None, base=POCKET, without=(), files=()):
        """A copy of a model whose JSON files are changed; a value GONE removes the key."""
        folder = self.new()
        shutil.copytree(base, folder, ignore=shutil.ignore_patterns("text", "grammar", "*.py", "*.md", "digests.txt"))
        for name, changes in [("config.json", config), ("tokenizer.json", tokenizer), ("tokenizer_config.json", tokenizer_config)]:
            if changes:
                path = folder / name
                old = json.loads(path.read_text())
                old.update(changes(old) if callable(changes) else changes)
                path.write_text(json.dumps({k: v for k, v in old.items() if v != GONE}))
        for name in without:
            (folder / name).unlink()
        for name in files:
            (folder / name).write_bytes(b"x")
        return folder

    def inspect(self, **changes):
        return self.run("inspect", "--model", self.model(**changes))

    def tokenized(self, **changes):
        return self.run("show", "--model", self.model(**changes), "--data", SUPPORT)

    def shown(self, name, content, *options):
        path = self.new("-" + name)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self.run("show", "--model", POCKET, "--data", path, *options)

    def records(self, *records):
        return self.shown("rows.jsonl", "".join(json.dumps(record) + "\n" for record in records))

    def adapter(self, changes=None, files=None, without=(), kind="lora"):
        """An adapter of PEFT on the tiny model of that fixture, a LoRA unless said otherwise, changed."""
        folder = self.new()
        shutil.copytree(STORED / "peft" / kind, folder)
        path = next(folder.rglob("adapter_config.json"))
        config = json.loads(path.read_text())
        config.update(changes or {})
        path.write_text(json.dumps(config))
        for name in without:
            (path.parent / name).unlink()
        for name, content in (files or {}).items():
            (path.parent / name).write_bytes(content)
        return self.run("merge", "--model", STORED / "tiny" / "llama", "--adapter", path.parent, "--out", self.new())


def gguf(metadata):
    """A GGUF without tensors. metadata: texts."""
    out = b"GGUF" + struct.pack("<IQQ", 3, 0, len(metadata))
    for key, value in metadata.items():
        out += struct.pack("<Q", len(key)) + key.encode() + struct.pack("<IQ", 8, len(value)) + value.encode()
    return out


def gguf_case(bench):
    path = bench.new(".gguf")
    path.write_bytes(gguf({"general.architecture": "mamba"}))
    return bench.run("inspect", "--model", path)


def llama3(**changes):
    return {"rope_scaling": {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, **changes}}


def refusals():
    """section, beginning of the row, which of the quoted words of the row, input. Several inputs may stand for one row."""
    tiny = STORED / "tiny"
    messages = {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]}
    families = "Model families"
    yield families, "an unknown `model_type`", 0, lambda b: b.inspect(config={"model_type": "lama"})
    yield families, "a key that this family", 0, lambda b: b.inspect(config={"score_gain": 2.0})
    yield families, "an unknown kind of rotary", 0, lambda b: b.inspect(config={"rope_scaling": {"rope_type": "yarm", "factor": 2.0}})
    yield families, "an unknown kind of rotary", 1, lambda b: b.inspect(config={"rope_scaling": {"rope_type": "linear", "factor": 2.0, "beta_fast": 3.0}})
    yield families, "`llama3` without", 0, lambda b: b.inspect(config=llama3())
    yield families, "`partial_rotary_factor`", 0, lambda b: b.inspect(config={"partial_rotary_factor": 0.5})
    yield families, "a layer that slides", 0, lambda b: b.run("inspect", "--model", b.model(
        base=tiny / "qwen2", config={"use_sliding_window": True, "sliding_window": None, "layer_types": ["sliding_attention", "full_attention"]}))
    yield families, "another activation", 0, lambda b: b.inspect(config={"hidden_act": "mish"})
    yield families, "an architecture that is not read from GGUF", 0, gguf_case
    yield families, "quantised weights", 0, lambda b: b.inspect(config={"quantization_config": {"quant_method": "gptq", "bits": 4}})
    yield families, "bidirectional Gemma", 0, lambda b: b.inspect(base=tiny / "gemma3", config={"use_bidirectional_attention": True})
    yield families, "no head in the file", 0, lambda b: b.inspect(config={"tie_word_embeddings": GONE})

    tokenizers = "Tokenizers"
    split = lambda pattern: {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}}
    yield tokenizers, "classes within classes", 0, lambda b: b.tokenized(tokenizer=split("[a[bc]]+"))
    yield tokenizers, "two tokens of one id", 0, lambda b: b.tokenized(
        tokenizer=lambda t: {"model": {**t["model"], "vocab": {**t["model"]["vocab"], "zzzz": 300}}})
    yield tokenizers, "a model, normalizer", 0, lambda b: b.tokenized(tokenizer={"normalizer": {"type": "Spelling"}})
    yield tokenizers, "Replace of an empty", 0, lambda b: b.tokenized(tokenizer={"normalizer": {"type": "Replace", "pattern": {"String": ""}, "content": "x"}})
    yield tokenizers, "the decoder CTC", 0, lambda b: b.tokenized(tokenizer={"decoder": {"type": "CTC", "pad_token": "<pad>"}})
    unigram = {"type": "Unigram", "unk_id": None, "vocab": [["<|endoftext|>", 0.0], ["<|im_start|>", 0.0], ["<|im_end|>", 0.0], ["a", -1.0]]}
    yield tokenizers, "the pre-tokenizer ByteLevel", 0, lambda b: b.tokenized(tokenizer={"model": unigram})
    yield tokenizers, "a text with a character", 0, lambda b: b.tokenized(
        tokenizer={"model": unigram, "pre_tokenizer": None, "decoder": None})
    yield tokenizers, "a charsmap that is none", 0, lambda b: b.tokenized(
        tokenizer={"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAQAAGFi"}})

    adapters = "Adapters"
    yield adapters, "an adapter on the head", 0, lambda b: b.adapter({"target_modules": ["lm_head"]}, kind="loha")
    yield adapters, "an adapter of mlx-lm", 0, lambda b: b.adapter(
        {"lora_parameters": {"rank": 4}, "fine_tune_type": "lora"}, {"adapters.safetensors": b"x"}, ["adapter_model.safetensors"])
    yield adapters, "a kind of adapter", 0, lambda b: b.adapter({"peft_type": "POLY"})
    yield adapters, "a key that changes", 0, lambda b: b.adapter({"use_qalora": True})

    for which, kind in enumerate(("ia3", "lora_save_head")):
        yield adapters, "in a sum of adapters", which, lambda b, kind=kind: b.run(
            "merge", "--model", STORED / "tiny" / ("llama3" if which else "llama"), "--adapter", f"{STORED / 'peft' / kind}:0.5", "--out", b.new())
    yield adapters, "one that does not fit", 0, lambda b: b.adapter({"r": 2})
    yield adapters, "a folder whose weights", 0, lambda b: b.run("inspect", "--model", b.model(without=["model.safetensors"], files=["pytorch_model.bin"]))

    forms = "Data forms"
    json_lines = "JSON lines"
    yield forms, json_lines, 0, lambda b: b.shown("nan.jsonl", '{"prompt": "a", "completion": NaN}\n')
    yield forms, "JSON", 0, lambda b: b.shown("two.json", json.dumps({"train": [messages], "test": [messages]}))
    yield forms, "JSON", 1, lambda b: b.shown("columns.json", json.dumps({"prompt": {"0": "a", "1": "b"}, "completion": {"0": "c", "1": "d"}}))
    yield forms, "CSV", 0, lambda b: b.shown("four.csv", "prompt,completion,source\na,b,c,d\n")
    yield forms, "CSV", 1, lambda b: b.shown("quote.csv", 'prompt,completion\n"a"x,b\n')
    yield forms, "CSV", 2, lambda b: b.shown("half.csv", "prompt;completion\na;b\n")
    yield forms, "Parquet", 0, lambda b: b.run("show", "--model", POCKET, "--data", STORED / "data" / "dated.parquet", "--fields", "prompt=prompt,completion=when")
    yield forms, "Parquet", 1, lambda b: b.run("show", "--model", POCKET, "--data", STORED / "data" / "brotli.parquet")
    yield forms, "gzip", 0, lambda b: b.shown("cut.jsonl.gz", __import__("gzip").compress(json.dumps(messages).encode() * 50)[:-12])
    yield forms, "encodings", 0, lambda b: b.shown("latin.jsonl", json.dumps({"prompt": "café", "completion": "no"}, ensure_ascii=False).encode("latin-1") + b"\n")
    yield forms, "encodings", 1, lambda b: b.shown("wide.jsonl", json.dumps(messages).encode("utf-16-le"))
    yield forms, "`messages`", 0, lambda b: b.records({"conversations": [{"assistant": "a", "user": "b"}]})
    yield forms, "content", 0, lambda b: b.records({"messages": [{"role": "user", "content": True}, {"role": "assistant", "content": "So."}]})
    yield forms, "answers", 0, lambda b: b.records({"prompt": "Why?", "completion": ""})
    yield forms, "answers", 1, lambda b: b.records({"messages": [*messages["messages"], {"role": "user", "content": "Why?"}, {"role": "assistant", "content": " "}]})
    yield forms, "preferences", 0, lambda b: b.records({"prompt": "Why?", "chosen": "a", "rejected": "b"})


def tables_of(document):
    """Rows of tables that have a column of refusals: {(section, first cell): words in that column}."""
    rows, section, column = {}, "", None
    for line in document.splitlines():
        if line.startswith("## "):
            section, column = line[3:], None
        cells = [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] if line.startswith("|") else []
        if not cells:
            column = None
        elif column is None:
            names = [i for i, cell in enumerate(cells) if cell == "words" or "refused" in cell and "words" in cell]
            column = names[0] if names else -1
        elif column > 0 and not set(cells[0]) <= set("-: "):
            rows[section, cells[0]] = re.findall(r"`([^`]+)`", cells[column])
    return rows


def pattern_of(words):
    """Words of the document as an expression: "..." and capitals stand for anything, what is quoted and numbers for others of the kind."""
    out, words = "", words.replace(" ...", "...")
    for piece in re.split(r"""(\.\.\.|\bKEY\b|\bVALUE\b|\bX\b|\bY\b|"[^"]*"|\d+(?:\.\d+)?)""", words):
        if piece == "..." or piece in ("KEY", "VALUE", "X", "Y"):
            out += ".*"
        elif piece.startswith('"'):
            out += '".*"'
        elif re.fullmatch(r"\d+(?:\.\d+)?", piece):
            out += r"\d+(?:\.\d+)?"
        else:
            out += re.escape(piece)
    return out


def check_refusals(afina, only):
    rows = tables_of((ROOT / "docs" / "compatibility.md").read_text())
    tried, wrong = set(), 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(afina, pathlib.Path(folder))
        for section, begins, which, case in refusals():
            found = [row for row in rows if row[0] == section and row[1].startswith(begins)]
            if only and only not in f"{section} {begins}":
                tried.update(found[:1])
                continue
            if not found:
                print(f"{section:16} {begins:44} the document has no such row")
                wrong += 1
                continue
            row = min(found, key=lambda row: len(row[1]))
            tried.add(row)
            status, said = case(bench)
            words = rows[row][which] if which < len(rows[row]) else "(the row has fewer words)"
            same = status != 0 and re.search(pattern_of(words), said)
            wrong += not same
            print(f"{section:16} {begins[:44]:44} {'refused as the document says' if same else f'DIFFERENT (status {status}): ' + said[-300:]}")
    for row in rows:
        if row not in tried and rows[row]:
            print(f"{row[0]:16} {row[1][:44]:44} (no input here: held by the tests alone)")
    return wrong


def differences(name, old, new):
    """Where two JSON values differ: texts exactly, numbers to 1e-5 of the larger."""
    if isinstance(old, bool) or isinstance(new, bool) or not isinstance(old, (int, float, list, dict)):
        return [] if old == new else [f"{name}: {old!r} -> {new!r}"]
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(old.keys() | new.keys())
        return [d for key in keys for d in differences(f"{name}.{key}", old.get(key), new.get(key))]
    if isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return [f"{name}: {len(old)} values -> {len(new)}"]
        return [d for i, pair in enumerate(zip(old, new)) for d in differences(f"{name}[{i}]", *pair)]
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return [] if abs(old - new) <= 1e-5 * max(abs(old), abs(new), 1e-3) else [f"{name}: {old} -> {new}"]
    return [f"{name}: {str(old)[:40]} -> {str(new)[:40]}"]


def differences_of_files(old, new):
    if not new.exists():
        return ["not written"]
    if old.suffix == ".safetensors":
        from safetensors.torch import load_file

        a, b = ({k: t.double().numpy() for k, t in load_file(path).items()} for path in (old, new))
        if a.keys() != b.keys():
            return [f"tensors {sorted(a.keys() ^ b.keys())[:4]}"]
        # Each tensor against its own largest value: sums are in another order on another machine.
        return [f"{k}: off by {abs(a[k] - b[k]).max():g}" for k in a if a[k].shape != b[k].shape or a[k].size and abs(
            a[k] - b[k]).max() > 1e-5 * max(abs(a[k]).max(), 1e-3)]
    if old.suffix == ".json":
        return differences("", json.loads(old.read_text()), json.loads(new.read_text()))
    return [] if old.read_bytes() == new.read_bytes() else ["other bytes"]


def check_libraries(only):
    wrong = 0
    for script, words, part in SCRIPTS:
        if only and only not in script:
            continue
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder)
            for name in ["test/reference", "test/stored", "data/pocket", "data/samples"]:
                shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("text"))
            done = subprocess.run([sys.executable, script, *words], cwd=copy / "test" / "reference", capture_output=True, text=True)
            if done.returncode:
                print(f"{script:22} FAILED: {done.stderr[-400:]}")
                wrong += 1
                continue
            files = [STORED / part] if (STORED / part).is_file() else sorted(p for p in (STORED / part).rglob("*") if p.is_file())
            found = {str(p.relative_to(STORED)): differences_of_files(p, copy / "test" / "stored" / p.relative_to(STORED)) for p in files}
            bad = {name: d for name, d in found.items() if d}
            print(f"{script:22} {len(files):4} files of test/stored/{part}: {'as stored' if not bad else f'{len(bad)} DIFFERENT'}")
            for name, d in list(bad.items())[:5]:
                print(f"    {name}: {len(d)} differences, the first: {d[0][:160]}")
            wrong += len(bad)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--afina", type=pathlib.Path, default=ROOT / "build" / "afina")
    parser.add_argument("--refused", action="store_true", help="only what afina refuses")
    parser.add_argument("--libraries", action="store_true", help="only what the libraries say")
    parser.add_argument("--only", help="rows or scripts whose name contains this")
    options = parser.parse_args()
    wrong = 0
    if not options.libraries:
        wrong += check_refusals(options.afina.resolve(), options.only)
    if not options.refused:
        wrong += check_libraries(options.only)
    sys.exit(f"{wrong} differences" if wrong else 0)


if __name__ == "__main__":
    main()
