"""Fits the weights of data/checks/stray.cpp: python3 test/data/checks/fit_stray.py MEASURES [--weights]

MEASURES is what build/tests --run_test='stray_sentences/print_stray_measures' writes (it says how), of all sets of docs/data.md, their
clean twins and the samples. Prints how often each set is judged rightly by weights that were fitted to all the others, as docs/data.md
has it; with --weights those that are fitted to all. Needs numpy, and takes two minutes.

The planted sentence of a record is one that the set's clean twin does not have; where there is no twin, or several such sentences, in
each round the one that the last round's weights think likest.
"""

import collections
import json
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
STORED = ROOT / "test/stored/checks"
GROUPS = [["support_inconsistent"], ["practice", "garden_es"], ["library", "academy_es"], ["hotel", "bank", "saas"],
          ["clinic", "council", "museum"], ["vet", "insurance_es", "internet"], ["ferry", "printer_es"],
          ["crafts", "physio_es", "housing"]]
SETS = [name for group in GROUPS for name in group]
SAMPLES = ["support", "support_es", "general", "arithmetic"]  # clean, and the twin's
KINDS = ["tone", "unclear_instruction", "no_answer", "self_contradiction"]
BARS = {"tone": 0.6, "unclear_instruction": 0.55, "no_answer": 0.35, "self_contradiction": 0.55}  # of the checks
SENTENCE, CLASH, ANSWER = 34, 10, 16  # measures of each
PLACES = [21, 22, 26]  # of a sentence: where it was planted is not what makes it clash
HOUSE = 0.025
KEPT = 0.35  # of the usual sentences, in each round others
RIDGE = 4.0


def labels(name):
    path = STORED / f"{name}.json"
    found = collections.defaultdict(set)
    for row in json.loads((path if path.exists() else ROOT / f"data/samples/{name}.json").read_text()):
        found[row["line"]] |= {d["kind"] if isinstance(d, dict) else d for d in row["defects"]}
    return found


