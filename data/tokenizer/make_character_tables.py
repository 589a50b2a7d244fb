#!/usr/bin/env python3
"""Writes data/tokenizer/*_table.cpp but unicode_table.cpp: what the tokenizers library knows of characters, asked of the library itself.

Usage: pip install tokenizers uniseg; python3.11 data/tokenizer/make_character_tables.py data/tokenizer
The crates of tokenizers 0.23.3 have tables of different versions of Unicode (normal forms and punctuation of 9 or so, numbers and words of 17), so
each is asked for. Only two things are taken from elsewhere: how a canonical decomposition of three characters comes about in two steps (unicodedata;
the whole is compared), and classes of grapheme clusters (uniseg, Unicode 16; what goes on with a cluster
is asked of the library, which knows marks of Unicode 17).
"""
import os
import struct
import sys
import unicodedata

from tokenizers import normalizers, pre_tokenizers
from uniseg.derived import indic_conjunct_break
from uniseg.emoji import extended_pictographic
from uniseg.graphemecluster import grapheme_cluster_break

CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HANGUL = range(0xAC00, 0xD7A4)  # by arithmetic, so not in the tables
WIDTH = 200
FLAGS = {"number": 1, "punctuation": 2, "word": 4, "mark": 8, "nonspacing": 16, "cleaned": 32}
CLUSTERS = "Other CR LF Control Extend ZWJ Regional_Indicator Prepend SpacingMark L V T LV LVT".split()


def ranges(of):
    """[first, last, value] of equal values that follow each other; falsy ones are left out."""
    found = []
    for code in CODES:
        value = of(code)
        if not value:
            continue
        if found and found[-1][1] == code - 1 and found[-1][2] == value:
            found[-1][1] = code
        else:
            found.append([code, code, value])
    return found


def isolated(pre):
    """The characters that a pre-tokenizer makes words of their own between letters, and those that it drops."""
    alone, kept = set(), set()
    for i in range(0, len(CODES), 5000):
        for word, _ in pre.pre_tokenize_str("x" + "x".join(chr(c) for c in CODES[i : i + 5000]) + "x"):
            kept.update(map(ord, word))
            if len(word) == 1 and word != "x":
                alone.add(ord(word))
    return alone, set(CODES) - kept


def is_space(c):
    return 9 <= c <= 13 or 0x2000 <= c <= 0x200A or c in (32, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)


def flags():
    number, _ = isolated(pre_tokenizers.Digits(individual_digits=True))
    punctuation, _ = isolated(pre_tokenizers.Punctuation())
    of_bert, spaces = isolated(pre_tokenizers.BertPreTokenizer())
    no_word, no_word_spaces = isolated(pre_tokenizers.Whitespace())
    _, split_spaces = isolated(pre_tokenizers.WhitespaceSplit())
    white = set(filter(is_space, CODES))
    assert of_bert == punctuation and spaces == split_spaces == no_word_spaces == white
    bert = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    clean, accents = (normalizers.BertNormalizer(**{**bert, key: True}) for key in ("clean_text", "strip_accents"))
    strip = normalizers.StripAccents()
    value = {}
    for c in CODES:
        has = {"number": c in number, "punctuation": c in punctuation, "word": c not in no_word and c not in white and c not in HANGUL,
               "mark": not strip.normalize_str(chr(c)), "nonspacing": not accents.normalize_str(chr(c)), "cleaned": not clean.normalize_str(chr(c))}
        assert c not in HANGUL or c not in no_word
        value[c] = sum(FLAGS[name] for name in FLAGS if has[name])
    return ranges(value.get)


def lower_case():
    """[first, last, step, to]: first + k * step becomes to + k * step."""
    lower, found = normalizers.Lowercase(), []
    for c in CODES:
        to = lower.normalize_str(chr(c))
        if to == chr(c) or c == 0x130:  # in two characters
            continue
        to = ord(to)
        last = found[-1] if found else None
        if last and to - c == last[3] - last[0] and c - last[1] in (1, 2) and last[2] in (0, c - last[1]):
            last[1], last[2] = c, c - last[1]
        else:
            found.append([c, c, 0, to])
    return [[a, b, step or 1, to] for a, b, step, to in found]


def decompositions():
    nfd, nfc = normalizers.NFD(), normalizers.NFC()

    def whole(code):
        parts = unicodedata.decomposition(chr(code)).split()
        if not parts or parts[0].startswith("<") or nfd.normalize_str(chr(code)) == chr(code):
            return chr(code)
        return "".join(whole(int(part, 16)) for part in parts)

    for c in CODES:
        if c in HANGUL:
            continue
        text = nfd.normalize_str(chr(c))
        if text == chr(c):
            continue
        assert text == whole(c), hex(c)
        parts = [int(part, 16) for part in unicodedata.decomposition(chr(c)).split()]
        composes = len(parts) == 2 and nfc.normalize_str(text) == chr(c)
        yield [c, parts[0], parts[1] if len(parts) == 2 else 0, int(composes)]


def compatible(canonical):
    """Characters with a decomposition of compatibility alone: [first, last, to] of single ones that run along, and [code, text] of the others."""
    nfkd, single, several = normalizers.NFKD(), [], []
    for c in CODES:
        text = nfkd.normalize_str(chr(c))
        if text == chr(c) or c in canonical or c in HANGUL:
            continue
        if len(text) > 1:
            several.append([c, [ord(x) for x in text]])
        elif single and single[-1][1] == c - 1 and ord(text) - c == single[-1][2] - single[-1][0]:
            single[-1][1] = c
        else:
            single.append([c, c, ord(text)])
    return single, several


