"""Fits the weights of data/checks/stray.cpp: python3 test/data/checks/fit_stray.py MEASURES [--weights]

MEASURES is what build/tests --run_test='stray_sentences/print_stray_measures' writes (it says how). Prints how often
each group of sets is judged rightly by weights that were fitted to all the others; with --weights those that are fitted to all.
Needs numpy. The planted sentence of a record is not labelled: in each round it is the one that the last round's weights think likest.
"""

import collections
import json
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
STORED = ROOT / "test/stored/checks"
GROUPS = {"twin": ["support_inconsistent"], "practice, garden": ["practice", "garden_es"], "library, academy": ["library", "academy_es"],
          "hotel, bank, saas": ["hotel", "bank", "saas"], "clinic, council, museum": ["clinic", "council", "museum"],
          "ferry, printer": ["ferry", "printer_es"]}
GROUP = {name: group for group, names in GROUPS.items() for name in names}
KINDS = ["tone", "unclear_instruction", "no_answer", "self_contradiction"]
SENTENCE, CLASH, ANSWER = 31, 10, 16  # measures of each
PLACES = [21, 22, 26]  # of a sentence: where it was planted is not what makes it clash
HOUSE = 0.025


def labels(name):
    if name not in GROUP:
        return {}
    found = collections.defaultdict(set)
    for row in json.loads((STORED / f"{name}.json" if name != "support_inconsistent" else ROOT / f"data/samples/{name}.json").read_text()):
        found[row["line"]] |= {d["kind"] if isinstance(d, dict) else d for d in row["defects"]}
    return found


def fitted(x, y, weight, ridge):
    """Multinomial logistic regression by Newton's method; the ridge is not on the bias."""
    x = np.hstack([x, np.ones((len(x), 1))])
    n, k = x.shape[1], y.shape[1]
    w = np.zeros((n, k))
    penalty = np.full(n, ridge)
    penalty[-1] = 1e-3
    for _ in range(12):
        p = chances(x @ w)
        gradient = x.T @ (weight[:, None] * (p - y)) + penalty[:, None] * w
        hessian = np.zeros((n * k, n * k))
        for a in range(k):
            for b in range(a, k):
                h = x.T @ ((weight * p[:, a] * ((a == b) - p[:, b]))[:, None] * x)
                if a == b:
                    h += np.diag(penalty)
                hessian[a * n:(a + 1) * n, b * n:(b + 1) * n] = h
                hessian[b * n:(b + 1) * n, a * n:(a + 1) * n] = h.T
        step = np.linalg.solve(hessian + 1e-6 * np.eye(n * k), gradient.T.ravel()).reshape(k, n).T
        w -= step * min(1, 3 / (np.abs(step).max() + 1e-9))
        if np.abs(step).max() < 1e-4:
            break
    return w


