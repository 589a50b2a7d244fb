"""Fits the networks of data/checks/stray_nets.h: python3 test/data/checks/fit_stray.py MEASURES [--hands | --weights]

MEASURES and MEASURES.pairs are what build/tests --run_test='stray_sentences/print_stray_measures' writes (it says how),
of all sets of docs/data.md, their clean twins and the samples. Prints how often each set is judged rightly by networks that were
fitted to all the others, as docs/data.md has it; with --hands those fitted to all sets that other hands wrote; with
--weights it writes data/checks/stray_weights.cpp, fitted to all. Needs numpy, and takes three minutes at most.

The planted sentence of a record is one that the set's clean twin does not have; where there is no twin, or several
such sentences, the likeliest by a regression on the others.
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
          ["crafts", "physio_es", "housing"], ["railway", "notaria_es", "phones"]]
HANDS = [sum(GROUPS[:3], []), GROUPS[3] + GROUPS[4], GROUPS[5], GROUPS[6], GROUPS[7], GROUPS[8]]
SETS = [name for group in GROUPS for name in group]
SAMPLES = ["support", "support_es", "general", "arithmetic"]  # clean, and the twin's
# Of sentences, from 1 on; 0: usual; 6: a fact beside what was asked that another record has otherwise.
KINDS = ["tone", "unclear_instruction", "no_answer", "self_contradiction", "contradiction"]
OPPOSED = GROUPS[8]  # where a contradiction is one of what others say of the same; elsewhere it is of another kind
BARS = {"tone": 0.5, "unclear_instruction": 0.52, "no_answer": 0.4, "self_contradiction": 0.55, "contradiction": 0.12}
PAIR_BAR = 0.3
SENTENCE, CLASH, BESIDE, ANSWER = 34, 10, 16, 16  # measures of each
GATE = -4.5
ASIDE = 0.01
HOUSE = 0.025
KEPT = 0.35  # of the usual sentences, for the regressions
HIDDEN, NETS, ROUNDS, DECAY = 12, 4, 20, 0.2


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
        self.rate, self.x, self.of_answer = np.split(measures, [1, 1 + SENTENCE + CLASH + BESIDE], axis=1)
        self.rate = self.rate[:, 0]
        new = np.r_[True, (self.set[1:] != self.set[:-1]) | (row[1:] != row[:-1])]
        self.first = np.where(new)[0]
        self.record = np.cumsum(new) - 1
        self.of_answer = self.of_answer[self.first]
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
        self.drawn = (np.arange(len(lines)) * 2654435761) % 1000 < KEPT * 1000
        self.kind = self.kinds()
        self.gate = self.regression(self.x[:, :SENTENCE], self.kind > 0, self.kind >= 0)
        self.passed = self.x[:, :SENTENCE] @ self.gate[:-1] + self.gate[-1] > GATE

    def read_pairs(self, path):
        """Pairs of sentences, their measures, and whether they contradict each other. Of some pairs one sentence stands
        in the clean twin as well."""
        lines = [line.split("\t") for line in open(path, encoding="utf-8", errors="replace")]
        start = {name: np.argmax(self.set == name) for name in np.unique(self.set)}
        self.pairs = np.array([[start[one[0]] + int(one[1]), start[one[0]] + int(one[2])] for one in lines])
        self.pair_x = np.array([one[3:] for one in lines], float)
        known = self.has["contradiction"][self.record[self.pairs]].all(1)
        self.pair_y = known & (self.kind[self.pairs] == 6).any(1)

    def pair_measures(self, p):
        aside = np.sort(np.maximum(p[self.pairs, 6], ASIDE), axis=1)
        likest = (p[:, 6] >= ASIDE) & (3 * p[:, 6] >= p[:, 1:6].max(1))  # not much else
        return np.hstack([self.pair_x, np.log(aside)]), likest[self.pairs].all(1)

    def pairing(self, train, p):
        """Weights that tell whether two sentences contradict each other; those that they learn from are judged by
        networks that have not seen them."""
        x, passed = self.pair_measures(self.unseen(train, p))
        use = train[self.pairs[:, 0]] & passed & ~np.isin(self.base[self.pairs[:, 0]], OPPOSED)
        names = self.base[self.pairs[use, 0]]
        return logistic(x[use], self.pair_y[use].astype(float), even(names, np.ones(use.sum())))

    def paired(self, w, p):
        """Of each record, how likely it contradicts another: the likeliest pairs first, and each record in one."""
        x, passed = self.pair_measures(p)
        chance = 1 / (1 + np.exp(-(x @ w[:-1] + w[-1])))
        out = np.zeros(len(self.first))
        for at in np.argsort(-chance):
            one, other = self.record[self.pairs[at]]
            if passed[at] and out[one] == 0 and out[other] == 0:
                out[one] = out[other] = chance[at]
        return out

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

    def regression(self, x, y, use):
        use = use & (y | self.drawn)
        weight = np.where(y[use], 1.0, 1 / KEPT)
        return logistic(x[use], y[use].astype(float), weight * even(self.base[use], weight))

    def kinds(self):
        """What each sentence is; -1: it is not known, and not learnt from."""
        x = self.x[:, : SENTENCE + CLASH]
        bound = np.maximum(x[:, 0], x[:, 1])
        stray = -2 * bound + 2 * x[:, 10] - 6 * np.minimum(self.rate / 0.03, 2)
        clash = 1.5 * x[:, 20] + np.minimum(bound, 1) + x[:, 23] + 2 * x[:, SENTENCE]
        clash -= 2 * np.minimum(self.rate / 0.01, 3)
        hard = self.any("cut", "quoted_mail", "sign_off", "personal_data")[self.record]
        marked = np.array([bool(one) for one in self.labels])[self.record] & self.planted
        several = self.set == "support_inconsistent"  # of another voice in one record
        has = {kind: self.has[kind][self.record] & self.planted for kind in KINDS}
        found = None
        for _ in range(2):
            last, found = found, np.where(marked | hard, -1, 0)
            for kind, first in ((1, stray), (2, stray), (4, clash)):
                if last is not None:
                    w = self.regression(x, last == kind, (last == 0) | (last == kind))
                    first = x @ w[:-1] + w[-1]
                among = has[KINDS[kind - 1]] & ~(several & (kind != 2))
                found[self.likest(first, among)] = kind
            found[has["no_answer"] & (self.rate < 0.03) & (bound < 0.85) & (found <= 0)] = 3
            found[self.likest(stray, has["contradiction"])] = 5
        found[several & has["tone"] & (found == 0)] = -1
        found[(found == 5) & ~np.isin(self.set, OPPOSED)] = 6
        return found

    def sentences(self, train, nets=NETS):
        use = train & self.passed & (self.kind >= 0)
        return Nets(self.x[use], self.kind[use], even(self.base[use], np.ones(use.sum())), 7, nets)

    def chances(self, nets, of):
        out = np.zeros((of.sum(), 7))
        out[:, 0] = 1
        out[self.passed[of]] = nets(self.x[of][self.passed[of]])
        return out

    def unseen(self, train, p):
        """Chances of the sentences to learn from, each by networks fitted to the other half of the sets."""
        half = np.array([sum(map(ord, name)) % 2 for name in self.base])
        p = p.copy()
        for one in (0, 1):
            p[train & (half == one)] = self.chances(self.sentences(train & (half != one), 2), train & (half == one))
        return p

    def answers(self, p):
        """Measures of answers, with the chances of their sentences."""
        own = self.rate <= HOUSE
        own |= np.bincount(self.record, own)[self.record] == 0
        x = self.of_answer.copy()
        x[:, 6] = self.most(np.where(own, p[:, 3], -1))
        x[:, 7] = np.bincount(self.record[own], np.log(p[own, 3] + 0.001)) / np.bincount(self.record[own]) / 3
        x[:, 8] = self.most(np.where(own, p[:, 0], -1))
        return x

    def answering(self, train, p):
        """Networks that tell whether an answer answers; the sentences that they learn from are judged by networks that
        have not seen them."""
        p = self.unseen(train, p)
        use = train[self.first] & ~self.any("cut", "quoted_mail")
        names = self.base[self.first][use]
        return Nets(self.answers(p)[use], self.has["no_answer"][use].astype(int), even(names, np.ones(use.sum())), 2)


def even(names, weight):
    """What makes the names' sums of weights alike, 3 at most."""
    _, number = np.unique(names, return_inverse=True)
    sums = np.bincount(number, weight)
    return np.minimum(weight.sum() / len(sums) / sums, 3)[number]


