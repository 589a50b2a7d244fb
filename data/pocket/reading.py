"""Passages with questions whose answers are tracked while the passage is generated: where things are, who has what, what a note says."""

from grammar import polish

ROOMS = ["kitchen", "garden", "cellar", "attic", "yard", "bathroom", "hall", "barn", "bedroom", "shed"]
HOLDERS = ["box", "basket", "drawer", "bag", "cupboard", "chest", "jar", "bucket"]


def named(table):
    return [row["name"] for row in table]


def where_things_are(dice, words):
    """People carry things from place to place; the questions ask for the last place, or for the one before."""
    people, things = dice.sample(named(words["child"]), 2), dice.sample(named(words["thing"]), 2)
    at, before, story = {}, {}, []
    for step in range(dice.between(2, 5)):
        who, thing = dice.pick(people), things[step] if step < 2 else dice.pick(things)
        place = dice.pick([room for room in ROOMS if room != at.get(thing)])
        then = dice.pick(["", "Then ", "After that "]) if step else ""
        story.append(then + dice.pick([f"{who} took the {thing} to the {place}.", f"{who} put the {thing} in the {place}.",
                                       f"{who} brought the {thing} to the {place}.", f"{who} left the {thing} in the {place}."]))
        before[thing], at[thing] = at.get(thing), place
    questions = [(f"Where is the {thing}?", f"The {thing} is in the {at[thing]}.") for thing in things if thing in at]
    questions += [(f"Where was the {thing} before that?", f"Before that the {thing} was in the {before[thing]}.")
                  for thing in things if before.get(thing)]
    return story, questions


def who_has_what(dice, words):
    people, things = dice.sample(named(words["child"]), 3), dice.sample(named(words["thing"]), 2)
    color = dict(zip(things, dice.sample(named(words["color"]), 2)))
    owner = dict(zip(things, people))
    story = [f"{owner[thing]} {dice.pick(['has', 'owns', 'bought', 'found'])} a {color[thing]} {thing}." for thing in things]
    for _ in range(dice.between(0, 2)):
        thing = dice.pick(things)
        taker = dice.pick([person for person in people if person != owner[thing]])
        story.append(dice.pick([f"{owner[thing]} gave the {thing} to {taker}.", f"{taker} got the {thing} from {owner[thing]}."]))
        owner[thing] = taker
    questions = [(f"Who has the {thing} now?", f"{owner[thing]} has the {thing} now.") for thing in things]
    questions += [(f"What color is the {thing}?", f"The {thing} is {color[thing]}.") for thing in things]
    return story, questions


def numbers_on_things(dice, words):
    """Exercises that copy numbers digit by digit."""
    people, thing = dice.sample(named(words["child"]), 2), dice.pick(["ticket", "box", "parcel", "locker", "card", "bag", "room", "key"])
    numbers = [str(dice.between(1, 9)) + "".join(str(dice.below(10)) for _ in range(dice.between(1, 4))) for _ in people]
    if dice.chance(40):
        letters = dice.pick("ABCDEFGHKLMNPRSTVW") + dice.pick(["", *"ABCDEFGHKLMNPRSTVW"])
        numbers = [f"{letters}-{number}" for number in numbers]
    story = [f"{dice.pick(['The number on the', 'The number of the'])} {thing} of {person} is {number}."
             for person, number in zip(people, numbers)]
    questions = [(f"What is the number of {person}'s {thing}?", f"The number of {person}'s {thing} is {number}.")
                 for person, number in zip(people, numbers)]
    questions += [(f"Whose {thing} has the number {number}?", f"It is the {thing} of {person}.") for person, number in zip(people, numbers)]
    return story, questions


def what_is_inside(dice, words):
    holders, things = dice.sample(HOLDERS, 3), dice.sample(named(words["thing"]), 3)
    colors = dice.sample(named(words["color"]), 3)
    story = [f"{dice.pick(['In', 'Inside'])} the {color} {holder} there is a {thing}."
             for color, holder, thing in zip(colors, holders, things)]
    questions = [(f"What is in the {color} {holder}?", f"In the {color} {holder} there is a {thing}.")
                 for color, holder, thing in zip(colors, holders, things)]
    questions += [(f"Where is the {thing}?", f"The {thing} is in the {color} {holder}.")
                  for color, holder, thing in zip(colors, holders, things)]
    return story, questions


def who_is_bigger(dice, words):
    people = dice.sample(named(words["child"]), 3)
    more, most, least = dice.pick([("taller", "tallest", "shortest"), ("older", "oldest", "youngest"), ("faster", "fastest", "slowest"),
                                   ("stronger", "strongest", "weakest")])
    story = dice.shuffled([f"{people[0]} is {more} than {people[1]}.", f"{people[1]} is {more} than {people[2]}."])
    questions = [(f"Who is the {most}?", f"{people[0]} is the {most}."), (f"Who is the {least}?", f"{people[2]} is the {least}."),
                 (f"Is {people[0]} {more} than {people[2]}?", f"Yes, {people[0]} is {more} than {people[2]}."),
                 (f"Is {people[2]} {more} than {people[1]}?", f"No, {people[1]} is {more} than {people[2]}.")]
    return story, questions


PASSAGES = [where_things_are, who_has_what, numbers_on_things, what_is_inside, who_is_bigger]


def reading_talk(dice, words):
    if dice.chance(25):
        return note_talk(dice, words)
    story, questions = dice.pick(PASSAGES)(dice, words)
    chat = []
    for turn, (ask, answer) in enumerate(dice.sample(questions, dice.between(1, 3))):
        if turn == 0:
            ask = dice.pick(["{s} {q}", "Read this: {s} {q}", "{s}\n{q}", "Listen. {s} {q}"]).format(s=" ".join(story), q=ask)
        chat += [{"role": "user", "content": polish(ask)}, {"role": "assistant", "content": polish(answer)}]
    return chat


def reading_text(dice, words):
    """The same passages as exercises in a book."""
    story, questions = dice.pick(PASSAGES)(dice, words)
    lines = [" ".join(story)] + [f"Question: {ask} Answer: {answer}" for ask, answer in dice.sample(questions, dice.between(1, 3))]
    return "\n".join(polish(line) for line in lines)


def note_talk(dice, words):
    """A note with given names and things: the reply repeats what the request says."""
    to, sender = dice.sample(named(words["child"]), 2)
    thing, day, place = dice.pick(named(words["thing"])), dice.pick(named(words["day"])), dice.pick(words["place"])
    color = dice.pick(named(words["color"]))
    say = dice.pick([f"the {color} {thing} is {place['at']}", f"the {thing} will be ready on {day}", f"{sender} will come on {day}",
                     f"the {thing} was sent on {day}", f"{sender} found a {color} {thing}", f"the {thing} is broken",
                     f"we meet {place['at']} on {day}", f"{sender} cannot come on {day}", f"the {color} {thing} has a new price"])
    ask = dice.pick(["Write a note to {} from {}. Say that {}.", "Please write a short letter to {} from {}. It should say that {}.",
                     "I need a note for {} from {}: {}."]).format(to, sender, say)
    return [{"role": "user", "content": polish(ask)}, {"role": "assistant", "content": f"Dear {to},\n{polish(say + '.')}\n{sender}"}]
