"""Worked arithmetic with small numbers, as plain text and as conversations; every result is computed, none is written by hand."""

from grammar import polish


def add_steps(a, b):
    """The steps of a + b, by tens and ones: ["37 + 40 = 77", "77 + 8 = 85"]."""
    steps, total = [], a
    for part in parts_of(b):
        steps.append(f"{total} + {part} = {total + part}")
        total += part
    return steps


def subtract_steps(a, b):
    steps, total = [], a
    for part in parts_of(b):
        steps.append(f"{total} - {part} = {total - part}")
        total -= part
    return steps


def times_steps(a, b):
    """a is one digit; b is split into tens and ones, and the products are added."""
    parts = parts_of(b)
    if len(parts) < 2:
        return [f"{a} x {b} = {a * b}"]
    products = [a * part for part in parts]
    return [f"{a} x {part} = {product}" for part, product in zip(parts, products)] + [f"{' + '.join(map(str, products))} = {a * b}"]


def parts_of(n):
    """Hundreds, tens and ones of n, without zeros: 305 is [300, 5]."""
    digits = str(n)
    parts = [int(digit) * 10 ** (len(digits) - 1 - i) for i, digit in enumerate(digits)]
    return [part for part in parts if part] or [0]


def exercise(dice):
    """(question, its steps, answer) of one calculation without a story"""
    kind = dice.weighted([("+", 4), ("-", 3), ("x", 3), ("/", 2)])
    if kind == "+":
        a, b = dice.pick([(dice.between(1, 20), dice.between(1, 20)), (dice.between(10, 99), dice.between(2, 99)),
                          (dice.between(100, 500), dice.between(10, 400))])
        return f"{a} + {b}", add_steps(a, b), a + b
    if kind == "-":
        a = dice.pick([dice.between(5, 20), dice.between(20, 99), dice.between(100, 500)])
        b = dice.between(1, a)
        return f"{a} - {b}", subtract_steps(a, b), a - b
    a, b = dice.between(2, 10), dice.between(2, dice.pick([10, 10, 30]))
    if kind == "x":
        return f"{a} x {b}", times_steps(a, b), a * b
    return f"{a * b} / {a}", [f"{a} x {b} = {a * b}"], b


def story_sum(dice, words):
    """(question, steps, answer sentence) of a one-step problem about a child"""
    child, other = dice.sample(words["child"], 2)
    name, he, thing = child["name"], child["he"], dice.pick(words["items"])["name"]
    kind = dice.below(5)
    if kind == 0:
        a, b = dice.between(2, 40), dice.between(2, 30)
        gets = dice.pick([f"{other['name']} gives {child['him']} {b} more", f"Then {he} finds {b} more", f"{name} buys {b} more"])
        return f"{name} has {a} {thing}. {gets}. How many {thing} does {name} have now?", add_steps(a, b), f"{name} has {a + b} {thing}."
    if kind == 1:
        a = dice.between(6, 60)
        b = dice.between(1, a - 1)
        loses = dice.pick([f"{name} gives {b} to {other['name']}", f"{he} loses {b}", f"{he} sells {b}"])
        return f"{name} has {a} {thing}. {loses}. How many {thing} are left?", subtract_steps(a, b), f"{a - b} {thing} are left."
    a, b = dice.between(2, 9), dice.between(2, 12)
    if kind == 2:
        ask = f"{name} has {a} boxes. In each box there are {b} {thing}. How many {thing} are there?"
        return ask, times_steps(a, b), f"There are {a * b} {thing}."
    if kind == 3:
        ask = f"{name} shares {a * b} {thing} among {a} children. How many {thing} does each child get?"
        return ask, [f"{a} x {b} = {a * b}"], f"Each child gets {b} {thing}."
    a, b = dice.between(2, 60), dice.between(61, 99)
    ask = f"{name} has {a} {thing} and {other['name']} has {b}. How many more does {other['name']} have?"
    return ask, subtract_steps(b, a), f"{other['name']} has {b - a} more."


def small_question(dice):
    """A (question, answer) that needs no steps"""
    a, step = dice.between(1, 90), dice.between(1, 10)
    b = dice.between(1, 99)
    return dice.pick([
        (f"Which number is bigger, {a} or {a + step}?", f"{a + step} is bigger than {a}."),
        (f"Which number is smaller, {b + step} or {b}?", f"{b} is smaller than {b + step}."),
        (f"What number comes after {b}?", f"After {b} comes {b + 1}."),
        (f"What number comes before {b}?", f"Before {b} comes {b - 1}."),
        (f"Go on: {a}, {a + step}, {a + 2 * step}, ...", f"The next numbers are {a + 3 * step}, {a + 4 * step} and {a + 5 * step}."),
        (f"Count from {a} to {a + 5}.", ", ".join(str(a + i) for i in range(6)) + "."),
        (f"What is half of {2 * b}?", f"Half of {2 * b} is {b}."),
        (f"What is two times {b}?", f"Two times {b} is {2 * b}."),
        (f"Is {b} even or odd?", f"{b} is {'odd' if b % 2 else 'even'}."),
    ])


def sums_text(dice, words):
    """A page of worked exercises."""
    if dice.chance(40):
        lines = []
        for _ in range(dice.between(2, 4)):
            ask, steps, answer = story_sum(dice, words)
            lines.append(polish(f"{ask} {'. '.join(steps)}. {answer}"))
        return "\n".join(lines)
    lines = []
    for _ in range(dice.between(3, 6)):
        ask, steps, answer = exercise(dice)
        lines.append(f"{ask}: {'. '.join(steps)}. So {ask} = {answer}.")
    return "\n".join(lines)


def sums_talk(dice, words):
    chat = []
    for turn in range(dice.between(1, 3)):
        lead = "" if turn == 0 else dice.pick(["And ", "Next: ", "Good. ", ""])
        kind = dice.below(3)
        if kind == 0:
            ask, steps, answer = exercise(dice)
            ask, reply = dice.pick(["What is {}?", "Calculate {}.", "How much is {}?", "Please work out {}."]).format(ask), \
                f"{'. '.join(steps)}. The answer is {answer}."
        elif kind == 1:
            ask, steps, answer = story_sum(dice, words)
            reply = f"{'. '.join(steps)}. {answer}"
        else:
            ask, reply = small_question(dice)
        ask = lead + (ask[0].lower() + ask[1:] if lead == "And " and kind != 1 else ask)
        chat += [{"role": "user", "content": polish(ask)}, {"role": "assistant", "content": polish(reply)}]
    return chat
