"""Makes the samples in this folder: python3 data/samples/make_samples.py GENERAL   (GENERAL: general.jsonl of data/pocket/make_text.py)

Writes support.jsonl, support_inconsistent.jsonl with its defects in support_inconsistent.json, arithmetic.jsonl and general.jsonl.
"""

import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "pocket"))

from defects import spoil  # noqa: E402
from dice import Dice  # noqa: E402
from grammar import Grammar  # noqa: E402
from problems import problem  # noqa: E402

RECORDS_PER_INTENT = 14
PROBLEMS = 600
# Bytes of messages in one record; with the pocket tokenizer this stays below its context of 256 tokens.
LONGEST = 880
SIGN = "Ride well,\nMira, Quillby Cycles"
MOOD = {"sorry": ["I am sorry about that.", "Sorry for the trouble.", "I am sorry that this happened."],
        "plain": ["Thank you for writing.", "Thank you for your message."],
        "asked": ["Thank you for asking.", "Good that you ask.", "Thank you for writing."],
        "glad": ["How nice to hear from you.", "It is good to hear from you."]}
OPEN = ["Hi, I am {}. ", "Hello, this is {}. ", "Hello, {} here. ", "My name is {}. "]
CLOSE = ["\nThanks, {}", "\nBest, {}", "\nThank you, {}", "\n{}"]
NO_NAME = ["", "Hello. ", "Hi. ", "Good morning. ", "Hello, I have a question. "]
NUMBER_GIVEN = [" My order number is {}.", " The order is {}.", " Order {}.", " It is order {}."]
NUMBER_ASKED = ["Please send me your order number. It begins with QC and is at the top of your confirmation email.",
                "I need your order number for this. It begins with QC and is at the top of your confirmation email."]
NUMBER_SENT = ["It is {}.", "The number is {}.", "Here it is: {}.", "{}", "My order number is {}."]
OFFER = ["Write to me any time.", "I am here if you need me."]


class Facts(dict):
    """The row {f} of the grammar; remembers which procedures a record speaks of, so that defects can be planted in them."""

    def __init__(self, values):
        super().__init__(values)
        self.used = []

    def __getitem__(self, key):
        if key not in self.used:
            self.used.append(key)
        return super().__getitem__(key)


def reply(name, *sentences):
    return f"Hi {name or 'there'},\n{' '.join(sentence for sentence in sentences if sentence)}\n{SIGN}"


def conversation(grammar, block, number, facts):
    """A record of one intent: the same block and number give the same words, whatever the facts say."""
    dice = Dice("support", block.name, number)
    intent, *flags = block.name.split()
    turns = grammar.draw(dice, block, {"f": facts})
    turns = turns[:2] if dice.chance(25) else turns
    name = dice.pick(grammar.tables["child"])["name"] if dice.chance(75) else ""
    order = f"QC-{dice.between(10000, 99999)}"
    asked = flags[-1] == "plain" and turns[0]["content"].endswith("?")
    mood = dice.pick(MOOD["asked" if asked else flags[-1]])
    opening, closing = dice.pick(NO_NAME), ""
    if name:
        opening, closing = dice.pick([(dice.pick(OPEN).format(name), ""), ("", dice.pick(CLOSE).format(name))])
    asks_number = "order" in flags and dice.chance(25)
    given = dice.pick(NUMBER_GIVEN).format(order) if "order" in flags and not asks_number else ""
    found = f"I have found order {order}." if "order" in flags else ""
    offer = dice.pick(OFFER) if dice.chance(35) and not turns[1]["content"].endswith("?") else ""
    chat = [("user", opening + turns[0]["content"] + given + closing)]
    if asks_number:
        chat += [("assistant", reply(name, mood, dice.pick(NUMBER_ASKED))), ("user", dice.pick(NUMBER_SENT).format(order))]
        mood = "Thank you."
    chat.append(("assistant", reply(name, mood, found, turns[1]["content"], offer)))
    for turn in turns[2:]:
        chat.append((turn["role"], reply(name, turn["content"]) if turn["role"] == "assistant" else turn["content"]))
    while len(chat) > 2 and sum(len(text) for _, text in chat) > LONGEST:
        chat = chat[:-2]
    return [{"role": role, "content": text} for role, text in chat]


def support(grammar, procedures):
    """(consistent record, its inconsistent twin, the defects of the twin) for every intent, in a mixed order"""
    right = {key: values[0] for key, values in procedures.items()}
    made, seen = [], set()
    for block in grammar.blocks:
        number = found = 0
        while found < RECORDS_PER_INTENT and number < 20 * RECORDS_PER_INTENT:
            number += 1
            facts = Facts(right)
            chat = conversation(grammar, block, number, facts)
            if chat[0]["content"] in seen:
                continue
            seen.add(chat[0]["content"])
            found += 1

            def again(values, block=block, number=number):
                return conversation(grammar, block, number, Facts(values))

            made.append((chat, *spoil(Dice("defects", block.name, number), chat, facts.used, procedures, again)))
    return Dice("support", "order").shuffled(made)


def write(name, records):
    data = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
    (HERE / name).write_bytes(data)
    print(f"{name:28} {len(records):5} records {len(data):8} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("general", type=pathlib.Path)
    options = parser.parse_args()
    words = HERE.parent / "pocket" / "grammar" / "words.txt"
    grammar = Grammar(words, HERE / "support.txt")
    made = support(grammar, json.loads((HERE / "procedures.json").read_text()))
    write("support.jsonl", [{"messages": right} for right, _, _ in made])
    write("support_inconsistent.jsonl", [{"messages": wrong} for _, wrong, _ in made])
    defects = [{"line": line, "defects": planted} for line, (_, _, planted) in enumerate(made, 1) if planted]
    (HERE / "support_inconsistent.json").write_text("[\n" + ",\n".join(json.dumps(d) for d in defects) + "\n]\n")
    drawn = [problem(Dice("problem", i), grammar.tables) for i in range(PROBLEMS + 40)]
    write("arithmetic.jsonl", list({one["prompt"]: one for one in drawn}.values())[:PROBLEMS])
    write("general.jsonl", [json.loads(line) for line in options.general.read_text(encoding="utf-8").splitlines()])


if __name__ == "__main__":
    main()