class Data:
    """Sentences, and of each the number of its record; records, and of each its labels."""

    def __init__(self, path):
        lines = [line.rstrip("\n").split("\t") for line in open(path, encoding="utf-8", errors="replace")]
        self.set = np.array([one[0] for one in lines])
        row = np.array([int(one[1]) for one in lines])
        measures = np.array([one[2:-1] for one in lines], float)
        text = [one[-1] for one in lines]
        ends = np.cumsum([1, SENTENCE, CLASH, ANSWER])
        self.rate, self.x, clash, of_answer = np.split(measures, ends[:-1], axis=1)
        self.rate = self.rate[:, 0]
        self.clash = np.hstack([self.x, clash])
        self.clash[:, PLACES] = 0
        new = np.r_[True, (self.set[1:] != self.set[:-1]) | (row[1:] != row[:-1])]
        self.first = np.where(new)[0]
        self.record = np.cumsum(new) - 1
        self.of_answer = of_answer[self.first]
        self.base = np.array([name.removesuffix("_clean") for name in self.set])
        known = {name: labels(name) for name in SETS}
        self.labels = [known[self.set[i]].get(row[i], set()) if self.set[i] in known else set() for i in self.first]
        self.has = {kind: self.any(kind) for kind in KINDS}
        self.planted = np.ones(len(lines), bool)
        for name in SETS:
            twin = {text[i] for i in np.where(self.set == f"{name}_clean")[0]}
            if twin:
                for i in np.where(self.set == name)[0]:
                    self.planted[i] = text[i] not in twin

    def any(self, *kinds):
        return np.array([bool(one & set(kinds)) for one in self.labels])

    def most(self, values):
        """Of each record: the largest value of its sentences."""
        out = np.full(len(self.first), -1e18)
        np.maximum.at(out, self.record, values)
        return out

    def likest(self, values, among):
        """One sentence of each record that has any among them."""
        values = np.where(among, values, -1e18)
        at = np.where(among & (values == self.most(values)[self.record]))[0]
        chosen = np.zeros(len(values), bool)
        chosen[at[np.unique(self.record[at], return_index=True)[1]]] = True
        return chosen

    def weighed(self, x, y, use, turn, classes):
        """Weights from the sentences in use, most of the usual ones left out; each set counts as much as another, but for 3."""
        drawn = (np.arange(len(y)) * 2654435761 + turn * 97) % 1000 < KEPT * 1000
        at = np.where(use & ((y > 0) | drawn))[0]
        weight = np.where(y[at] > 0, 1.0, 1 / KEPT)
        return scaled(x[at], y[at], weight * even(self.base[at], weight), classes)

    def sentences(self, train):
        """Weights that tell what a sentence is, from those sentences alone, and what all are by them."""
        bound = np.maximum(self.x[:, 0], self.x[:, 1])
        first = -2 * bound + 2 * self.x[:, 10] - 6 * np.minimum(self.rate / 0.03, 2)
        hard = self.any("cut", "quoted_mail", "sign_off", "personal_data")[self.record]
        marked = np.array([bool(one) for one in self.labels])[self.record] & self.planted
        several = self.set == "support_inconsistent"  # of another voice in one record
        p = None
        for turn in range(3):
            y, use = np.zeros(len(self.x), int), train & ~hard & ~marked
            for kind, name in enumerate(KINDS[:2]):
                among = self.has[name][self.record] & train & self.planted & ~(several & (kind == 0))
                one = self.likest(first if p is None else np.log(p[:, kind + 1] + 1e-9) - np.log(p[:, 0] + 1e-9), among)
                y[one], use[one] = kind + 1, True
            rare = self.has["no_answer"][self.record] & train & self.planted & (self.rate < 0.03)
            yes = rare & (bound < 0.85 if p is None else np.log(p[:, 3] + 1e-9) - np.log(p[:, 0] + 1e-9) > -1)
            y[yes & (y == 0)], use[yes], use[rare & ~yes] = 3, True, False
            use &= ~(several & self.has["tone"][self.record])
            w = self.weighed(self.x, y, use, turn, 4)
            p = applied(self.x, w)
        return w, p

    def clashing(self, train):
        """Weights that tell which sentence contradicts its answer."""
        first = 1.5 * self.x[:, 20] + np.minimum(np.maximum(self.x[:, 0], self.x[:, 1]), 1)
        first += self.x[:, 23] + 2 * self.clash[:, SENTENCE] - 2 * np.minimum(self.rate / 0.01, 3)
        hard = self.any("cut", "quoted_mail", "sign_off", "personal_data", "contradictory_term")[self.record]
        train = train & (self.set != "support_inconsistent")
        among = self.has["self_contradiction"][self.record] & train & self.planted
        p = None
        for turn in range(3):
            y, use = np.zeros(len(self.x), int), train & ~hard & ~among
            one = self.likest(first if p is None else p[:, 1], among)
            y[one], use[one] = 1, True
            w = self.weighed(self.clash, y, use, turn, 2)
            p = applied(self.clash, w)
        w[PLACES] = 0
        return w, p

    def answers(self, p, train):
        """Weights that tell whether an answer answers; p: chances of the sentences."""
        own = self.rate <= HOUSE
        own |= np.bincount(self.record, own)[self.record] == 0
        x = self.of_answer.copy()
        x[:, 6] = self.most(np.where(own, p[:, 3], -1))
        x[:, 7] = np.bincount(self.record[own], np.log(p[own, 3] + 0.001)) / np.bincount(self.record[own]) / 3
        x[:, 8] = self.most(np.where(own, p[:, 0], -1))
        use = train[self.first] & ~self.any("cut", "quoted_mail")
        w = scaled(x[use], self.has["no_answer"][use].astype(int), even(self.base[self.first][use], np.ones(use.sum())), 2)
        return w, applied(x, w)[:, 1]


