"""Plants defects in a consistent support record: contradictory terms, mixed tone and words, unclear or missing instructions."""

import re

WORDS = {"parcel": ["package", "shipment", "consignment"], "return label": ["RMA form", "return slip"],
         "refund": ["credit note", "reimbursement"], "workshop": ["service center", "repair department"],
         "order number": ["purchase reference", "ticket ID"], "confirmation email": ["booking mail", "receipt message"]}
# Greeting, first words and farewell of tones that differ from the company's.
TONES = {
    "stiff": ("Dear customer,", "We hereby confirm the receipt of your message.", "Yours faithfully,\nQuillby Cycles Customer Relations"),
    "slangy": ("Yo {}!", "No stress, we got you.", "Later,\nthe Q crew"),
    "cold": ("{}.", "This is explained on our page.", "Quillby Support"),
    "blaming": ("Hi {},", "You should have read the page before you wrote.", "Mira, Quillby Cycles"),
    "gushing": ("Heyyy {}!!!", "OMG, thank you so so much for your amazing message!!!", "Hugs and kisses,\nyour Quillby family"),
}
SIGNS = ["Regards,\nSupport Team", "Cheers,\nTom", "Quillby Inc.", ""]
VAGUE = ["Just do the usual steps.", "Fill in the form and send it to the right place.", "Somebody will see to it at some point.",
         "Use the link, you will find it somewhere.", "It depends, but it should be fine soon."]
NO_ANSWER = ["Please look at our website.", "We have passed this on.", "Your message is important to us."]
ORDER_FORMS = ["#{}", "Q {}", "order no. {}", "QUILL/{}"]
SIGN = "\nRide well,\nMira, Quillby Cycles"


def wrong_term(dice, chat, used, procedures, again):
    if not used:
        return None
    key = dice.pick(used)
    right, wrong = procedures[key][0], dice.pick(procedures[key][1])
    values = {name: row[0] for name, row in procedures.items()}
    changed = again({**values, key: wrong})
    if changed == chat:  # the turn that mentions it was cut off
        return None
    return changed, {"kind": "contradictory_term", "procedure": key, "found": wrong, "elsewhere": right}


def last_answer(chat, change):
    """The chat with the text of its last answer changed, or None if the change has no effect."""
    text = change(chat[-1]["content"])
    return None if text == chat[-1]["content"] else chat[:-1] + [{"role": "assistant", "content": text}]


def other_word(dice, chat):
    present = [word for word in WORDS if word in chat[-1]["content"]]
    if not present:
        return None
    word = dice.pick(present)
    other = dice.pick(WORDS[word])
    changed = last_answer(chat, lambda text: text.replace(word, other).replace(" a RMA", " an RMA"))
    return changed, {"kind": "terminology", "found": other, "elsewhere": word}


def other_tone(dice, chat):
    kind = dice.pick(sorted(TONES))
    greeting, first, farewell = TONES[kind]

    def change(text):
        name = re.match(r"Hi (\w+),", text)[1]
        body = text.split("\n", 1)[1].removesuffix(SIGN)
        sentences = re.split(r"(?<=[.?!]) ", body)
        body = " ".join(sentences[1:] or sentences)
        return f"{greeting.format(name)}\n{first} {body}\n{farewell}"

    # A tone brings a farewell of its own, so the record has both defects.
    return last_answer(chat, change), {"kind": "tone", "found": kind}, {"kind": "sign_off", "found": farewell}


def other_sign(dice, chat):
    sign = dice.pick(SIGNS)
    changed = last_answer(chat, lambda text: text.removesuffix(SIGN) + (f"\n{sign}" if sign else "") if text.endswith(SIGN) else text)
    return changed and (changed, {"kind": "sign_off", "found": sign or "none"})


def vague(dice, chat):
    """Replaces the last sentence, which says what happens next, by one that says nothing."""
    words = dice.pick(VAGUE)
    changed = last_answer(chat, lambda text: re.sub(r"[^.?!\n]+[.?!](?=\n[^\n]*\n?[^\n]*$)", " " + words, text, count=1))
    return changed and (changed, {"kind": "unclear_instruction", "found": words})


def no_answer(dice, chat):
    words = dice.pick(NO_ANSWER)
    changed = last_answer(chat, lambda text: re.sub(r"(?s)\n.*(?=\nRide well)", "\n" + words, text))
    return changed and (changed, {"kind": "no_answer", "found": words})


def other_order_form(dice, chat):
    form = dice.pick(ORDER_FORMS)
    changed = last_answer(chat, lambda text: re.sub(r"QC-(\d+)", lambda m: form.format(m[1]), text))
    return changed and (changed, {"kind": "order_format", "found": form.format("12345"), "elsewhere": "QC-12345"})


def free_but_not(dice, chat):
    price = f"{dice.between(3, 19)} euros"
    changed = last_answer(chat, lambda text: text.replace(SIGN, f" This costs {price}." + SIGN) if "free" in text else text)
    return changed and (changed, {"kind": "self_contradiction", "found": f"free, and {price}"})


# Later defects look for text that earlier ones leave unchanged, so the order matters: words first,
# greeting and farewell last.
KINDS = [(wrong_term, 45), (no_answer, 4), (free_but_not, 12), (vague, 12), (other_word, 30), (other_order_form, 20), (other_tone, 28),
         (other_sign, 15)]


def spoil(dice, chat, used, procedures, again):
    """Returns (twin, list of its defects); about a fifth of the twins stay clean, as in real data."""
    planted = []
    if dice.chance(12):
        return chat, planted
    twin = chat
    for kind, percent in KINDS:
        if not dice.chance(percent):
            continue
        done = kind(dice, twin, used, procedures, again) if kind is wrong_term else kind(dice, twin)
        if done and done[0]:
            twin, *notes = done
            planted += notes
    return twin, [note for note in planted if still_there(note, twin)]


def still_there(note, twin):
    """Whether a defect is still there: a later one may have removed its sentence."""
    text = "\n".join(message["content"] for message in twin if message["role"] == "assistant")
    if note["kind"] in ("contradictory_term", "terminology", "unclear_instruction", "no_answer"):
        return note["found"] in text
    if note["kind"] == "order_format":
        return re.search(r"(#|Q |order no\. |QUILL/)\d{5}", text) is not None
    if note["kind"] == "self_contradiction":
        return "free" in text and note["found"].removeprefix("free, and ") in text
    return True
