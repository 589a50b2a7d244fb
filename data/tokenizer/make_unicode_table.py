#!/usr/bin/env python3
"""Writes data/tokenizer/unicode_table.cpp: characters of which the tokenizers library (Oniguruma) and Unicode 14 think differently.

Usage: pip install tokenizers; python3.11 data/tokenizer/make_unicode_table.py > data/tokenizer/unicode_table.cpp
Python 3.11 knows Unicode 14, the oldest version of PCRE2 that is accepted.
"""
import sys
import unicodedata

from tokenizers import Regex, pre_tokenizers

CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co".split()
CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
# A character of Unicode 14 of the same category and length in UTF-8, for each that is new.
STANDS = {("Mn", 3): 0x900, ("Mc", 3): 0x903, ("Po", 3): 0x1B5A, ("So", 3): 0x2300, ("Lu", 3): 0x1E00, ("Ll", 3): 0x1E01,
          ("Lo", 4): 0x10280, ("Nd", 4): 0x104A0, ("Lm", 4): 0x16B40, ("Lu", 4): 0x10400, ("Ll", 4): 0x10428, ("Mn", 4): 0x101FD,
          ("Mc", 4): 0x11000, ("Pd", 4): 0x10EAD, ("Sm", 4): 0x1D6C1, ("Po", 4): 0x10100, ("Cf", 4): 0x110BD, ("No", 4): 0x10107,
          ("So", 4): 0x10137, ("Cn", 2): 0x378, ("Cn", 3): 0xFFFE, ("Cn", 4): 0x1FFFE}
HAN = 0x20000


def members(pattern):
    found = set()
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    for i in range(0, len(CODES), 20000):
        for word, _ in split.pre_tokenize_str("".join(map(chr, CODES[i : i + 20000]))):
            found.update(map(ord, word))
    return found


def main():
    assert unicodedata.unidata_version == "14.0.0", unicodedata.unidata_version
    theirs, han = {}, members(r"\p{Han}")
    for category in CATEGORIES:
        for code in members(r"\p{%s}" % category):
            theirs[code] = category
    ranges = []
    for code in CODES:
        category = theirs.get(code, "Cn")
        if category != "Cn" and unicodedata.category(chr(code)) == category:
            continue
        stands = STANDS[category, len(chr(code).encode())]
        if category == "Lo" and code in han:
            stands = HAN
        assert unicodedata.category(chr(stands)) == category, hex(stands)
        if ranges and ranges[-1][1] == code - 1 and ranges[-1][2] == stands:
            ranges[-1][1] = code
        else:
            ranges.append([code, code, stands])
    out = sys.stdout
    out.write("// What Oniguruma (tokenizers 0.23) and Unicode 14 take differently; made by make_unicode_table.py.\n")
    out.write('#include "data/tokenizer/unicode_table.h"\n\nnamespace afina {\n\n// clang-format off\nconst StandIn stand_ins[] = {\n')
    line = "   "
    for one in ranges:
        item = " {%d,%d,%d}," % tuple(one)
        if len(line) + len(item) > 110:
            out.write(line + "\n")
            line = "   "
        line += item
    out.write(line + "\n};\n// clang-format on\nconst size_t stand_in_count = %d;\n\n}  // namespace afina\n" % len(ranges))


main()
