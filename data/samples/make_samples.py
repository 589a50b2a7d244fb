"""Generates the samples in this folder: python3 data/samples/make_samples.py GENERAL   (GENERAL: general.jsonl of data/pocket/make_text.py)

Writes support.jsonl, support_held_out.jsonl, support_inconsistent.jsonl with its defects in support_inconsistent.json, support_es.jsonl,
arithmetic.jsonl and general.jsonl.
"""

import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "pocket"))

from bpe import Tokenizer  # noqa: E402
from defects import spoil  # noqa: E402
from dice import Dice  # noqa: E402
from grammar import Grammar  # noqa: E402
from problems import problem  # noqa: E402
from voice import ENGLISH, SPANISH  # noqa: E402

RECORDS_PER_INTENT = 14
RECORDS_HELD_OUT_PER_INTENT = 2
RECORDS_PER_INTENT_ES = 8
PROBLEMS = 600
# Tokens of the pocket tokenizer in one record; its twin may become a little longer, and both fit into the context of 256.
LONGEST = 244
TOKENIZER = Tokenizer(HERE.parent / "pocket" / "tokenizer.json")


class Facts(dict):
    """The row {f} of the grammar; remembers which procedures a record mentions, so that defects can be planted there."""

    def __init__(self, values):
        super().__init__(values)
        self.used = []

    def __getitem__(self, key):
        if key not in self.used:
            self.used.append(key)
        return super().__getitem__(key)


def conversation(voice, grammar, block, number, facts):
    """A record of one intent: the same block and number give the same words, whatever the facts are."""
    dice = Dice("support", block.name, number)
    flags = block.name.split()[1:]
    turns = grammar.draw(dice, block, {"f": facts})
    turns = turns[:2] if dice.chance(25) else turns
    name = dice.pick(grammar.tables[voice.people])["name"] if dice.chance(75) else ""
    order = f"QC-{dice.between(10000, 99999)}" if "order" in flags else ""
    asked = flags[-1] == "plain" and turns[0]["content"].endswith("?")
    mood = dice.pick(voice.moods["asked" if asked else flags[-1]])
    opening, closing = dice.pick(voice.nameless), ""
    if name:
        opening, closing = dice.pick([(dice.pick(voice.openings).format(name), ""), ("", dice.pick(voice.closings).format(name))])
    asks_number = bool(order) and dice.chance(25)
    given = dice.pick(voice.number_given).format(order) if order and not asks_number else ""
    offer = dice.pick(voice.offers) if dice.chance(35) and not turns[1]["content"].endswith("?") else ""
    chat = [("user", opening + turns[0]["content"] + given + closing)]
    if asks_number:
        chat += [("assistant", voice.reply(name, mood, dice.pick(voice.number_asked))),
                 ("user", dice.pick(voice.number_sent).format(order))]
        mood = voice.thanks
    found = voice.found.format(order) if order else ""
    chat.append(("assistant", voice.reply(name, mood, found, turns[1]["content"], offer)))
    for turn in turns[2:]:
        chat.append((turn["role"], voice.reply(name, turn["content"]) if turn["role"] == "assistant" else turn["content"]))
    while len(chat) > 2 and sum(len(TOKENIZER.encode(f"{role}\n{text}\n")) + 2 for role, text in chat) > LONGEST:
        chat = chat[:-2]
    return [{"role": role, "content": text} for role, text in chat]


def different(voice, grammar, block, count, values):
    """Yields (number, facts used, record) for up to `count` records of an intent, each with a different first message."""
    seen = set()
    for number in range(1, 20 * count):
        facts = Facts(values)
        chat = conversation(voice, grammar, block, number, facts)
        if chat[0]["content"] not in seen and len(seen) < count:
            seen.add(chat[0]["content"])
            yield number, facts.used, chat


def support(grammar, procedures):
    """(consistent record, its inconsistent twin, the twin's defects) for every intent, shuffled."""
    right, made = {key: values[0] for key, values in procedures.items()}, []
    for block in grammar.blocks:
        for number, used, chat in different(ENGLISH, grammar, block, RECORDS_PER_INTENT, right):

            def again(values, block=block, number=number):
                return conversation(ENGLISH, grammar, block, number, Facts(values))

            made.append((chat, *spoil(Dice("defects", block.name, number), chat, used, procedures, again)))
    return Dice("support", "order").shuffled(made)


def support_held_out(grammar, procedures):
    """Further records of every intent, whose first messages stand in none of those of support(), shuffled."""
    right = {key: values[0] for key, values in procedures.items()}
    count = RECORDS_PER_INTENT + RECORDS_HELD_OUT_PER_INTENT
    made = [list(different(ENGLISH, grammar, block, count, right))[RECORDS_PER_INTENT:] for block in grammar.blocks]
    return Dice("support", "held out").shuffled(chat for further in made for _, _, chat in further)


def support_in_spanish():
    grammar = Grammar(HERE / "support_es.txt", english=False)
    made = [chat for block in grammar.blocks for _, _, chat in different(SPANISH, grammar, block, RECORDS_PER_INTENT_ES, {})]
    return Dice("support_es", "order").shuffled(made)


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
    procedures = json.loads((HERE / "procedures.json").read_text())
    made = support(grammar, procedures)
    write("support.jsonl", [{"messages": right} for right, _, _ in made])
    write("support_inconsistent.jsonl", [{"messages": wrong} for _, wrong, _ in made])
    defects = [{"line": line, "defects": planted} for line, (_, _, planted) in enumerate(made, 1) if planted]
    (HERE / "support_inconsistent.json").write_text("[\n" + ",\n".join(json.dumps(d) for d in defects) + "\n]\n")
    write("support_held_out.jsonl", [{"messages": chat} for chat in support_held_out(grammar, procedures)])
    write("support_es.jsonl", [{"messages": chat} for chat in support_in_spanish()])
    drawn = [problem(Dice("problem", i), grammar.tables) for i in range(PROBLEMS + 40)]
    write("arithmetic.jsonl", list({one["prompt"]: one for one in drawn}.values())[:PROBLEMS])
    write("general.jsonl", [json.loads(line) for line in options.general.read_text(encoding="utf-8").splitlines()])


if __name__ == "__main__":
    main()
