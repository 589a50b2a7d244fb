"""Word problems of two steps with worked answers; the last line of an answer is "#### " and the number."""


def names(table):
    return [row["name"] for row in table]


def problem(dice, words):
    who, other = dice.sample(words["child"], 2)
    given = {"a": who["name"], "b": other["name"],
             "t": dice.pick(names(words["items"])), "u": dice.pick(names(words["fruits"])), "d": dice.pick(names(words["day"]))}
    story, steps = dice.pick(KINDS)(dice, given)
    lines = [f"{left} = {value}" for left, value in steps]
    return {"prompt": story.format(**given), "completion": "\n".join(lines) + f"\n#### {steps[-1][1]}"}


def boxes_and_more(dice, _):
    n, m, k = dice.between(2, 9), dice.between(2, 10), dice.between(2, 20)
    return (f"{{a}} has {n} boxes with {m} {{t}} each and {k} more {{t}} on the table. How many {{t}} does {{a}} have?",
            [(f"{n} x {m}", n * m), (f"{n * m} + {k}", n * m + k)])


def boxes_and_gift(dice, _):
    n, m = dice.between(2, 9), dice.between(3, 10)
    k = dice.between(2, n * m - 1)
    return (f"{{a}} has {n} bags with {m} {{t}} in each bag. Then {{a}} gives {k} {{t}} to {{b}}. How many {{t}} are left?",
            [(f"{n} x {m}", n * m), (f"{n * m} - {k}", n * m - k)])


def shop(dice, _):
    n, price = dice.between(2, 8), dice.between(2, 9)
    money = n * price + dice.between(1, 30)
    return (f"{{a}} buys {n} {{u}} for {price} coins each and pays with {money} coins. How many coins does {{a}} get back?",
            [(f"{n} x {price}", n * price), (f"{money} - {n * price}", money - n * price)])


def two_purchases(dice, _):
    n, p, m, q = dice.between(2, 6), dice.between(2, 8), dice.between(2, 6), dice.between(2, 8)
    return (f"On {{d}} {{a}} buys {n} {{u}} for {p} coins each and {m} {{t}} for {q} coins each. How many coins does {{a}} pay?",
            [(f"{n} x {p}", n * p), (f"{m} x {q}", m * q), (f"{n * p} + {m * q}", n * p + m * q)])


def share_after_find(dice, _):
    n, each = dice.between(2, 8), dice.between(2, 9)
    first = dice.between(1, n * each - 1)
    more = n * each - first
    return (f"{{a}} has {first} {{t}} and finds {more} more. {n} children share them all. How many {{t}} does each child get?",
            [(f"{first} + {more}", n * each), (f"{n * each} / {n}", each)])


def give_and_get(dice, _):
    a, b = dice.between(20, 80), dice.between(2, 18)
    c = dice.between(2, 30)
    return (f"{{a}} has {a} {{t}}. Then {{a}} gives {b} to {{b}} and then finds {c} new ones. How many {{t}} does {{a}} have now?",
            [(f"{a} - {b}", a - b), (f"{a - b} + {c}", a - b + c)])


def twice_as_many(dice, _):
    n, times = dice.between(2, 20), dice.between(2, 4)
    word = {2: "two", 3: "three", 4: "four"}[times]
    return (f"{{a}} has {n} {{u}}. {{b}} has {word} times as many. How many {{u}} do they have together?",
            [(f"{times} x {n}", times * n), (f"{times * n} + {n}", times * n + n)])


def days_of_work(dice, _):
    n, days, spent = dice.between(2, 9), dice.between(3, 7), dice.between(1, 5)
    return (f"{{a}} earns {n} coins a day and works for {days} days. On {{d}} {{a}} spends {spent} coins. How many coins are left?",
            [(f"{n} x {days}", n * days), (f"{n * days} - {spent}", n * days - spent)])


def pages(dice, _):
    total, day, days = dice.between(60, 99), dice.between(3, 9), dice.between(2, 6)
    return (f"A book has {total} pages. {{a}} reads {day} pages a day. How many pages are left after {days} days?",
            [(f"{day} x {days}", day * days), (f"{total} - {day * days}", total - day * days)])


def three_people(dice, _):
    n, more, less = dice.between(10, 40), dice.between(2, 15), dice.between(2, 9)
    return (f"{{a}} picks {n} {{u}}. {{b}} picks {more} more than {{a}}. {less} of the {{u}} of {{b}} are bad. "
            f"How many good {{u}} does {{b}} have?",
            [(f"{n} + {more}", n + more), (f"{n + more} - {less}", n + more - less)])


KINDS = [boxes_and_more, boxes_and_gift, shop, two_purchases, share_after_find, give_and_get, twice_as_many, days_of_work,
         pages, three_people]
