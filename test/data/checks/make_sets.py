"""Writes the sets that 'afina check' is measured on beside the twin: python3 test/data/checks/make_sets.py

With planted defects and their lines. A dental practice in English and a garden centre in Spanish were written after the checks, measured
once, and then used to mend them. A library in English and a language school in Spanish were written after that, and were unseen until the
checks were changed with sets of another hand, which are stored without their generator. What is measured on all is in docs/data.md.
"""

import json
import pathlib
import random

from academy import ACADEMY
from garden import GARDEN
from library import LIBRARY
from practice import PRACTICE

OUT = pathlib.Path(__file__).resolve().parents[2] / "stored" / "checks"
RECORDS = 620


class Set:
    def __init__(self, trade, seed):
        self.trade = trade
        self.dice = random.Random(seed)
        self.rows = []  # (question, answer, kinds)

    def code(self):
        return self.trade["code"].format(self.dice.randrange(1000, 10000))

    def question(self, topic, code):
        t, d = self.trade, self.dice
        name = d.choice(t["names"])
        asked = d.choice(topic["ask"])
        if topic.get("coded"):
            asked += " " + d.choice(t["code_given"]).format(code)
        opening = d.choice(t["openings"]).format(name)
        closing = "" if "{}" in opening else d.choice(t["closings"]).format(name)
        return opening + asked + closing, name

    def record(self):
        t, d = self.trade, self.dice
        topic = d.choice(t["topics"])
        code = self.code()
        asked, name = self.question(topic, code)
        values, kinds = dict(t["right"]), []
        keys = [key for key in values if any("{" + key + "}" in s for part in topic["say"] for s in part)]
        sentences = [d.choice(part) for part in topic["say"]]
        if d.random() < 0.16 and keys:
            key = d.choice(keys)
            if any("{" + key + "}" in s for s in sentences):
                values[key] = d.choice(t["wrong"][key])
                kinds.append("contradictory_term")
        body = [s.format(**values) for s in sentences]
        mood = d.choice(t["moods"]) if d.random() < 0.6 else ""
        found = d.choice(t["code_found"]).format(code) if topic.get("coded") else ""
        draw = d.random()
        if draw < 0.06:
            mood = d.choice(t["tone"])
            kinds.append("tone")
        elif draw < 0.11:
            body[-1] = d.choice(t["vague"])
            kinds.append("unclear_instruction")
        elif draw < 0.15:
            body, found, kinds = [d.choice(t["evasions"])], "", ["no_answer"]
        elif draw < 0.2 and topic.get("against"):
            body.append(d.choice(topic["against"]))
            kinds.append("self_contradiction")
        text = " ".join(s for s in [mood, found, *body] if s)
        if d.random() < 0.16 and "no_answer" not in kinds:
            usable = [word for word in t["terms"] if f" {word}" in text]
            if usable:
                word = d.choice(usable)
                text = text.replace(word, d.choice(t["terms"][word]))
                kinds.append("terminology")
        if found and code in text and d.random() < 0.15:
            text = text.replace(code, d.choice(t["code_other"]).format(code[-4:]))
            kinds.append("order_format")
        sign = t["sign"]
        if d.random() < 0.08:
            sign = d.choice(t["other_signs"])
            kinds.append("sign_off")
        greeting = t["greeting"].format(name)
        return asked, greeting + "\n" + text + ("\n" + sign if sign else ""), kinds

    def plain(self, asked, said):
        name = self.dice.choice(self.trade["names"])
        return asked, self.trade["greeting"].format(name) + "\n" + said + "\n" + self.trade["sign"]

    def make(self):
        t, d = self.trade, self.dice
        self.rows = [self.record() for _ in range(RECORDS)]
        for asked, said in t["singles"]:
            self.rows.append((*self.plain(asked, said), []))
        pairs = []
        for one, other in t["pairs"]:
            pairs.append((len(self.rows), len(self.rows) + 1))
            for asked, said in (one, other):
                self.rows.append((*self.plain(asked, said), ["contradiction"]))
        whole = [row for row in self.rows if not row[2]]
        for _ in range(22):
            asked, answer, _ = d.choice(whole)
            last = len(answer) - len(t["sign"]) - 3
            end = d.randrange(len(answer) // 3, last)
            while answer[end - 1] in ".!?:,\n " or answer[:end].endswith(t["greeting"].format("")):
                end -= 1
            self.rows.append((asked, answer[:end], ["cut"]))
        for _ in range(22):
            asked, answer, _ = d.choice(whole)
            self.rows.append((asked, answer + "\n\n" + d.choice(t["quotes"]), ["quoted_mail"]))
        for _ in range(22):
            asked, answer, _ = d.choice(whole)
            private = d.choice(t["private"])()
            where = answer.index("\n") + 1
            self.rows.append((asked, answer[:where] + private + " " + answer[where:], ["personal_data"]))
        order = list(range(len(self.rows)))
        d.shuffle(order)
        line = {row: at for at, row in enumerate(order, 1)}
        out = [self.rows[row] for row in order]
        labels = [[{"kind": kind} for kind in kinds] for _, _, kinds in out]
        for one, other in pairs:
            labels[line[one] - 1] = [{"kind": "contradiction", "with": line[other]}]
            labels[line[other] - 1] = [{"kind": "contradiction", "with": line[one]}]
        # Copies come last, so that the first is the one that stays. Records that happen to be equal are copies too.
        for _ in range(22):
            at = d.randrange(len(out))
            out.append(out[at])
            labels.append([one for one in labels[at] if one["kind"] != "contradiction"])
        for _ in range(22):
            at = d.randrange(RECORDS)
            asked, answer, _ = out[at]
            asked = d.choice([asked.lower(), asked.replace("?", " ?!"), asked + " " + t["thanks"], asked.replace(",", "")])
            out.append((asked, answer, []))
            labels.append([one for one in labels[at] if one["kind"] != "contradiction"])
            if asked == out[at][0]:
                out.pop()
                labels.pop()
        first = {}
        for at, (asked, answer, _) in enumerate(out):
            key = "".join(c for c in (asked + "\n" + answer).lower() if c.isalnum() or c.isspace()).split()
            thanks = [word for word in t["thanks"].lower().rstrip("!.").split()]
            if key[-len(thanks):] == thanks:
                key = key[:-len(thanks)]
            question = "".join(c for c in asked.lower() if c.isalnum() or c.isspace()).split()
            if question[-len(thanks):] == thanks:
                question = question[:-len(thanks)]
            same = (" ".join(question), answer)
            if same in first:
                labels[at].append({"kind": "duplicate", "of": first[same]})
            else:
                first[same] = at + 1
        return out, labels

    def write(self, name):
        out, labels = self.make()
        OUT.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"prompt": asked, "completion": answer}, ensure_ascii=False) for asked, answer, _ in out]
        (OUT / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        listed = [{"line": at, "defects": some} for at, some in enumerate(labels, 1) if some]
        (OUT / f"{name}.json").write_text("[\n" + ",\n".join(json.dumps(one) for one in listed) + "\n]\n")
        print(name, len(out), "records,", sum(len(some) for some in labels), "labels")


Set(PRACTICE, 41).write("practice")
Set(GARDEN, 43).write("garden_es")
Set(LIBRARY, 47).write("library")
Set(ACADEMY, 53).write("academy_es")