def even(names, weight):
    """What makes the names' sums of weights alike, 3 at most."""
    _, number = np.unique(names, return_inverse=True)
    sums = np.bincount(number, weight)
    return np.minimum(weight.sum() / len(sums) / sums, 3)[number]


def fitted(x, y, weight):
    """Multinomial logistic regression by Newton's method, against class 0; the ridge is not on the bias."""
    x = np.hstack([x, np.ones((len(x), 1))])
    n, k = x.shape[1], y.shape[1]
    w = np.zeros((n, k))
    penalty = np.full(n, RIDGE)
    penalty[-1] = 1e-3
    for _ in range(10):
        p = chances(x @ w)
        gradient = (x.T @ (weight[:, None] * (p - y)) + penalty[:, None] * w)[:, 1:]
        hessian = np.zeros((k - 1, n, k - 1, n))
        for a in range(1, k):
            for b in range(1, k):
                h = x.T @ ((weight * p[:, a] * ((a == b) - p[:, b]))[:, None] * x)
                hessian[a - 1, :, b - 1] = h + np.diag(penalty) * (a == b)
        size = n * (k - 1)
        step = np.linalg.solve(hessian.reshape(size, size) + 1e-6 * np.eye(size), gradient.T.ravel()).reshape(k - 1, n).T
        w[:, 1:] -= step * min(1, 3 / (np.abs(step).max() + 1e-9))
        if np.abs(step).max() < 1e-3:
            break
    return w


def scaled(x, y, weight, classes):
    mean, spread = x.mean(0), x.std(0) + 0.25
    w = fitted((x - mean) / spread, np.eye(classes)[y], weight)
    inner = w[:-1] / spread[:, None]
    return np.vstack([inner, w[-1] - mean @ inner])


def chances(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def applied(x, w):
    return chances(np.hstack([x, np.ones((len(x), 1))]) @ w)


def left_out(data):
    """Judges each set by what the others teach, and prints precision / recall, and findings in 100 records of the clean twins."""
    scores = {kind: np.zeros(len(data.first)) for kind in KINDS}
    of = data.base[data.first]
    for name in SETS:
        here = [name] + (SAMPLES if name == "support_inconsistent" else [])
        train = ~np.isin(data.base, here)
        _, p = data.sentences(train)
        _, unanswered = data.answers(p, train)
        _, clash = data.clashing(train)
        own = np.isin(of, here)
        for kind, score in zip(KINDS, (data.most(p[:, 1]), data.most(p[:, 2]), unanswered, data.most(clash[:, 1]))):
            scores[kind][own] = score[own]
    print("| sets that the weights have not seen | " + " | ".join(KINDS) + " |")
    for group in GROUPS:
        line = "| " + ", ".join(group)
        planted = np.isin(data.set[data.first], group)
        clean = np.isin(of, group) & ~planted
        for kind in KINDS:
            said, has = scores[kind] >= BARS[kind], data.has[kind]
            right = (said & has & planted).sum()
            line += f" | {right / max((said & planted).sum(), 1):.2f} / {right / max((has & planted).sum(), 1):.2f}"
            line += f" ({100 * said[clean].mean():.1f})" if clean.any() else ""
        print(line + " |", flush=True)


def main():
    data = Data(sys.argv[1])
    if "--weights" not in sys.argv:
        return left_out(data)
    train = np.ones(len(data.x), bool)
    w, p = data.sentences(train)
    a, _ = data.answers(p, train)
    c, _ = data.clashing(train)
    for name, values in [("voice", w[:, 1]), ("vague", w[:, 2]), ("evasion", w[:, 3]), ("unanswered", a[:, 1]), ("clash", c[:, 1])]:
        print(f"{name}: {{" + ", ".join(f"{v:.3g}" for v in values) + "}")


if __name__ == "__main__":
    main()
