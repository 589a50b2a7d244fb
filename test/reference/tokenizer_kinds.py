#!/usr/bin/env python3
"""Writes test/stored/tokenizers/kinds.json: what the tokenizers library makes of odd text with normalizers, pre-tokenizers, models and decoders of
every kind; Unigram above all.

Usage: pip install tokenizers; python3 test/reference/tokenizer_kinds.py
       python3 test/reference/tokenizer_kinds.py FILE [PIPELINES [TEXTS [SEED]]]
The second form puts random pipelines and random texts into FILE; `AFINA_TOKENIZER_KINDS=FILE build/tests --run_test=tokenizer_kinds` compares them.
With the package sentencepiece the rules that T5 and XLM-R come with (nmt_nfkc) are among them, and so are those of nfkc and their case-folding kin.
"""
import base64
import io
import json
import os
import random
import resource
import struct
import sys
import tempfile

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
STORED = os.path.join(ROOT, "test", "stored", "tokenizers", "kinds.json")
MARK = "\u2581"
TEXTS = [
    "", " ", "  \t\n ", "Hello, world!", "  Hello   world  ", "It's 12.50 or ½ ² ٣٤ Ⅷ; isn't it?", "ÀÉÎÕÜ ñandú İstanbul ẞ ΣΊΣΥΦΟΣ ǅ", "cafe\u0301 A\u030a o\u0323\u0302 a\u0302\u0323",
    "\u1100\u1161\u11a8 \uac00\u11a8 \u1100\u1161 한국어", "ﬁ ﬂ ﬃ ㌀ ㈱ ｱﾞ ＡＢＣ ① ™ … \u3392 \ufdfa", "👩\u200d👩\u200d👧\u200d👦 🇪🇸🇫🇷🇩 👍🏽 ❤\ufe0f #\ufe0f\u20e3", "क्षि हिन्दी ที่ ลำ ঙ্ক",
    "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg\u180eh", "\x01\x02\x0b\x0c\x7f\x80\x8f\x9f\ufffd\ue000\U0010ffff\ufffe", "a\r\nb\rc\n\nd\u2028e\u2029f\u0085g", "你好，世界。カタカナ ひらがな 漢字ー",
    "Привет мир שלום مرحبا ქართული", MARK + "a" + MARK + MARK + "b " + MARK + " c", "<unk>", "a<unk>b<pad> </s>x<mask> y", "qqqqqqqqqqqqqqqqqqqq", "ŋŋŋŋŋŋ hello ŋŋ ŋ", "aaaaaaaaaab abab aab",
    "x" * 300, "the" * 40 + " " + "ß" * 40, "$5 + 3% = a_b-c/d (e) [f] {g} ~`^|", "\U0001e8d1\u0903a\u094d\u0915 \u0600\u0661 \u1c89\ua7ce\U00010d50\U000113d1", "e\u0301\u0301\u0301\u0301\u0301", "\u0301a", "\u0344 \u212b \u1e9b\u0323 \U00011935\U00011930",
]
WORDS = "the of and to in hello world low lower lowest new newer newest wide wider token tokens tokenize tokenization is it a isn't don't café naïve größe".split()
POOL = (
    [chr(c) for c in range(0x20, 0x7F)] + list(" \u2581\u2581  \t\n\r\u000b\u000c\u0085\u00a0\u1680\u2003\u2028\u202f\u205f\u3000\u200b\u200c\u200d\u200e\u2060\ufeff\u00ad\u180e\u061c")
    + list("éèÉñçßİıſΣςσǅﬁﬃ½²Ⅷ٣①™…㈱㌀ﾞｱＡ\u212b\u0344\u1e9b\u0958\u0f43\u2adc") + [chr(c) for c in range(0x300, 0x370, 5)] + list("\u0323\u0327\u0345\u034f\u0591\u05b0\u064b\u0653\u093c\u094d\u0903\u0915\u0937\u093f\u0e33\u0e48\u0eb3\u0d4d\u0d15\u0d4e")
    + list("\u1100\u1161\u11a8\u115f\uac00\uac01\ud7a3\ua960\ud7b0\ud7cb") + list("中文字カタひらー。、「」한국") + list("ПриветшалוםمرحباქარԱ") + ["\U0001f469", "\u200d", "\U0001f467", "\U0001f1ea", "\U0001f1f8", "\U0001f3fd", "\ufe0f", "\u20e3", "❤", "\U000e0061"]
    + list("\x00\x01\x08\x0e\x1f\x7f\x80\x8f\x9f\ufffd\ufffe\uffff\ue000\u0378\u0600\u06dd\u070f\u0890\u08e2") + ["\U000110bd", "\U00011935", "\U00011930", "\U00011938", "\U0001d400", "\U0001d15e", "\U0001e900", "\U00020000", "\U0002f800", "\U0010ffff"]
    + ["\u1c89", "\ua7ce", "\U00010d50", "\U000113d1", "\u0897", "\U00016d40", "\u31e4", "\u2ffc", "\U0001cc00", "\u0a3c", "\u1ac1", "\u20c1"]
)
PIECES = ["<unk>", "<pad>", "</s>", "<mask>", "<s>", "[UNK]", "##", "ab", "hello", "tokens", "\r\n", MARK * 2, "  ", "q" * 30, "ŋ" * 9, "<0x41>", "isn't", " n't", " do not"]