def logistic(x, y, weight, ridge=4.0):
    """Newton's method, on measures of one scale; the ridge is not on the bias."""
    mean, spread = x.mean(0), x.std(0) + 0.25
    x = np.hstack([(x - mean) / spread, np.ones((len(x), 1))])
    w = np.zeros(x.shape[1])
    w[-1] = -3
    penalty = np.r_[np.full(len(w) - 1, ridge), 1e-3]
    for _ in range(12):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        step = np.linalg.solve((x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(penalty),
                               x.T @ (weight * (p - y)) + penalty * w)
        w -= step * min(1, 3 / (np.abs(step).max() + 1e-9))
        if np.abs(step).max() < 3e-3:
            break
    inner = w[:-1] / spread
    return np.r_[inner, w[-1] - mean @ inner]


class Nets:
    """Networks of one hidden layer that differ in their seeds (AdamW, Loshchilov and Hutter 2019)."""

    def __init__(self, x, y, weight, kinds, nets=NETS):
        self.mean, self.spread = x.mean(0), x.std(0) + 0.25
        x = ((x - self.mean) / self.spread).astype(np.float32)
        y, weight = np.eye(kinds, dtype=np.float32)[y], (weight / weight.mean()).astype(np.float32)
        self.nets = [self.fitted(x, y, weight, seed) for seed in range(nets)]

    @staticmethod
    def fitted(x, y, weight, seed, batch=256, rate=0.01):
        random = np.random.default_rng(seed)
        (n, inputs), kinds, hidden = x.shape, y.shape[1], HIDDEN
        w = [random.standard_normal((inputs, hidden)) / np.sqrt(inputs), np.zeros(hidden),
             random.standard_normal((hidden, kinds)) / np.sqrt(hidden) * 0.1, np.zeros(kinds)]
        w = [one.astype(np.float32) for one in w]
        mean, square = [np.zeros_like(one) for one in w], [np.zeros_like(one) for one in w]
        steps, step = ROUNDS * (n // batch + 1), 0
        for _ in range(ROUNDS):
            order = random.permutation(n)
            for begin in range(0, n, batch):
                at = order[begin : begin + batch]
                sum_ = x[at] @ w[0] + w[1]
                slope = 1 + np.abs(sum_)
                h = sum_ / slope
                out = (softmax(h @ w[2] + w[3]) - y[at]) * weight[at][:, None] / len(at)
                inner = (out @ w[2].T) / slope**2
                gradients = [x[at].T @ inner, inner.sum(0), h.T @ out, out.sum(0)]
                step += 1
                now = rate * (1 - step / (steps + 1)) + rate / 100
                for i, gradient in enumerate(gradients):
                    mean[i] += 0.1 * (gradient - mean[i])
                    square[i] += 0.001 * (gradient**2 - square[i])
                    move = mean[i] / (1 - 0.9**step) / (np.sqrt(square[i] / (1 - 0.999**step)) + 1e-8)
                    w[i] -= now * (move + (DECAY * w[i] if i % 2 == 0 else 0))
        return w

    def __call__(self, x):
        x = (x - self.mean) / self.spread
        out = 0
        for w in self.nets:
            sum_ = x @ w[0] + w[1]
            out = out + softmax(sum_ / (1 + np.abs(sum_)) @ w[2] + w[3]) / len(self.nets)
        return out

    def weights(self):
        """As SmallNets has them, for measures as they are."""
        for w in self.nets:
            inner = w[0] / self.spread[:, None]
            yield from np.vstack([inner, w[1] - self.mean @ inner]).T.ravel()
            yield from np.vstack([w[2], w[3]]).T.ravel()


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def left_out(data, folds):
    """Judges each fold by what the others teach, and prints precision / recall, and findings in 100 records of the
    clean twins."""
    scores = {kind: np.zeros(len(data.first)) for kind in KINDS}
    of = data.base[data.first]
    for fold in folds:
        here = fold + (SAMPLES if "support_inconsistent" in fold else [])
        own, own_records = np.isin(data.base, here), np.isin(of, here)
        p = np.zeros((len(data.x), 7))
        p[own] = data.chances(data.sentences(~own), own)
        unanswered = data.answering(~own, p)(data.answers(p))[:, 1]
        for number, kind in enumerate(KINDS):
            if kind == "contradiction":  # either of the two kinds
                pairs = data.paired(data.pairing(~own, p), p * own[:, None])
                scores[kind][own_records] = (pairs >= PAIR_BAR)[own_records]
            score = unanswered if kind == "no_answer" else data.most(p[:, number + 1])
            scores[kind][own_records] = np.maximum(scores[kind], score)[own_records]
    scores["tone"][(scores["no_answer"] >= BARS["no_answer"]) | data.any("personal_data", "quoted_mail")] = 0
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
    return scores


def written(name, values):
    lines, line = [], "   "
    for value in values:
        text = f" {value:.3g}f,".replace("-0.", "-.").replace(" 0.", " .")
        if "." not in text and "e" not in text:
            text = text.replace("f", ".f")
        if len(line) + len(text) > 98:
            lines.append(line)
            line = "   "
        line += text
    return f"const float {name}[] = {{\n" + "\n".join(lines + [line]) + "\n};\n"


def main():
    data = Data(sys.argv[1])
    data.read_pairs(sys.argv[1] + ".pairs")
    if "--weights" not in sys.argv:
        left_out(data, HANDS if "--hands" in sys.argv else [[name] for name in SETS])
        return
    train = np.ones(len(data.x), bool)
    none = np.zeros((len(data.x), 7))
    sentences, answers = data.sentences(train), data.answering(train, none)
    text = "// Written by test/data/checks/fit_stray.py, fitted to the sets of docs/data.md.\n"
    text += '#include "data/checks/stray_nets.h"\n\nnamespace afina {\n\n// clang-format off\n'
    text += written("stray_gate", data.gate) + written("pair_weights", data.pairing(train, none))
    text += "\nnamespace {\n\n" + written("of_sentences", sentences.weights())
    text += "\n" + written("of_answers", answers.weights()) + "\n}  // namespace\n// clang-format on\n\n"
    for name, inputs, kinds in (("sentence", SENTENCE + CLASH + BESIDE, 7), ("answer", ANSWER, 2)):
        text += f"const SmallNets {name}_nets{{{inputs}, {HIDDEN}, {kinds}, {NETS}, of_{name}s}};\n"
    (ROOT / "data/checks/stray_weights.cpp").write_text(text + "\n}  // namespace afina\n")


if __name__ == "__main__":
    main()
