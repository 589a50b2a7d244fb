"""Generates the text on which the pocket model is pretrained: python3 data/pocket/make_text.py OUT [--documents N]

Writes OUT/text.jsonl ({"text": ...}), OUT/chat.jsonl ({"messages": [...]}), OUT/general.jsonl (held out, {"text": ...}) and prints
their sizes and one SHA-256 over all. No document appears twice, in one file or in two.
"""

import argparse
import hashlib
import json
import pathlib

from dice import Dice
from grammar import Grammar
from reading import reading_talk, reading_text
from sums import sums_talk, sums_text

HERE = pathlib.Path(__file__).resolve().parent / "grammar"
FILES = ["words", "stories_lost", "stories_kind", "stories_learn", "stories_fable", "stories_day",
         "definitions", "howto", "talks", "letters", "hello", "town"]
SHOPS = "shop_words"  # what the texts about shops and the Spanish ones need beside the words of FILES
DOCUMENTS = 52000
HELD_OUT_BYTES = 90_000
# Kinds of document and their weights. Stories are long: about two thirds of the text in bytes.
KINDS = [("stories", 22), ("talks", 14), ("town", 9), ("sums_text", 3), ("sums_talk", 4), ("reading_talk", 5), ("reading_text", 2),
         ("shop_talks", 34), ("shop_texts", 15), ("spanish", 11)]
KINDS_OF_FILE = {"stories": FILES[1:6], "talks": FILES[6:11], "town": FILES[11:]}


def grammars():
    """One grammar per kind, all with the same words."""
    made = {kind: Grammar(*(HERE / f"{name}.txt" for name in ["words", SHOPS, kind]), english=kind != "spanish")
            for kind in ("shop_talks", "shop_texts", "spanish")}
    for kind, names in KINDS_OF_FILE.items():
        made[kind] = Grammar(*(HERE / f"{name}.txt" for name in ["words"] + names))
    return made


def document(kind, number, made):
    """Document number of a kind: a pure function of its two arguments."""
    dice = Dice("pocket", kind, number)
    if kind in made:
        block = dice.weighted([(block, block.weight) for block in made[kind].blocks])
        return made[kind].draw(dice, block)
    return {"sums_text": sums_text, "sums_talk": sums_talk, "reading_talk": reading_talk, "reading_text": reading_text}[kind](
        dice, made["stories"].tables)


def documents(count):
    """Different documents, shuffled."""
    made, order, seen, numbers = grammars(), Dice("pocket", "order"), set(), {kind: 0 for kind, _ in KINDS}
    while len(seen) < count:
        kind = order.weighted(KINDS)
        for _ in range(20):  # conversations about one fact run out of variants; after twenty repeats draw another kind
            numbers[kind] += 1
            drawn = document(kind, numbers[kind], made)
            key = json.dumps(drawn)
            if key not in seen:
                seen.add(key)
                yield drawn
                break


def record(drawn):
    return json.dumps({"text": drawn} if isinstance(drawn, str) else {"messages": drawn}, ensure_ascii=False) + "\n"


def write(folder, count):
    held_out, texts, talks = [], [], []
    for drawn in documents(count):
        if isinstance(drawn, str):
            # The first texts drawn are held out: same distribution, and none of them is used in training.
            (held_out if sum(map(len, held_out)) < HELD_OUT_BYTES else texts).append(record(drawn))
        else:
            talks.append(record(drawn))
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    for name, records in [("text.jsonl", texts), ("chat.jsonl", talks), ("general.jsonl", held_out)]:
        data = "".join(records).encode()
        digest.update(data)
        (folder / name).write_bytes(data)
        print(f"{name:14} {len(records):6} documents {len(data):9} bytes")
    print(f"sha256 {digest.hexdigest()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    options = parser.parse_args()
    write(options.out, options.documents)


if __name__ == "__main__":
    main()
