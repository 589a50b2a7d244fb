"""Exercises with rare tokens, so that every token occurs often enough to be learned: python3 data/pocket/make_parts.py TEXT_DIR

Reads text.jsonl and chat.jsonl in TEXT_DIR and the tokenizer beside this file; writes TEXT_DIR/parts.jsonl ({"messages": [...]}): parts of
words, signs and letters of all alphabets, to be repeated, put in order, counted or spelled. With --count it writes nothing, and prints
how often the least frequent tokens occur in text.jsonl, chat.jsonl and parts.jsonl together.
"""

import argparse
import json
import pathlib

from bpe import Tokenizer
from dice import Dice

HERE = pathlib.Path(__file__).resolve().parent
WANTED = 220  # occurrences of every token
ASK = ["Say after me: {}", "Please repeat: {}", "Write this once more: {}", "Copy this, please: {}", "Say: {}", "Repeat {}",
       "Read this to me: {}", "What did I write? {}"]
ANSWER = ["{}", "{}", "Here it is: {}", "You wrote {}", "{}"]
FIRST = ["Which is the first of these? {}", "What comes first: {}", "Tell me the first one of {}"]
LAST = ["Which is the last of these? {}", "What comes last: {}", "Tell me the last one of {}"]
# Bytes with which a character of two, three or four bytes begins, and the second bytes that may follow them.
SECOND = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}
NEVER = [0xC0, 0xC1, *range(0xF5, 0x100)]


def character(dice, lead):
    """A character whose first byte is lead."""
    low, high = SECOND.get(lead, (0x80, 0xBF))
    rest = [dice.between(low, high)] + [dice.between(0x80, 0xBF) for _ in range(1 if 0xE0 <= lead < 0xF0 else 2 if lead >= 0xF0 else 0)]
    return bytes([lead, *rest]).decode()


def text_of(dice, token):
    """A text in which the token stands, given its bytes."""
    try:
        return token.decode()
    except UnicodeDecodeError:
        pass
    if token[0] >= 0xC2:  # the beginning of a character, maybe with a part of its rest
        for _ in range(1000):
            made = character(dice, token[0]).encode()
            if made.startswith(token):
                return made.decode()
    # The rest of a character, or its last bytes and more: any beginning that makes it valid.
    for _ in range(1000):
        made = character(dice, dice.between(0xC2, 0xEF)).encode()
        for at in range(1, len(made)):
            try:
                return (made[:at] + token).decode()
            except UnicodeDecodeError:
                continue
    raise ValueError(f"no text with the bytes {token.hex(' ')}")


def quoted(text):
    """The text so that its splitting leaves it alone: letters in quotes or after a space, signs on a line of their own."""
    core = text.strip(" ")
    if text.startswith(" ") and core.isalpha():
        return text
    return f' "{text}"' if core.isalpha() else f"\n{text}\n"


def exercise(dice, texts):
    shown = [quoted(text) for text in texts]
    row = ",".join(shown).replace("\n,", "\n").replace("\n\n", "\n").strip(" ")
    kind = dice.below(6) if all(text.strip() for text in texts) else 2  # an answer of spaces alone would be none
    if kind == 0 and len(shown) > 1:
        return dice.pick(FIRST).format(row), shown[0].strip(" ")
    if kind == 1 and len(shown) > 1:
        return dice.pick(LAST).format(row), shown[-1].strip(" ")
    ask = dice.pick(ASK)
    if kind == 2:
        row = row + "." if not row.endswith("\n") else row
    return ask.format(row), (dice.pick(ANSWER) if row.strip() else "Here it is: {}").format(row)


def make(tokenizer, counts):
    """Exercises until every token that can occur does so WANTED times; returns them, and the ids that never do."""
    made, never, number = [], {i for i, token in enumerate(tokenizer.bytes) if len(token) == 1 and token[0] in NEVER}, 0
    tries = [0] * len(counts)
    while True:
        rare = [i for i, count in enumerate(counts) if count < WANTED and i not in never]
        if not rare:
            return made, sorted(never)
        number += 1
        dice = Dice("pocket", "parts", number)
        chosen = dice.sample(rare, min(len(rare), dice.between(2, 6)))
        ask, answer = exercise(dice, [text_of(dice, tokenizer.bytes[i]) for i in chosen])
        before = [counts[i] for i in chosen]
        record = {"messages": [{"role": "user", "content": ask}, {"role": "assistant", "content": answer}]}
        made.append(record)
        tokenizer.add(record, counts)
        for i, count in zip(chosen, before):
            tries[i] += 1 if counts[i] == count else 0
            if tries[i] > 40 and counts[i] < 40:
                never.add(i)


def show(token):
    return repr(token.decode()) if token.isascii() else token.hex(" ")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text_dir", type=pathlib.Path)
    parser.add_argument("--count", action="store_true")
    options = parser.parse_args()
    tokenizer = Tokenizer(HERE / "tokenizer.json")
    written = [options.text_dir / name for name in ("text.jsonl", "chat.jsonl")]
    parts = options.text_dir / "parts.jsonl"
    if options.count:
        counts = tokenizer.count(written + [parts])
        order = sorted(range(len(counts)), key=lambda i: counts[i])
        print(f"{len(counts)} tokens, {sum(counts)} occurrences; the least frequent:")
        for i in order[:40]:
            print(f"{counts[i]:8} {i:5} {show(tokenizer.bytes[i])}")
        return
    counts = tokenizer.count(written)
    print(f"{sum(counts)} tokens of text; {sum(count == 0 for count in counts)} of {len(counts)} tokens never occur, "
          f"{sum(count < WANTED for count in counts)} fewer than {WANTED} times")
    made, never = make(tokenizer, counts)
    parts.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in made), encoding="utf-8", newline="\n")
    print(f"parts.jsonl {len(made)} documents; {sum(counts)} tokens in all")
    print("never: " + ", ".join(f"{i} ({show(tokenizer.bytes[i])})" for i in never))


if __name__ == "__main__":
    main()