def chances(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


class Data:
    def __init__(self, path):
        lines = [line.rstrip("\n").split("\t") for line in open(path, encoding="utf-8")]
        self.set = np.array([one[0] for one in lines])
        self.row = np.array([int(one[1]) for one in lines])
        self.rate = np.array([float(one[2]) for one in lines])
        self.x = np.array([[float(v) for v in one[3:3 + SENTENCE]] for one in lines])
        clash = np.array([[float(v) for v in one[3 + SENTENCE:3 + SENTENCE + CLASH]] for one in lines])
        self.clash = np.hstack([self.x, clash])
        self.clash[:, PLACES] = 0
        self.of_answer = np.array([[float(v) for v in one[3 + SENTENCE + CLASH:3 + SENTENCE + CLASH + ANSWER]] for one in lines])
        self.text = [one[-1] for one in lines]
        self.group = np.array([GROUP.get(s.replace("_clean", ""), "samples") for s in self.set])
        self.records = collections.OrderedDict()
        for i, key in enumerate(zip(self.set, self.row)):
            self.records.setdefault(key, []).append(i)
        planted = {s: labels(s) for s in set(self.set)}
        self.labels = {key: planted[key[0]].get(key[1], set()) for key in self.records}

    def sentences(self, train, rounds=4, ridge=4.0):
        """Weights that tell what a sentence is, from those records alone."""
        x, p = self.x, None
        bound = np.maximum(x[:, 0], x[:, 1])
        stray = -2 * bound + 2 * x[:, 10] - 6 * np.minimum(self.rate / 0.03, 2)
        for turn in range(rounds):
            y, use = np.zeros(len(x), int), np.zeros(len(x), bool)
            for key, rows in self.records.items():
                if not train[rows[0]]:
                    continue
                has = self.labels[key]
                use[rows] = True
                score = stray[rows] if p is None else np.log(p[rows] + 1e-9)
                for kind, name in enumerate(KINDS[:3]):
                    if name not in has:
                        continue
                    if kind == 0 and key[0] == "support_inconsistent":  # several at once
                        use[rows] = False
                    elif kind < 2:
                        likest = score if p is None else score[:, kind + 1] - score[:, 0]
                        y[rows[int(np.argmax(likest))]] = kind + 1
                    else:
                        for at, i in enumerate(rows):
                            if self.rate[i] >= 0.03:
                                continue
                            if (bound[i] < 0.85) if p is None else (score[at, 3] - score[at, 0] > -1):
                                y[i] = 3
                            else:
                                use[i] = False
                if has & {"cut", "quoted_mail", "sign_off", "personal_data"}:
                    use[rows] = False
            chosen = np.where(use & ((y > 0) | (np.arange(len(x)) % 2 == turn % 2)))[0]
            weight = self.balanced(chosen, np.where(y[chosen] > 0, 1.0, 2.0))
            mean, spread = x[chosen].mean(0), x[chosen].std(0) + 0.25
            w = fitted((x[chosen] - mean) / spread, np.eye(4)[y[chosen]], weight, ridge)
            w = unscaled(w, mean, spread)
            p = chances(np.hstack([x, np.ones((len(x), 1))]) @ w)
        return w, p

    def clashing(self, train, rounds=3, ridge=4.0):
        """Weights that tell which sentence contradicts its answer."""
        x, p = self.clash, None
        first = 1.5 * x[:, 20] + np.minimum(np.maximum(x[:, 0], x[:, 1]), 1) - 2 * np.minimum(self.rate / 0.01, 3) + x[:, 23] + 2 * x[:, SENTENCE]
        for turn in range(rounds):
            y, use = np.zeros(len(x), int), np.zeros(len(x), bool)
            for key, rows in self.records.items():
                if not train[rows[0]] or key[0] == "support_inconsistent":
                    continue
                has = self.labels[key]
                use[rows] = True
                if "self_contradiction" in has:
                    y[rows[int(np.argmax(first[rows] if p is None else p[rows, 1]))]] = 1
                elif has & {"cut", "quoted_mail", "sign_off", "personal_data", "contradictory_term"}:
                    use[rows] = False
            chosen = np.where(use & ((y > 0) | (np.arange(len(x)) % 2 == turn % 2)))[0]
            weight = self.balanced(chosen, np.where(y[chosen] > 0, 1.0, 2.0))
            mean, spread = x[chosen].mean(0), x[chosen].std(0) + 0.25
            w = unscaled(fitted((x[chosen] - mean) / spread, np.eye(2)[y[chosen]], weight, ridge), mean, spread)
            p = chances(np.hstack([x, np.ones((len(x), 1))]) @ w)
        w[PLACES] = 0
        return w, p

    def balanced(self, chosen, weight):
        """Each group of sets counts as much as another, but for a factor of three."""
        groups = self.group[chosen]
        names = sorted(set(groups))
        for name in names:
            weight[groups == name] *= min(weight.sum() / len(names) / max(weight[groups == name].sum(), 1), 3)
        return weight

    def answers(self, p, train, ridge=4.0):
        """Weights that tell whether an answer answers; p: chances of the sentences."""
        x, y, ok = [], [], []
        for key, rows in self.records.items():
            own = [i for i in rows if self.rate[i] <= HOUSE] or rows
            features = self.of_answer[rows[0]].copy()
            features[6] = max(p[i, 3] for i in own)
            features[7] = np.mean([np.log(p[i, 3] + 0.001) for i in own]) / 3
            features[8] = max(p[i, 0] for i in own)
            x.append(features)
            y.append("no_answer" in self.labels[key])
            ok.append(train[rows[0]] and not self.labels[key] & {"cut", "quoted_mail"})
        x, y, ok = np.array(x), np.array(y), np.array(ok)
        groups = np.array([self.group[rows[0]] for rows in self.records.values()])[ok]
        weight = np.ones(ok.sum())
        for name in set(groups):
            weight[groups == name] *= min(ok.sum() / len(set(groups)) / (groups == name).sum(), 3)
        mean, spread = x[ok].mean(0), x[ok].std(0) + 0.25
        w = unscaled(fitted((x[ok] - mean) / spread, np.eye(2)[y[ok].astype(int)], weight, ridge), mean, spread)
        return w, chances(np.hstack([x, np.ones((len(x), 1))]) @ w)[:, 1]


def unscaled(w, mean, spread):
    inner = w[:-1] / spread[:, None]
    return np.vstack([inner, w[-1] - mean @ inner])


def main():
    data = Data(sys.argv[1])
    keys = list(data.records)
    first = np.array([rows[0] for rows in data.records.values()])
    bars = (0.3, 0.4, 0.5, 0.6)
    if "--weights" not in sys.argv:
        for group in GROUPS:
            train = data.group != group
            _, p = data.sentences(train)
            _, unanswered = data.answers(p, train)
            _, clash = data.clashing(train)
            here = (data.group[first] == group) & np.array([key[0] in GROUP for key in keys])
            clean = ((data.group[first] == group) | ((group == "twin") & (data.group[first] == "samples"))) & ~here
            for kind, name in enumerate(KINDS):
                of = [p[:, 1], p[:, 2], None, clash[:, 1]][kind]
                score = unanswered if kind == 2 else np.array([of[rows].max() for rows in data.records.values()])
                has = np.array([name in data.labels[key] for key in keys])
                text = f"{group:24s} {name:20s}"
                for bar in bars:
                    said = score >= bar
                    right = (said & has & here).sum()
                    text += f"  {bar}: {right / max((said & here).sum(), 1):.2f} / {right / max((has & here).sum(), 1):.2f}"
                    text += f" ({100 * (said & clean).sum() / max(clean.sum(), 1):.2f})"
                print(text, flush=True)
    else:
        w, p = data.sentences(np.ones(len(data.x), bool))
        a, _ = data.answers(p, np.ones(len(data.x), bool))
        c, _ = data.clashing(np.ones(len(data.x), bool))
        w = w - w[:, :1]  # against the usual
        a = a[:, 1] - a[:, 0]
        for name, values in [("voice", w[:, 1]), ("vague", w[:, 2]), ("evasion", w[:, 3]), ("unanswered", a),
                             ("clash", c[:, 1] - c[:, 0])]:
            print(f"{name}: {{" + ", ".join(f"{v:.3g}" for v in values) + "}")


if __name__ == "__main__":
    main()
