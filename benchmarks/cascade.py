"""Does the cascade's promise hold? A threshold is chosen on rows drawn from a real population, many times, and compared
with the truth.

    python -m benchmarks.cascade [--draws 2000] [--seed 0] [--data bbc …]

A Model2Vec student learns from part of a data set; what is left is the whole population, on which the true agreement
above each threshold is known. `n` rows are drawn from it with replacement (so that each draw is an independent sample
of that population), a threshold is chosen on them, and the promise is broken if the true agreement above it is below
the target. Gold labels stand in for the teacher. By label, one label below the target breaks the promise. Of answers
that are no labels, each is right or wrong as a whole: names in sentences of ATT&CK, where gold is the teacher; invoices
of layouts that the student has not learned, by a language model's answers; ratings of tweets within 0.1 of the mean of
twenty people. All are sets that constants were chosen on; invoices lie beside the project (`SIEVES_DISTILL_DATA`), and
are left out where they are not there. Writes cascade.json and cascade.md.
"""
from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.stats import binom
from tqdm.auto import tqdm

from benchmarks import RESULTS, data, entities, records, running, scores, training
from benchmarks.data import BESIDE
from sieves_distill import Doc, SentimentAnalysis
from sieves_distill.decide.alone import Opinion
from sieves_distill.decide.threshold_search import START_SHARES, search_threshold
from sieves_distill.evaluate.quality import right_answers
from sieves_distill.export.rows import Rows

FILE = RESULTS / "cascade.json"
CASES = [  # data, training rows, words of a text, by, targets, sizes
    ("bbc", 300, 60, "document", (.95, .97, .98), (200, 400, 1000)),
    ("tweets", 800, None, "document", (.7, .8, .9), (200, 400, 1000)),
    ("movies", 2000, None, "document", (.75, .8, .9), (200, 400, 1000)),
    ("attack", 345, None, "document", (.6, .7, .8), (200, 400)),
    ("attack", 345, None, "label", (.85, .9, .95), (200, 400)),
    ("names", 500, None, "document", (.85, .9, .95), (200, 400)),
    ("invoices", 300, None, "document", (.85, .9, .95), (200, 400)),
    ("ratings", 1000, None, "document", (.65, .7, .75), (200, 400)),
]
CONFIDENCE = .95


@dataclass(frozen=True, eq=False)
class Population:
    "How sure the student is of its decisions, and whether they are right, both `(n, n_units)`"
    sure: np.ndarray
    right: np.ndarray


@cache
def population(name: str, n_train: int, words: int | None, by: str, seed: int) -> Population:
    "A student's decisions on the rows that it has not learned from: on each label, or on the document as a whole"
    if name in OTHERS: return OTHERS[name](n_train, seed)
    texts, y, names = data.LOADERS[name]()
    texts = data.first_words(texts, words)
    train, rest = np.split(np.random.default_rng(seed).permutation(len(texts)), [n_train])
    student = training.train("model2vec", [texts[i] for i in train], y[train], names, seed).student
    proba = student.predict_proba([texts[i] for i in rest])
    right = student.kind.one_hot(student.kind.decide(proba)) == student.kind.one_hot(y[rest])
    if by == "label": return Population(np.maximum(proba, 1 - proba), right)
    return Population(student.kind.sureness(proba)[:, None], right.all(1, keepdims=True))


def answers(task, framework: str, base, learn: list[Doc], others: list[Doc]) -> Population:
    "The answers, as a whole, of a student that learns from some documents to others"
    with tempfile.TemporaryDirectory() as folder:
        student = task.distill(base, framework, learn, Path(folder) / "student", .1, seed=0, progress=False)
        rows = Rows.read(task.to_hf_dataset(others), task)
        opinion = Opinion.ask(student, rows.texts)
        right = right_answers(rows.kind, rows.texts, rows.y, opinion.answers())
        return Population(opinion.sure[:, None], right[:, None])


def names(n_train: int, seed: int) -> Population:
    task, docs, _ = entities.attack()
    docs = random.Random(seed).sample(docs, len(docs))
    return answers(task, "crf", None, docs[:n_train], docs[n_train:])


def invoices(n_train: int, seed: int) -> Population:
    learn = random.Random(seed).sample(records.docs("train"), n_train)
    return answers(records.TASK, "crf", None, [Doc(doc.text, results=doc.results) for doc in learn],
                   records.docs("valid"))