def charsmap(rules):
    """precompiled_charsmap in base64: a double array in the layout of darts-clone, then the texts."""
    texts, where = b"", {}
    for to in rules.values():
        if to not in where:
            where[to] = len(texts)
            texts += to.encode() + b"\0"
    trie = {}
    for key, to in rules.items():
        node = trie
        for byte in key.encode() if isinstance(key, str) else key:
            node = node.setdefault(byte, {})
        node[None] = where[to]
    units, used, queue = {0: 0}, set(), [(0, trie)]
    while queue:
        at, node = queue.pop(0)
        labels = [label or 0 for label in node]
        base = next(b for b in range(1, 1 << 20) if b not in used and at ^ b < 1 << 21 and all(b ^ label not in units for label in labels))
        used.add(base)
        units[at] |= (at ^ base) << 10 | (256 if None in node else 0)
        for label, child in node.items():
            place = base ^ (label or 0)
            units[place] = 1 << 31 | child if label is None else label
            if label is not None:
                queue.append((place, child))
    count = (max(max(units), max(used)) | 255) + 1
    blob = struct.pack("<%dI" % count, *(units.get(i, 0) for i in range(count)))
    return base64.b64encode(struct.pack("<I", len(blob)) + blob + texts).decode()


RULES = {"ﬁ": "fi", "\u00a0": " ", "\u3000": " ", "\t": " ", "\r": "\n", "\r\n": "!", "é": "e", "e\u0301": "E", "A": "a", "Aa": "no", "\u200b": "", "\u00ad": "", "½": "1⁄2", "\u1100": "G", "क": "k", "क\u094d": "K", "①": "1", "\U0001f1ea": "flag", "a\u0303": "ã~", "x\u0301\u0302": "long", "\ufe0f": ""}
SMALL = {"type": "Precompiled", "precompiled_charsmap": charsmap(RULES)}
# Every beginning of a character is a key: an X for each cluster of less than 6 bytes, else one for each character.
CLUSTERS = {"type": "Precompiled", "precompiled_charsmap": charsmap({bytes([b]): "X" for b in [*range(1, 0x80), *range(0xC2, 0xF5)]})}
SPACES = {"type": "Metaspace", "replacement": MARK, "prepend_scheme": "always", "split": True}
T5 = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, SPACES]}
ENDS = {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {"</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}}
BYTES = {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": MARK}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}


def bert(**how):
    return {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True, **how}


def kind(name, **how):
    return {"type": name, **how}


def regex(pattern, content):
    return kind("Replace", pattern={"Regex": pattern}, content=content)


def sequence(*all, key="normalizers"):
    return {"type": "Sequence", key: list(all)}


NORMALIZERS = [
    None, kind("NFC"), kind("NFD"), kind("NFKC"), kind("NFKD"), kind("Lowercase"), kind("Strip", strip_left=True, strip_right=True), kind("Strip", strip_left=False, strip_right=True), kind("StripAccents"),
    kind("Nmt"), SMALL, CLUSTERS, bert(), bert(lowercase=False), bert(strip_accents=False, clean_text=False), bert(handle_chinese_chars=False, strip_accents=True, lowercase=False), regex(r"\s+", " "), regex(r" {2,}", MARK),
    regex(r"[^a-z ]", ""), kind("Replace", pattern={"String": "a"}, content="bb"), kind("Prepend", prepend=MARK), kind("ByteLevel"), sequence(kind("NFKD"), kind("StripAccents"), kind("Lowercase")),
    sequence(SMALL, regex(r" {2,}", " "), kind("Strip", strip_left=True, strip_right=True)), sequence(kind("Nmt"), kind("NFKC"), regex(r" {2,}", " ")), sequence(kind("Prepend", prepend=MARK), kind("Replace", pattern={"String": " "}, content=MARK)),
]
PRE_TOKENIZERS = [
    None, SPACES, T5, *(kind("Metaspace", replacement=r, prepend_scheme=s, split=c) for r, s, c in ((MARK, "first", True), (MARK, "never", True), ("_", "always", True), (MARK, "always", False), (MARK, "first", False))),
    kind("Whitespace"), kind("WhitespaceSplit"), kind("BertPreTokenizer"), kind("UnicodeScripts"), *(kind("Punctuation", behavior=b) for b in ("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous")),
    kind("Digits", individual_digits=True), kind("Digits", individual_digits=False), kind("CharDelimiterSplit", delimiter="l"), kind("FixedLength", length=3),
    *(kind("Split", pattern=p, behavior=b, invert=i) for p in ({"Regex": r"\w+|[^\w\s]+"}, {"String": "l"}) for b in ("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous") for i in (False, True)),
    sequence(kind("WhitespaceSplit"), kind("Metaspace", replacement=MARK, prepend_scheme="first", split=True), key="pretokenizers"), sequence(kind("Digits", individual_digits=True), kind("Punctuation", behavior="Isolated"), key="pretokenizers"),
    sequence(kind("UnicodeScripts"), SPACES, key="pretokenizers"), sequence(kind("Whitespace"), kind("FixedLength", length=2), key="pretokenizers"),
]
DECODERS = [
    None, SPACES, kind("Metaspace", replacement=MARK, prepend_scheme="never", split=True), kind("Metaspace", replacement="_", prepend_scheme="first", split=True), BYTES, kind("ByteFallback"), kind("Fuse"), kind("WordPiece", prefix="##", cleanup=True),
    kind("WordPiece", prefix="##", cleanup=False), kind("BPEDecoder", suffix=MARK), kind("Strip", content="a", start=2, stop=1), regex("[aeiou]+", "*"),
    kind("ByteLevel", add_prefix_space=True, trim_offsets=True, use_regex=True),
    sequence(kind("Fuse"), kind("Strip", content=" ", start=3, stop=2), key="decoders"), sequence(kind("ByteFallback"), kind("Metaspace", replacement=MARK, prepend_scheme="always", split=True), key="decoders"), sequence(key="decoders"),
]
PROCESSORS = [None, ENDS, kind("BertProcessing", sep=["</s>", 2], cls=["<s>", 1]), kind("RobertaProcessing", sep=["</s>", 2], cls=["<s>", 1], trim_offsets=True, add_prefix_space=True),
              sequence(kind("ByteLevel", add_prefix_space=True, trim_offsets=True, use_regex=True), ENDS, key="processors")]
NAMES = ["<unk>", "<s>", "</s>"]


def added(index, content, **how):
    return {"id": index, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **how}


ADDED = [added(0, "<unk>"), added(1, "<s>"), added(2, "</s>")]


def trained():
    """A Unigram model of the library's own trainer, on words that are here; the stored one where there is one, as each run of it gives another."""
    if os.path.exists(STORED):
        with open(STORED, encoding="utf-8") as file:
            return json.load(file)["models"]["trained"]
    draw = random.Random(3)
    lines = [" ".join(draw.choice(WORDS) for _ in range(8)) for _ in range(200)] + ["Hello world 123 456 你好 世界 Привет мир"] * 3
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(lines, trainers.UnigramTrainer(vocab_size=160, special_tokens=NAMES, unk_token="<unk>", show_progress=False))
    return json.loads(tokenizer.to_str())["model"]


def made_models():
    draw = random.Random(5)
    ties = [[name, 0.0] for name in NAMES]
    letters = "ab" + MARK + "xelo"
    for piece in [*letters, "aa", "ab", "ba", "aab", "abab", MARK + "a", MARK + "b", "hello", MARK + "hello", "lo", "el", "ŋŋ", "qq", "一", "a", "X", "XX"]:
        # Scores as SentencePiece has them, numbers of 24 bits: sums of them tie.
        ties.append([piece, struct.unpack("f", struct.pack("f", draw.choice([-1.1, -2.2, -3.3, -0.7, -10.425487518310547])))[0]])
    bytes_ = [["<0x%02X>" % b, -20.0 - b % 3] for b in range(256)]
    ids = {name: i for i, name in enumerate(dict.fromkeys(NAMES + ["[UNK]"] + WORDS + list("abcdefghijklmnopqrstuvwxyz0123456789.,!?'" + MARK) + ["##" + c for c in "abcdefghijklmnopqrstuvwxyz"] + ["##er", "##est", "##ization", "中", MARK + "hello"]))}
    return {
        "trained": trained(),
        "ties": {"type": "Unigram", "unk_id": 0, "vocab": ties, "byte_fallback": False},
        "bytes": {"type": "Unigram", "unk_id": 0, "vocab": ties + bytes_, "byte_fallback": True},
        "some bytes": {"type": "Unigram", "unk_id": 3, "vocab": ties[:3] + [["?", -5]] + ties[3:] + bytes_[:0xC8], "byte_fallback": True},
        "words": {"type": "WordLevel", "vocab": ids, "unk_token": "<unk>"},
        "pieces": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 20, "vocab": ids},
    }


def case(name, model, normalizer=None, pre=None, decoder=None, post=None, more=()):
    return {"name": name, "model": model, "normalizer": normalizer, "pre_tokenizer": pre, "decoder": decoder, "post_processor": post, "added_tokens": ADDED + list(more)}


def stored_cases():
    yield case("T5", "trained", SMALL, T5, SPACES, ENDS, [added(900, "<mask>", lstrip=True)])
    yield case("T5 with spaces tidied", "trained", sequence(SMALL, kind("Strip", strip_left=False, strip_right=True), regex(" {2,}", MARK)), SPACES, SPACES, ENDS)
    yield case("ties", "ties", None, SPACES, SPACES)
    yield case("bytes", "bytes", None, kind("Metaspace", replacement=MARK, prepend_scheme="first", split=False), BYTES, PROCESSORS[3], [added(900, "<pad>"), added(901, "hello", special=False, normalized=True, single_word=True)])
    yield case("some bytes", "some bytes", kind("Prepend", prepend=MARK), None, BYTES)
    for i, normalizer in enumerate(NORMALIZERS):
        yield case("normalizer %d" % i, ("bytes", "trained")[i % 2], normalizer, None, None if i % 2 else BYTES)
    for i, pre in enumerate(PRE_TOKENIZERS):
        yield case("pre-tokenizer %d" % i, ("trained", "words", "pieces")[i % 3], None, pre, DECODERS[i % len(DECODERS)], PROCESSORS[i % len(PROCESSORS)])
    for i, decoder in enumerate(DECODERS):
        yield case("decoder %d" % i, ("bytes", "pieces")[i % 2], bert(lowercase=True), T5 if i % 2 == 0 else kind("BertPreTokenizer"), decoder)


def rules_of_sentencepiece():
    try:
        import sentencepiece
    except ImportError:
        return []
    from sentencepiece import sentencepiece_model_pb2 as proto
    all = []
    for name in ("nmt_nfkc", "nmt_nfkc_cf", "nfkc", "nfkc_cf"):
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(WORDS * 20), model_writer=model, vocab_size=60, normalization_rule_name=name, hard_vocab_limit=False, minloglevel=2)
        read = proto.ModelProto()
        read.ParseFromString(model.getvalue())
        all.append(kind("Precompiled", precompiled_charsmap=base64.b64encode(read.normalizer_spec.precompiled_charsmap).decode()))
    return all


def random_cases(count, draw):
    real = rules_of_sentencepiece()
    for i in range(count):
        some = NORMALIZERS[1:] + real * 3
        normalizer = draw.choice([None, draw.choice(some), draw.choice(some), sequence(*(draw.choice(some) for _ in range(draw.randrange(1, 4))))])
        pre = draw.choice(PRE_TOKENIZERS[1:])
        if draw.random() < 0.3:
            pre = sequence(*(draw.choice(PRE_TOKENIZERS[1:]) for _ in range(draw.randrange(1, 4))), key="pretokenizers")
        decoder = draw.choice(DECODERS) if draw.random() < 0.7 else sequence(*(draw.choice(DECODERS[1:]) for _ in range(draw.randrange(1, 4))), key="decoders")
        more = [added(900 + k, draw.choice(["<mask>", "<pad>", "hello", "é", "中", "A", " x", "ab"]), special=draw.random() < 0.5, normalized=draw.random() < 0.5, lstrip=draw.random() < 0.3, rstrip=draw.random() < 0.3, single_word=draw.random() < 0.3) for k in range(draw.randrange(4))]
        yield case("random %d" % i, draw.choice(["trained", "ties", "bytes", "some bytes", "words", "pieces"]), normalizer, None if draw.random() < 0.15 else pre, decoder, draw.choice(PROCESSORS), more)


def random_text(draw):
    def one():
        how = draw.random()
        if how < 0.15:
            return draw.choice(PIECES)
        if how < 0.3:
            return " " + draw.choice(WORDS)
        if how < 0.4:
            return draw.choice("ab" + MARK + " xelo")
        if how < 0.46:
            code = draw.randrange(0x110000)
            return "" if 0xD800 <= code < 0xE000 else chr(code)
        if how < 0.56:
            return chr(draw.randrange(0x80, 0x3100))
        if how < 0.6:
            return draw.choice(POOL) * draw.randrange(1, 5)
        return draw.choice(POOL)

    return "".join(one() for _ in range(draw.randrange(1, draw.choice([4, 10, 40]))))


def whole(one, all_models):
    full = {"version": "1.0", "truncation": None, "padding": None, **{key: one[key] for key in ("added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder")}, "model": all_models[one["model"]]}
    return Tokenizer.from_str(json.dumps(full))


def lasting(one, all_models):
    """Without added tokens that normalisation takes away: they cut every text between all of its characters."""
    normalizer = whole(one, all_models).normalizer
    return [token for token in one["added_tokens"] if not normalizer or normalizer.normalize_str(token["content"])]


def answers(tokenizer, texts):
    """None where the library panics."""
    out = {"texts": [], "ids": [], "decoded": [], "without_special": [], "halves": []}
    for text in texts:
        try:
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            decoded = [tokenizer.decode(ids, skip_special_tokens=False), tokenizer.decode(ids, skip_special_tokens=True), tokenizer.decode(ids[1::2], skip_special_tokens=False)]
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            continue
        out["texts"].append(text)
        out["ids"].append(ids)
        for key, value in zip(("decoded", "without_special", "halves"), decoded):
            out[key].append(value)
    try:
        inside = tokenizer.encode("hello", add_special_tokens=False).ids
        around = tokenizer.encode("hello").ids
        assert inside and not set(inside) & {1, 2}
        place = next(i for i in range(len(around)) if around[i : i + len(inside)] == inside)
        out["before"], out["after"] = around[:place], around[place + len(inside) :]
    except BaseException:
        pass
    return out


def answers_apart(one, all_models, texts):
    """In a process of its own with little memory: there are pipelines that the library needs all of the machine's for. None where it ends."""
    out = tempfile.TemporaryFile("w+")
    if not (child := os.fork()):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        json.dump(answers(whole(one, all_models), texts), out)
        out.flush()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    out.seek(0)
    return json.load(out) if status == 0 else None


def main():
    all_models = made_models()
    random_mode = len(sys.argv) > 1
    arguments = [int(word) for word in sys.argv[2:]] + [None] * 3
    draw = random.Random(arguments[2] or 1)
    result = {"models": all_models, "texts": [] if random_mode else TEXTS, "cases": []}
    for one in random_cases(arguments[0] or 200, draw) if random_mode else stored_cases():
        texts = [random_text(draw) for _ in range(arguments[1] or 60)] if random_mode else TEXTS
        one["added_tokens"] = lasting(one, all_models)
        got = answers_apart(one, all_models, texts)
        if got is None:
            print(one["name"], "is left out: the library does not survive it", file=sys.stderr)
            continue
        if got["texts"] == TEXTS:
            del got["texts"]
        if one["name"].startswith(("normalizer", "pre-tokenizer")):
            del got["decoded"], got["without_special"], got["halves"]
        result["cases"].append({**one, **got})
    with open(sys.argv[1] if random_mode else STORED, "w", encoding="utf-8") as file:
        json.dump(result, file, ensure_ascii=True, separators=(",", ":"))


main()
