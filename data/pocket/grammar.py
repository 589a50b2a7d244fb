"""Reads the grammar files (tables of words, blocks of text with choices) and draws documents from them.

    list color: red | blue                      a list of words
    table place: name at                        a table; one row per line, fields separated by " / ", ended by an empty line
    park / in the park
    == lost toy *2                              a block, drawn with weight 2
    let a b: child                              a and b: two different rows of table child, {a.he} is a field of a row
    {a} [ran|walked] to the <color> house.      a choice, a field, a fresh draw from a list or table
    set o: no. <digit><digit>                   drawn once: {o} is the same wherever it stands
    ? It was late.                              a line that appears half of the time
    ?+ So they ran.                             a line that appears if the last ? line did
    --                                          a new paragraph
    U: Hello!                                   with U: and A: lines the document is a chat; plain lines continue the message,
    + On a new line.                            "+ " continues it on a new line
"""

import re


class Block:
    def __init__(self, name, weight):
        self.name, self.weight, self.lets, self.sets, self.lines = name, weight, [], [], []


class Grammar:
    def __init__(self, *paths, english=True):
        self.tables, self.blocks, self.english = {}, [], english
        for path in paths:
            self.read(path)

    def read(self, path):
        table = block = None
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            line = line.rstrip()
            try:
                if line.startswith("#"):
                    continue
                if not line:
                    table = None
                elif line.startswith("list "):
                    name, words = line[5:].split(":", 1)
                    self.tables[name] = [{"name": word.strip()} for word in words.split("|")]
                elif line.startswith("table "):
                    name, fields = line[6:].split(":", 1)
                    table, fields = self.tables.setdefault(name, []), fields.split()
                elif table is not None:
                    table.append(row_of(fields, line))
                elif line.startswith("== "):
                    block = block_of(line[3:])
                    self.blocks.append(block)
                elif line.startswith("let "):
                    names, source = line[4:].split(":")
                    block.lets.append((names.split(), source.strip()))
                elif line.startswith("set "):
                    name, text = line[4:].split(":", 1)
                    block.sets.append((name.strip(), text.strip()))
                else:
                    block.lines.append(line)
            except (ValueError, AttributeError) as error:
                raise SystemExit(f"{path.name}:{number}: cannot read this line: {line!r} ({error})") from error

    def bind(self, dice, block, given=None):
        bound = dict(given or {})
        for names, source in block.lets:
            taken = [bound[name] for name in names if name in bound]
            free = [row for row in self.tables[source] if row not in taken]
            wanted = [name for name in names if name not in bound]
            bound.update(zip(wanted, dice.sample(free, len(wanted))))
        for name, text in block.sets:
            bound[name] = {"name": self.expand(dice, text, bound)}
        return bound

    def draw(self, dice, block, given=None):
        """One document: a string, or a list of messages if the block has U: and A: lines."""
        bound = self.bind(dice, block, given)
        parts, chat, there = [], [], True
        for line in block.lines:
            if line.startswith("?"):
                there = dice.chance(50) if line[1] == " " else there
                if not there:
                    continue
                line = line[2:].lstrip()
            if line[:3] in ("U: ", "A: "):
                role = {"U": "user", "A": "assistant"}[line[0]]
                chat.append({"role": role, "content": self.expand(dice, line[3:], bound)})
            elif chat:
                lead, text = ("\n", line[2:]) if line.startswith("+ ") else (" ", line)
                chat[-1]["content"] += lead + self.expand(dice, text, bound)
            else:
                parts.append("\n" if line == "--" else self.expand(dice, line, bound))
        if chat:
            return [{"role": m["role"], "content": polish(m["content"], self.english)} for m in chat]
        return polish(" ".join(parts), self.english)

    def expand(self, dice, text, bound):
        out, at = [], 0
        while at < len(text):
            sign = text[at]
            if sign == "[":
                choices, at = choices_of(text, at + 1)
                out.append(self.expand(dice, dice.pick(choices), bound))
            elif sign in "{<":
                end = text.index({"{": "}", "<": ">"}[sign], at)
                out.append(self.value(dice, sign, text[at + 1:end], bound))
                at = end + 1
            else:
                out.append(sign)
                at += 1
        return "".join(out)

    def value(self, dice, sign, word, bound):
        name, _, field = word.partition(".")
        row = bound[name] if sign == "{" else dice.pick(self.tables[name])
        return self.expand(dice, row[field or "name"], bound)


def row_of(fields, line):
    values = [value.strip() for value in line.split(" / ")]
    if len(values) != len(fields):
        raise ValueError(f"expected {len(fields)} fields {fields}, found {len(values)}")
    return dict(zip(fields, values))


def block_of(head):
    name, _, weight = head.partition("*")
    return Block(name.strip(), int(weight or 1))


def choices_of(text, at):
    """Parses "[a|b[c|d]]" from the index after its "[": returns the alternatives and the index after its "]"."""
    depth, start, choices = 0, at, []
    for i in range(at, len(text)):
        if text[i] == "[":
            depth += 1
        elif text[i] == "]" and depth:
            depth -= 1
        elif text[i] in "|]" and not depth:
            choices.append(text[start:i])
            start = i + 1
            if text[i] == "]":
                return choices, start
    raise ValueError(f"a [ without its ]: {text!r}")


def polish(text, english=True):
    """Fixes spaces, "a" before a vowel, and capitals at the beginning of sentences."""
    text = re.sub(r" *\n *", "\n", re.sub(r"  +", " ", text)).strip()
    text = re.sub(r" (?=[,.!?;])", "", text)
    if english:
        text = re.sub(r"\b([Aa]) (?=[aei]|o(?!ne\b)|u(?!s|ni))", r"\1n ", text)
    return re.sub(r'(^|\n|[.!?] )("?)([a-z])', lambda m: m[1] + m[2] + m[3].upper(), text)
