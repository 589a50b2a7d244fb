#!/usr/bin/env python3
"""Writes data/tokenizer/nfc_table.cpp: canonical decompositions and combining classes, from Python's unicodedata.

Usage: python3 data/tokenizer/make_nfc_table.py > data/tokenizer/nfc_table.cpp
"""
import sys
import unicodedata

HANGUL = range(0xAC00, 0xD7A4)  # composed by arithmetic, so not in the table


def decompositions():
    for code in range(0x110000):
        if code in HANGUL or 0xD800 <= code < 0xE000:
            continue
        text = unicodedata.decomposition(chr(code))
        if not text or text.startswith("<"):
            continue
        parts = [int(part, 16) for part in text.split()]
        # Characters excluded from composition change under NFC.
        composes = len(parts) == 2 and unicodedata.normalize("NFC", chr(parts[0]) + chr(parts[1])) == chr(code)
        yield code, parts[0], parts[1] if len(parts) == 2 else 0, composes


def classes():
    ranges = []
    for code in range(0x110000):
        ccc = unicodedata.combining(chr(code))
        if not ccc:
            continue
        if ranges and ranges[-1][1] == code - 1 and ranges[-1][2] == ccc:
            ranges[-1][1] = code
        else:
            ranges.append([code, code, ccc])
    return ranges


def rows(items, width=140):
    line = "   "
    for item in items:
        if len(line) + 1 + len(item) + 1 > width:
            yield line
            line = "   "
        line += " " + item + ","
    yield line


def main():
    out = sys.stdout
    out.write("// Canonical decompositions and combining classes of Unicode %s; made by make_nfc_table.py.\n" % unicodedata.unidata_version)
    out.write('#include "data/tokenizer/nfc_table.h"\n\nnamespace afina {\n\n// clang-format off\n')
    all_of = list(decompositions())
    out.write("const Decomposition decompositions[] = {\n")
    out.write("\n".join(rows("{%d,%d,%d,%d}" % (c, a, b, k) for c, a, b, k in all_of)))
    out.write("\n};\nconst CombiningClass combining_classes[] = {\n")
    ranges = classes()
    out.write("\n".join(rows("{%d,%d,%d}" % tuple(r) for r in ranges)))
    out.write("\n};\n// clang-format on\n")
    out.write("const size_t decomposition_count = %d, combining_class_count = %d;\n\n}  // namespace afina\n" % (len(all_of), len(ranges)))


main()
