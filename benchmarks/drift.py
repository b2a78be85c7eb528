"""How often does `drift` say that something has changed where nothing has, and how often where something has?

    python -m benchmarks.drift [--draws 200] [--data bbc …]

A Model2Vec student learns from part of a data set. Of the rest, 200 texts are what its folder would hold out, and as
many as `n` others come in: drawn like these, or with a change in a share of them. *Labels*: that share is of one label
in addition. *A new kind*: it is of a label that the student has not learnt (its rows are left out of all else; single
label alone). *Other texts*: it comes from another data set. *Spelling*: of that share, one letter in ten is another.
Writes drift.jsonl and drift.md.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import binomtest
from tqdm.auto import tqdm

from benchmarks import RESULTS, data, running
from benchmarks.novelty import Told, told
from sieves_distill import drift

FILE = RESULTS / "drift.jsonl"
CASES = [("bbc", 300, 60), ("tweets", 800, None), ("attack", 150, None)]  # data, training rows, words of a text
OTHER = {"bbc": "tweets", "tweets": "movies", "attack": "bbc"}
CHANGES = {"nothing": (0.,), "labels": (.1, .3), "a new kind": (.05, .2), "other texts": (.05, .2),
           "spelling": (.2, 1.)}
SIZES = {"nothing": (100, 300)}  # of the new texts; 300 where something changes, and a fourth of the draws
N_OLD = 200


@dataclass(frozen=True, eq=False)
class World:
    "A student and texts that it has not learnt from"
    student: Remembering
    texts: list[str]
    hot: np.ndarray  # Their labels, `(n, n_labels)`
    strange: list[str]  # Texts of a label that it has not learnt; none with several labels a text
    other: list[str]  # Texts of another data set


class Remembering:
    "The same student, which computes each text once, however many draws it is in"
    def __init__(self, student: Told):
        self.kind, self.labels, self.multi_label = student.kind, student.labels, student.multi_label
        self.student, self.seen = student, {}

    def predict_proba(self, texts): return np.array(self.remembered(texts, self.student.predict_proba))

    def novelty(self, texts): return np.array(self.remembered(texts, self.student.novelty))

    def remembered(self, texts, answer) -> list:
        seen = self.seen.setdefault(answer, {})
        if new := list(dict.fromkeys(text for text in texts if text not in seen)): seen.update(zip(new, answer(new)))
        return [seen[text] for text in texts]


@cache
def world(name: str, n_train: int, words: int | None) -> World:
    texts, y, names = data.LOADERS[name]()
    texts, strange, rng = np.array(data.first_words(texts, words), object), [], np.random.default_rng(0)
    if y.ndim == 1:
        strange, keep = list(texts[y == len(names) - 1]), y < len(names) - 1
        texts, y, names = texts[keep], y[keep], names[:-1]
    order = rng.permutation(len(texts))
    train, rest = order[:n_train], order[n_train:]
    student = Remembering(told("model2vec", list(texts[train]), y[train], names, 0))
    return World(student, list(texts[rest]), student.kind.one_hot(y[rest]), strange,
                 data.first_words(data.LOADERS[OTHER[name]]()[0], words))


def misspelt(text: str, rng) -> str:
    letters = np.array(list(text))
    at = rng.random(len(letters)) < .1
    letters[at] = rng.choice(list("abcdefghijklmnopqrstuvwxyz"), at.sum())
    return "".join(letters)


def come_in(place: World, change: str, share: float, n: int, rng) -> tuple[list[str], list[str]]:
    "Old texts, and new ones of which a share is changed"
    order, n_changed = rng.permutation(len(place.texts)), round(share * n)
    old, rest = [place.texts[i] for i in order[:N_OLD]], order[N_OLD:]
    if change == "labels":
        more = rest[place.hot[rest, place.hot.mean(0).argmax()]][:n_changed]
        like = np.setdiff1d(rest, more)
        return old, [place.texts[i] for i in [*more, *rng.permutation(like)[:n - len(more)]]]
    new = [place.texts[i] for i in rest[:n]]
    if change == "spelling": return old, [misspelt(text, rng) for text in new[:n_changed]] + new[n_changed:]
    others = {"a new kind": place.strange, "other texts": place.other}.get(change, [])
    return old, [str(text) for text in rng.permutation(others)[:n_changed]] + new[n_changed:]


def cell(case: tuple, change: str, share: float, n: int, draws: int) -> dict:
    "How often it is said that something has changed, and what"
    place, seen, aspects = world(*case), 0, {}
    for seed in range(draws):
        old, new = come_in(place, change, share, n, np.random.default_rng(seed))
        result = drift(place.student, new, old, seed=seed)
        seen += bool(result.changed)
        for name in result.differing: aspects[name] = aspects.get(name, 0) + 1
    return {"data": case[0], "change": change, "share": share, "n": n, "draws": draws, "changed": seen / draws,
            "aspects": {name: count / draws for name, count in aspects.items()}}


def table(cells: list[dict]) -> str:
    lines = ["# Drift", "", f"{N_OLD} held-out texts, `n` new ones; stated rate of false alarms: 5 %, all aspects "
             "together.", "",
             "| data | changed | share | n | draws | said to have changed | labels | confidence | words | novelty |",
             "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for c in cells:
        by = " | ".join(f"{c['aspects'].get(name, 0):.0%}" for name in ("labels", "confidence", "words", "novelty"))
        what = f"{c['data']} | {c['change']} | {c['share']:.0%} | {c['n']} | {c['draws']}"
        lines.append(f"| {what} | {c['changed']:.1%} | {by} |")
    calm = [c for c in cells if c["change"] == "nothing"]
    n, alarms = sum(c["draws"] for c in calm), sum(round(c["changed"] * c["draws"]) for c in calm)
    low, high = binomtest(alarms, n).proportion_ci()
    lines += ["", f"Where nothing has changed, {alarms / n:.1%} of {n} checks say that something has; that is "
              f"{low:.1%} to {high:.1%} (95 %, Clopper and Pearson). `python -m benchmarks.drift`", ""]
    return "\n".join(lines)


def main():
    parser = running.arguments("drift", __doc__)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--data", nargs="+", default=[name for name, *_ in CASES])
    args = parser.parse_args()
    running.silence()
    done = {(c["data"], c["change"], c["share"], c["n"]) for c in running.read_lines(FILE)}
    plan = [(case, change, share, n) for case in CASES if case[0] in args.data for change, shares in CHANGES.items()
            for share in shares for n in SIZES.get(change, (300,))]
    for case, change, share, n in tqdm(plan):
        if (case[0], change, share, n) in done or change == "a new kind" and case[0] == "attack": continue
        if N_OLD + n > len(world(*case).texts): continue
        running.add_line(FILE, cell(case, change, share, n, args.draws if change in SIZES else args.draws // 4))
    FILE.with_suffix(".md").write_text(table(running.read_lines(FILE)))


if __name__ == "__main__": main()