def combining_classes():
    nfd, classes = normalizers.NFD(), {}

    def before(a, b):  # is the class of a below that of b, both being marks?
        return a != b and nfd.normalize_str("a" + chr(b) + chr(a)) == "a" + chr(a) + chr(b)

    def is_mark(c):
        return before(c, 0x345) or before(0x334, c) or c in (0x334, 0x345)

    for c in CODES:
        if unicodedata.combining(chr(c)) and nfd.normalize_str(chr(c)) == chr(c) and is_mark(c):
            classes.setdefault(unicodedata.combining(chr(c)), c)
    classes = sorted(classes.items())
    assert all(before(a[1], b[1]) for a, b in zip(classes, classes[1:]))

    def of(c):
        if nfd.normalize_str(chr(c)) != chr(c):
            return unicodedata.combining(chr(c))  # never asked for
        if not is_mark(c) and not any(before(c, mark) for _, mark in classes[1:]):
            return 0
        lower = max([k for k, mark in classes if before(mark, c)], default=0)
        higher = min([k for k, mark in classes if before(c, mark)], default=255)
        between = [k for k, _ in classes if lower < k < higher]
        assert len(between) == 1, (hex(c), lower, higher)
        return between[0]

    return ranges(of)


def scripts():
    """What UnicodeScripts tells apart, numbered as they come; 0 for what belongs to every script."""
    cut = pre_tokenizers.UnicodeScripts()

    def apart(a, b):
        return len(cut.pre_tokenize_str(chr(a) + chr(b))) == 2

    known, value, last = [], {}, None
    for c in CODES:
        if not cut.pre_tokenize_str(chr(c)):
            value[c] = 0
        elif last is not None and not apart(last, c):
            value[c] = value[last]
        else:
            number = next((i for i, other in enumerate(known) if not apart(other, c)), len(known))
            if number == len(known):
                known.append(c)
            value[c] = number + 1
        if value[c]:
            last = c
    return ranges(value.get)


def cluster_count():
    """A normalizer that makes an X of every grapheme cluster of less than 6 bytes: each byte that begins a character is a key (test/reference/
    tokenizer_kinds.py has the layout)."""
    units = [0] * 1024
    units[0] = 256 << 10
    for byte in range(1, 256):
        if byte < 0x80 or 0xC2 <= byte < 0xF5:
            units[256 ^ byte] = byte | 256 | ((256 ^ byte) ^ (512 + byte)) << 10
            units[512 + byte] = 1 << 31
    return normalizers.Precompiled(struct.pack("<1025I", 4096, *units) + b"X\0")


def clusters():
    """Class of grapheme clusters + 16 for Extended_Pictographic + 32 Consonant, 64 Extend, 96 Linker of Indic_Conjunct_Break. Hangul syllables are left
    out. What goes on with a letter is asked of the library, as it knows newer marks."""
    conjunct, count = {"Consonant": 32, "Extend": 64, "Linker": 96}, cluster_count()
    assert count.normalize_str("ab\u0301c") == "XXX" and count.normalize_str("\u00e9") == "X"

    def of(c):
        if c in HANGUL:
            return 0
        kind = grapheme_cluster_break(chr(c)).value
        goes_on = count.normalize_str("a" + chr(c)) == "X"
        begins = count.normalize_str(chr(c) + "a") == "X"
        if goes_on != (kind in ("Extend", "ZWJ", "SpacingMark")):
            kind = "Extend" if goes_on else "Other"
        if begins != (kind == "Prepend"):
            kind = "Prepend" if begins else "Other"
        pictographic = 16 if extended_pictographic(chr(c)) else 0
        return CLUSTERS.index(kind) + pictographic + conjunct.get(indic_conjunct_break(chr(c)).value, 0)

    return ranges(of)


def write(folder, name, what, tables):
    with open(os.path.join(folder, name + ".cpp"), "w", encoding="ascii") as out:
        out.write("// %s; made by make_character_tables.py.\n" % what)
        out.write('#include "data/tokenizer/character_tables.h"\n\nnamespace afina {\n\n// clang-format off\n')
        for declaration, rows, row in tables:
            out.write("const %s[] = {\n" % declaration)
            line = "   "
            for item in (row % tuple(one) for one in rows):
                if len(line) + len(item) + 2 > WIDTH:
                    out.write(line + "\n")
                    line = "   "
                line += " " + item + ","
            out.write(line + "\n};\nconst size_t %s_count = %d;\n" % (declaration.split()[-1], len(rows)))
        out.write("// clang-format on\n\n}  // namespace afina\n")


def main(folder, names):
    three = "{%d,%d,%d}"
    if "normal" in names:
        canonical = list(decompositions())
        single, several = compatible({one[0] for one in canonical})
        flat = [[number] for code, text in several for number in [code, len(text)] + text]
        write(folder, "normal_form_table", "Canonical decompositions and combining classes", [
            ("Decomposition decompositions", canonical, "{%d,%d,%d,%d}"), ("CombiningClass combining_classes", combining_classes(), three)])
        write(folder, "compatible_table", "Decompositions of compatibility", [
            ("CompatibleRun compatible_runs", single, three), ("uint32_t compatible_texts", flat, "%d")])
    if "flags" in names:
        write(folder, "character_table", "Numbers, punctuation, words, marks and lower case", [
            ("CharacterFlags character_flags", flags(), three), ("LowerCase lower_cases", lower_case(), "{%d,%d,%d,%d}")])
    if "scripts" in names:
        write(folder, "script_table", "Scripts", [("CharacterScript character_scripts", scripts(), three)])
    if "clusters" in names:
        write(folder, "cluster_table", "Classes of grapheme clusters", [("ClusterClass cluster_classes", clusters(), three)])


main(sys.argv[1], sys.argv[2:] or ["normal", "flags", "scripts", "clusters"])
