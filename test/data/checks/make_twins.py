"""Writes two sets with planted defects and their clean twins: python3 test/data/checks/make_twins.py

A ferry company in English and a print shop in Spanish. They were written before the last change to the checks, and measured once after it.
The twin of a set has the same records, drawn by the same dice, without any defect. What is measured on them is in docs/data.md.
"""

import gzip
import json
import pathlib
import random

from ferry import FERRY
from printer import PRINTER

OUT = pathlib.Path(__file__).resolve().parents[2] / "stored" / "checks"
RECORDS = 640
EACH = 27  # defects of a kind


class Twins:
    def __init__(self, trade, seed):
        self.trade = trade
        self.dice = random.Random(seed)

    def part(self, topic, values):
        """Facts of one topic: the first ones always, of the rest a few."""
        d = self.dice
        facts = [d.choice(said) for said in topic["say"]]
        more = [d.choice(said) for said in topic.get("more", [])]
        d.shuffle(more)
        return [s.format(**values) for s in facts + more[: d.randrange(0, 3)]]

    def record(self):
        t, d = self.trade, self.dice
        topic = d.choice(t["topics"])
        thing = d.choice(topic["things"]) if "things" in topic else {}
        values = {**t["right"], **thing}
        code = t["code"].format(d.randrange(10000, 100000))
        coded = d.random() < 0.25
        name = d.choice(t["names"])
        asked = d.choice(t["openings"]).format(name) + (d.choice(t["code_given"]).format(code) + " " if coded else "")
        asked += (d.choice(t["chat"]) + " " if d.random() < 0.25 else "") + d.choice(topic["ask"]).format(**values)
        facts = self.part(topic, values)
        other = None
        if d.random() < 0.2:
            other = d.choice([one for one in t["topics"] if one is not topic and "things" not in one])
            asked += " " + d.choice(t["and_asked"]) + " " + d.choice(other["ask"])
            facts.append(d.choice(t["and_said"]) + " " + " ".join(self.part(other, values)[:2]))
        asked += d.choice(t["closings"]).format(name)
        lead = d.choice(t["moods"]) if d.random() < 0.4 else ""
        found = d.choice(t["code_found"]).format(code) if coded else ""
        end = d.choice(t["ends"]) if d.random() < 0.35 else ""
        return {"asked": asked, "topic": topic, "lead": lead, "found": found, "facts": facts, "end": end, "code": code if coded else None,
                "break": d.choice(["\n\n", " ", " "]), "values": values, "sign": t["sign"], "kinds": []}

    def text(self, r):
        body = " ".join(s for s in [r["found"], *r["facts"], r["end"]] if s)
        lead = r["lead"] + r["break"] if r["lead"] else ""
        return self.trade["greeting"] + "\n\n" + lead + body + ("\n\n" + r["sign"] if r["sign"] else "")

    def plain(self, asked, said):
        t, d = self.trade, self.dice
        return {"asked": d.choice(t["openings"]).format(d.choice(t["names"])) + asked, "topic": {}, "lead": d.choice(t["moods"]) if d.random() < 0.4 else "",
                "found": "", "facts": [said], "end": d.choice(t["ends"]) if d.random() < 0.35 else "", "code": None, "break": " ", "values": {},
                "sign": t["sign"], "kinds": []}

    def plant(self, rows):
        t, d = self.trade, self.dice
        def some(may):
            free = [r for r in rows if not r["kinds"] and r["topic"] and may(r)]
            return d.sample(free, min(EACH, len(free)))
        def at_place(r, sentence):
            r["facts"].insert(d.randrange(0, len(r["facts"]) + 1), sentence)
        for r in some(lambda r: any(key in t["wrong"] and r["values"][key] in " ".join(r["facts"]) for key in r["values"])):
            key = d.choice([k for k in r["values"] if k in t["wrong"] and r["values"][k] in " ".join(r["facts"])])
            wrong = d.choice(t["wrong"][key])
            r["facts"] = [s.replace(r["values"][key], wrong) for s in r["facts"]]
            r["kinds"].append({"kind": "contradictory_term"})
        used = [r for r in rows if not r["kinds"] and r["topic"] and any(f" {w}" in " ".join(r["facts"]) for w in t["terms"])]
        for r in d.sample(used, min(EACH, len(used))):
            word = d.choice([w for w in t["terms"] if f" {w}" in " ".join(r["facts"])])
            new = d.choice(t["terms"][word])
            r["facts"] = [s.replace(f" {word}", f" {new}") for s in r["facts"]]
            r["kinds"].append({"kind": "terminology"})
        for r in some(lambda r: r["topic"].get("against")):
            r["facts"].append(d.choice(r["topic"]["against"]))
            r["kinds"].append({"kind": "self_contradiction"})
        for r in some(lambda r: True):
            sentence = d.choice(t["tone"])
            if d.random() < 0.3:
                r["lead"] = sentence
            else:
                at_place(r, sentence)
            r["kinds"].append({"kind": "tone"})
        for r in some(lambda r: True):
            r["facts"].append(d.choice(t["vague"]))
            r["kinds"].append({"kind": "unclear_instruction"})
        for r in some(lambda r: True):
            if d.random() < 0.5:
                r["facts"] = d.sample(t["evasions"], d.choice([1, 1, 2]))
            else:
                r["facts"] = self.part(d.choice([o for o in t["topics"] if o is not r["topic"] and "things" not in o]), t["right"])
            r["kinds"].append({"kind": "no_answer"})
        for r in some(lambda r: r["code"]):
            r["found"] = r["found"].replace(r["code"], d.choice(t["code_other"]).format(r["code"][-5:]))
            r["kinds"].append({"kind": "order_format"})
        for r in some(lambda r: True):
            r["sign"] = d.choice(t["other_signs"])
            r["kinds"].append({"kind": "sign_off"})

    def make(self):
        t, d = self.trade, self.dice
        rows = [self.record() for _ in range(RECORDS)]
        for asked, said in t["singles"]:
            rows.append(self.plain(asked, said))
        pairs = []
        for (asked, said), (other, against, with_it) in t["pairs"]:
            one, two = self.plain(asked, said), self.plain(other, with_it)
            pairs.append((one, two, against))
            rows += [one, two]
        d.shuffle(rows)
        for at, r in enumerate(rows):
            r["line"] = at + 1
        clean = [(r["asked"], self.text(r)) for r in rows]
        self.plant(rows)
        for one, two, against in pairs:
            two["facts"] = [against]
            one["kinds"].append({"kind": "contradiction", "with": two["line"]})
            two["kinds"].append({"kind": "contradiction", "with": one["line"]})
        out = [[r["asked"], self.text(r), r["kinds"]] for r in rows]
        def whole():
            free = [row for r, row in zip(rows, out) if not row[2] and r["topic"]]
            return d.sample(free, EACH)
        for row in whole():
            end = row[1].rindex("\n\n" + t["sign"]) - 3
            end = d.randrange(max(len(t["greeting"]) + 6, end * 2 // 3), end)
            while row[1][end - 1] in ".!?:,\n ":
                end -= 1
            row[1] = row[1][:end]
            row[2].append({"kind": "cut"})
        for row in whole():
            row[1] += "\n\n" + d.choice(t["quotes"])
            row[2].append({"kind": "quoted_mail"})
        for row in whole():
            row[1] = row[1].replace("\n\n", "\n\n" + d.choice(t["private"])(d) + " ", 1)
            row[2].append({"kind": "personal_data"})
        first = {}
        for at, row in enumerate(out):
            key = ("".join(c for c in row[0].lower() if c.isalnum()), row[1])
            if key in first:
                row[2].append({"kind": "duplicate", "of": first[key]})
            first.setdefault(key, at + 1)
        for of in d.sample([at for at, row in enumerate(out) if not row[2]], EACH):
            asked = out[of][0]
            out.append([d.choice([asked, asked.upper(), asked.replace("?", " ?"), asked.replace(",", "")]), out[of][1],
                        [{"kind": "duplicate", "of": of + 1}]])
        return out, clean

    def write(self, name):
        out, clean = self.make()
        for file, rows in ((f"{name}.jsonl.gz", out), (f"{name}_clean.jsonl.gz", clean)):
            lines = "".join(json.dumps({"prompt": row[0], "completion": row[1]}, ensure_ascii=False) + "\n" for row in rows)
            (OUT / file).write_bytes(gzip.compress(lines.encode(), 9, mtime=0))
        listed = [{"line": at, "defects": row[2]} for at, row in enumerate(out, 1) if row[2]]
        (OUT / f"{name}.json").write_text("[\n" + ",\n".join(json.dumps(one) for one in listed) + "\n]\n")
        print(name, len(out), "records,", len(clean), "clean,", sum(len(row[2]) for row in out), "labels")


Twins(FERRY, 61).write("ferry")
Twins(PRINTER, 67).write("printer_es")
