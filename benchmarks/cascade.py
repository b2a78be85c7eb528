"""Does the cascade's promise hold? A threshold is chosen on rows drawn from a real population, many times, and compared with the truth.

    python -m benchmarks.cascade [--draws 2000] [--seed 0]

A Model2Vec student learns from part of a data set; what is left is the whole population, on which the true agreement above each threshold is known. `n` rows are drawn from it with
replacement (so that each draw is an independent sample of that population), a threshold is chosen on them, and the promise is broken if the true agreement above it is below the target.
Gold labels stand in for the teacher. By label, one label below the target breaks the promise. Writes cascade.json and cascade.md.
"""
from __future__ import annotations

import argparse
import json
import os
import warnings
from functools import cache

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
from scipy.stats import binom
from tqdm.auto import tqdm

from benchmarks import RESULTS, data
from sieves_distill import Classification
from sieves_distill.decide.threshold import _SHARES, _search, _sure, _sure_labels
from sieves_distill.students.model2vec import Model2VecStudent
from sieves_distill.basics.quiet import quiet
from sieves_distill.heads.tokens import load_static_model
from sieves_distill.train.model2vec import fit_token_table

CASES = [  # data, training rows, words of a text, by, targets, sizes
    ("bbc", 300, 60, "document", (.95, .97, .98), (200, 400, 1000)),
    ("tweets", 800, None, "document", (.7, .8, .9), (200, 400, 1000)),
    ("movies", 2000, None, "document", (.75, .8, .9), (200, 400, 1000)),
    ("attack", 345, None, "document", (.6, .7, .8), (200, 400)),
    ("attack", 345, None, "label", (.85, .9, .95), (200, 400)),
]
CONFIDENCE = .95


@cache
def population(name: str, n_train: int, words: int | None, seed: int):
    "How sure the student is, and whether it is right, `(n, n_labels)`: of each label, or of the document alone"
    texts, y, names = data.LOADERS[name]()
    if words: texts = [" ".join(text.split()[:words]) for text in texts]
    train, rest = np.split(np.random.default_rng(seed).permutation(len(texts)), [n_train])
    with quiet(): base = load_static_model(data.static_base())
    multi = y.ndim == 2
    pipeline, *_ = fit_token_table(base, [texts[i] for i in train], y[train], Classification(names, multi_label=multi), seed)
    proba = Model2VecStudent(pipeline, names, multi).predict_proba([texts[i] for i in rest])
    right = (proba > .5) == y[rest] if multi else (proba.argmax(1) == y[rest])[:, None]
    return proba, right, multi


def case(name, n_train, words, by, target, n, draws, seed) -> dict:
    proba, right, multi = population(name, n_train, words, seed)
    sure = _sure_labels(proba) if by == "label" else _sure(proba, multi)[:, None]
    if by == "document": right = right.all(1, keepdims=True)
    k, level = right.shape[1], 1 - (1 - CONFIDENCE) / right.shape[1]
    rng, broken, nothing, kept = np.random.default_rng(seed), 0, 0, []
    for _ in range(draws):
        rows = rng.integers(len(right), size=n)
        found = [_search(sure[rows, j], right[rows, j], target, level, _SHARES[by])[0] for j in range(k)]
        chosen = [np.zeros(len(right), bool) if t is None else sure[:, j] >= t for j, t in enumerate(found)]
        broken += any(c.any() and right[c, j].mean() < target for j, c in enumerate(chosen))
        nothing += np.mean([t is None for t in found])
        kept.append([np.mean([c.mean() for c in chosen]), np.all(chosen, axis=0).mean()])
    decisions, documents = np.mean(kept, axis=0)
    return {"data": name, "by": by, "population": len(right), "all": float(right.mean()), "target": target, "n": n, "draws": draws, "broken": broken / draws,
            "nothing_proven": nothing / draws, "kept_decisions": float(decisions), "kept_documents": float(documents)}


def table(cells: list[dict]) -> str:
    "A line for each case"
    lines = ["| data | guarantee | agreement without | target | rows | broken | nothing proven | kept |", "|---|---|--:|--:|--:|--:|--:|--:|"]
    lines += [f"| {c['data']} | {c['by']} | {c['all']:.3f} | {c['target']:g} | {c['n']} | {100 * c['broken']:.1f} % | {100 * c['nothing_proven']:.0f} % | {100 * c['kept_documents']:.0f} % |" for c in cells]
    draws = cells[0]["draws"]
    worst, limit = max(c["broken"] for c in cells), binom.ppf(1 - .001 / len(cells), draws, 1 - CONFIDENCE) / draws
    return "\n".join(lines) + (f"\n\nOf {draws:,} draws each. The promise may be broken in {100 * (1 - CONFIDENCE):.0f} % of them; at most it was in {100 * worst:.1f} %, where chance alone could make {100 * limit:.1f} % of it. "
                               "*Nothing proven*: the share of draws (by label: of labels) without a threshold. *Kept*: documents that need no teacher, on average. `python -m benchmarks.cascade`.\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    todo = [(name, n_train, words, by, target, n) for name, n_train, words, by, targets, sizes in CASES for target in targets for n in sizes]
    cells = [case(*one, args.draws, args.seed) for one in tqdm(todo)]
    (RESULTS / "cascade.json").write_text(json.dumps(cells, indent=1) + "\n")
    (RESULTS / "cascade.md").write_text(table(cells))
    print(table(cells))


if __name__ == "__main__": main()