def ratings(n_train: int, seed: int) -> Population:
    rows, _ = scores.split("tweets")
    docs = [Doc(text, results={"SentimentAnalysis": rating}) for text, rating in zip(rows.texts, rows.y[:, 0].tolist())]
    docs = random.Random(seed).sample(docs, len(docs))
    return answers(SentimentAnalysis(), "model2vec", data.static_base(), docs[:n_train], docs[n_train:])


OTHERS: dict[str, Callable] = {"names": names, "invoices": invoices, "ratings": ratings}


def draw(people: Population, by: str, target: float, n: int, rng) -> tuple[list, np.ndarray]:
    "The thresholds chosen on `n` rows, one a unit, None where nothing is proven; and who in the population is above"
    at, k = rng.integers(len(people.right), size=n), people.right.shape[1]
    level = 1 - (1 - CONFIDENCE) / k
    thresholds = [search_threshold(people.sure[at, j], people.right[at, j], target, level, START_SHARES[by]).threshold
                  for j in range(k)]
    return thresholds, people.sure >= np.array([np.inf if t is None else t for t in thresholds])


def case(name: str, n_train: int, words: int | None, by: str, target: float, n: int, draws: int, seed: int) -> dict:
    "How often the promise is broken, how often nothing is proven, and how much is kept"
    people, rng = population(name, n_train, words, by, seed), np.random.default_rng(seed)
    broken, nothing, kept = 0, 0, []
    for _ in range(draws):
        thresholds, above = draw(people, by, target, n, rng)
        broken += any(unit.any() and people.right[unit, j].mean() < target for j, unit in enumerate(above.T))
        nothing += np.mean([threshold is None for threshold in thresholds])
        kept.append([above.mean(), above.all(1).mean()])
    decisions, documents = np.mean(kept, axis=0)
    return {"data": name, "by": by, "population": len(people.right), "all": float(people.right.mean()),
            "target": target, "n": n, "draws": draws, "broken": broken / draws, "nothing_proven": nothing / draws,
            "kept_decisions": float(decisions), "kept_documents": float(documents)}


def table(cells: list[dict]) -> str:
    "A line for each case"
    lines = ["| data | guarantee | agreement without | target | rows | broken | nothing proven | kept |",
             "|---|---|--:|--:|--:|--:|--:|--:|"]
    lines += [f"| {c['data']} | {c['by']} | {c['all']:.3f} | {c['target']:g} | {c['n']} | {100 * c['broken']:.1f} % | "
              f"{100 * c['nothing_proven']:.0f} % | {100 * c['kept_documents']:.0f} % |" for c in cells]
    draws, worst = cells[0]["draws"], max(c["broken"] for c in cells)
    limit = binom.ppf(1 - .001 / len(cells), draws, 1 - CONFIDENCE) / draws
    return "\n".join(lines) + (
        f"\n\nOf {draws:,} draws each. The promise may be broken in {100 * (1 - CONFIDENCE):.0f} % of them; at most it "
        f"was in {100 * worst:.1f} %, where chance alone could make {100 * limit:.1f} % of it. *Nothing proven*: the "
        "share of draws (by label: of labels) without a threshold. *Kept*: documents that need no teacher, on average. "
        "`python -m benchmarks.cascade`.\n")


def main():
    parser = running.arguments("cascade", __doc__)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    sets = list(dict.fromkeys(name for name, *_ in CASES))
    parser.add_argument("--data", nargs="+", default=sets, choices=sets, help="others stay as they were measured")
    parser.add_argument("--results", type=Path, default=FILE)
    args = parser.parse_args()
    running.silence()
    plan = [(name, *rest, target, n) for name, *rest, targets, sizes in CASES if name in args.data
            for target in targets for n in sizes]
    if not (BESIDE / "invoices_llm.jsonl.gz").exists(): plan = [key for key in plan if key[0] != "invoices"]
    measured, new = json.loads(args.results.read_text()) if args.results.exists() else [], {key[0] for key in plan}
    cells = [cell for cell in measured if cell["data"] not in new]
    cells += [case(*key, args.draws, args.seed) for key in tqdm(plan)]
    cells.sort(key=lambda cell: sets.index(cell["data"]))
    running.write_json(args.results, cells)
    args.results.with_suffix(".md").write_text(table(cells))
    print(table(cells))


if __name__ == "__main__": main()
