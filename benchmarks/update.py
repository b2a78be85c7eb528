"""How often does `student.update` put a student in place that is worse, and how often one that has learnt from more?

    python -m benchmarks.update [--draws 200] [--seeds 0 1]

A Model2Vec student learns from some rows of a data set, a challenger from these and from as many or more new ones:
with the right answers, or with a share of them wrong, one label always taken for one other. All other rows are the
pool: what both of them answer there is their true quality. Then the decision, on `n` rows that are drawn from the
pool, many times. *At the margin*: the challenger is put in place though it is worse by the whole margin, which is set
to what it has lost, in macro-F1 or in exact answers, whichever is more; stated rate: at most 2.5 %. *Margin 0.02*:
what `student.update` does if it is not told otherwise. Writes update.jsonl and update.md.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest
from tqdm.auto import tqdm

from benchmarks import RESULTS, data, running, training
from sieves_distill.export.rows import Rows
from sieves_distill.watch.challenge import paired_gain
from sieves_distill.watch.challenge_result import is_not_worse

FILE = RESULTS / "update.jsonl"
CASES = [("bbc", 60, 100, 300), ("tweets", None, 300, 900), ("reuters", 60, 150, 450), ("attack", None, 100, 200)]
WRONG = (0., .3, .6)  # shares of the new rows
SIZES = (100, 300)  # held-out rows
STATED, MARGIN, LEAST = .025, .02, .005  # a student that has lost less than this is not called worse
RESAMPLES = 200


@dataclass(frozen=True, eq=False)
class Pool:
    "Rows that no student has learnt from, and what students say of them"
    kind: object
    y: np.ndarray
    answers: dict  # Of the "old" student, and of a new one for each share of wrong rows, `(n, n_labels)`

    def part(self, at, share: float, seed: int) -> dict:
        "The gain on some rows, which are different texts even where a row is there twice"
        hot = {"old": self.answers["old"][at], "new": self.answers[share][at]}
        return paired_gain(Rows([str(i) for i in range(len(at))], self.y[at], self.kind), hot, seed, RESAMPLES)


def misread(y, share: float, rng):
    "Answers of which a share is wrong, each label in the same way"
    y, wrong = y.copy(), rng.random(len(y)) < share
    if y.ndim == 2: y[wrong] = np.roll(y[wrong], 1, axis=1)
    else: y[wrong] = (y[wrong] + 1) % (y.max() + 1)
    return y


def pool(name: str, words: int | None, n_old: int, n_new: int, seed: int) -> Pool:
    texts, y, names = data.LOADERS[name]()
    texts, y, rng = data.first_words(texts, words), np.asarray(y), np.random.default_rng(seed)
    order = rng.permutation(len(texts))
    old, new, rest = order[:n_old], order[n_old:n_old + n_new], order[n_old + n_new:]
    kind, answers = training.task_of(y, names).kind, {}
    for who in ("old", *WRONG):
        at = old if who == "old" else np.r_[old, new]
        taught = y[at] if who == "old" else np.concatenate([y[old], misread(y[new], who, rng)])
        student = training.train("model2vec", [texts[i] for i in at], taught, names, seed).student
        answers[who] = kind.one_hot(training.answers(student, [texts[i] for i in rest]))
    return Pool(kind, y[rest], answers)


def cells(case: tuple, seed: int, draws: int) -> list[dict]:
    "For each share of wrong rows and each size: the true gain, and how often the new student is put in place"
    place, out = pool(*case, seed), []
    for share in WRONG:
        true = place.part(np.arange(len(place.y)), share, 0)
        gains = {name: true[name]["value"] for name in ("gain", "exact")}
        lost = -min(gains.values())
        for n in SIZES:
            parts = [place.part(np.random.default_rng(draw).integers(len(place.y), size=n), share, draw)
                     for draw in range(draws)]
            placed = {margin: sum(is_not_worse(part, margin) for part in parts) for margin in (MARGIN, lost)}
            out.append({"data": case[0], "seed": seed, "old": case[2], "new": case[3], "wrong": share, "n": n,
                        "draws": draws, "pool": len(place.y), **gains, "placed": placed[MARGIN],
                        "at_margin": placed[lost] if lost >= LEAST else None})
    return out


def table(cells: list[dict]) -> str:
    "What was recorded, as Markdown: means over seeds"
    lines = ["# Update", "", __doc__.split("\n\n")[2].replace("\n", " "), "",
             "| data | old and new rows | wrong | gain in macro-F1 | in exact answers | held out | draws "
             "| put in place, margin 0.02 | at the margin |", "|---|---|--:|--:|--:|--:|--:|--:|--:|"]
    groups = {}
    for cell in cells: groups.setdefault((cell["data"], cell["wrong"], cell["n"]), []).append(cell)
    for (name, wrong, n), some in groups.items():
        gain, exact = (np.mean([cell[part] for cell in some]) for part in ("gain", "exact"))
        worse = [cell for cell in some if cell["at_margin"] is not None]
        at_margin = f"{rate(worse, 'at_margin'):.1%}" if worse else "–"
        lines.append(f"| {name} | {some[0]['old']:,} + {some[0]['new']:,} | {wrong:.0%} | {gain:+.3f} | {exact:+.3f} "
                     f"| {n} | {sum(cell['draws'] for cell in some)} | {rate(some, 'placed'):.1%} | {at_margin} |")
    return "\n".join([*lines, "", summary(cells), ""])


def rate(cells: list[dict], name: str) -> float:
    return sum(cell[name] for cell in cells) / sum(cell["draws"] for cell in cells)


def summary(cells: list[dict]) -> str:
    "The rate that was stated, and what is gained where new rows are right, in sentences"
    worse, lines = [cell for cell in cells if cell["at_margin"] is not None], []
    for n in SIZES:
        some = [cell for cell in worse if cell["n"] == n]
        total, placed = sum(cell["draws"] for cell in some), sum(cell["at_margin"] for cell in some)
        low, high = binomtest(placed, total).proportion_ci()
        lines.append(f"On {n} held-out rows, of {total:,} challengers that are worse by the whole margin {placed} "
                     f"are put in place: {placed / total:.1%} [{low:.1%}, {high:.1%}] (95 %, Clopper and Pearson).")
    for n in SIZES:
        right = [cell for cell in cells if cell["n"] == n and not cell["wrong"]]
        lines.append(f"Where all new rows are right, macro-F1 grows by {np.mean([c['gain'] for c in right]):.3f} on "
                     f"average, and {rate(right, 'placed'):.0%} take the place on {n} held-out rows.")
    return " ".join(lines) + " `python -m benchmarks.update`"


def main():
    parser = running.arguments("update", __doc__)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    args = parser.parse_args()
    running.silence()
    done = {(cell["data"], cell["seed"]) for cell in running.read_lines(FILE)}
    plan = [(case, seed) for case in CASES for seed in args.seeds if (case[0], seed) not in done]
    for case, seed in tqdm(plan):
        for cell in cells(case, seed, args.draws): running.add_line(FILE, cell)
    running.write_table(FILE, table(running.read_lines(FILE)))


if __name__ == "__main__": main()
