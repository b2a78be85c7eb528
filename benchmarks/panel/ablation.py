"""The Model2Vec student with one part of its recipe left out at a time, on the panel's rows.

    python -m benchmarks.panel.ablation [--sizes 50 200 500] [--seeds 0] [--noise 0 0.2]

Each line of ablation.jsonl is one run; those that are there are not run again. The table is printed, and written to ablation.md.
"""
from __future__ import annotations

import argparse
import json
import logging
import warnings
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks import data
from benchmarks.panel import rows
from benchmarks.panel.__main__ import macro_f1
from benchmarks.panel.methods import Rows
from benchmarks.panel.report import markdown
from sieves_distill import Classification
from sieves_distill import train as recipe

RESULTS = Path(__file__).with_name("ablation.jsonl")


def log_loss(y, logits) -> float:
    "What ranks candidates in place of the ranking: the log loss, each label weighing the same"
    from scipy.special import log_softmax
    if y.ndim == 1:
        log_proba = log_softmax(logits, axis=1)
        return -np.mean([-log_proba[y == j, j].mean() for j in np.unique(y)])
    loss = np.logaddexp(0, np.where(y, -logits, logits))
    return -np.mean([loss[y[:, j] == side, j].mean() for j in np.flatnonzero(y.any(0) & ~y.all(0)) for side in (True, False)])


def weights(means: bool, bursts: bool, of=recipe._token_weights):
    "The weights of tokens without the rarity in the means, or the damping of bursts"
    def without(shares):
        in_means, in_counts = of(shares)
        idf = in_means ** 2
        return in_means if means else np.ones_like(in_means), in_counts if bursts else idf * (in_counts > 0)
    return without


PARTS = {  # what is left out: (what stands in its place, whether it makes a difference to a cell of this size and kind)
    "nothing": ({"_DOUBT": recipe._DOUBT}, lambda size, multi: True),
    "counts of tokens": ({"_counts": lambda n: (0,)}, lambda size, multi: True),
    "choice of the counts' weight (1 for all)": ({"_counts": lambda n: (1,)}, lambda size, multi: True),
    "choice by ranking (by log loss instead)": ({"_ranking": log_loss}, lambda size, multi: True),
    "three rounds of folds (one instead)": ({"_rounds": lambda n: 1}, lambda size, multi: size <= 300),
    "doubt of labels": ({"_DOUBT": 0}, lambda size, multi: True),
    "absence of an intercept": ({"_strength": lambda y, of=recipe._strength: {**of(y), "fit_intercept": True}}, lambda size, multi: True),
    "strong regularisation (C = 10 for all)": ({"_strength": lambda y, of=recipe._strength: {**of(y), "C": 10}}, lambda size, multi: True),
    "weakening of it with the rows (C = 1 for all)": ({"_strength": lambda y, of=recipe._strength: {**of(y), "C": 1}}, lambda size, multi: size > 100),
    "damping of bursts": ({"_token_weights": weights(means=True, bursts=False)}, lambda size, multi: True),
    "rarity in the means": ({"_token_weights": weights(means=False, bursts=True)}, lambda size, multi: True),
    "thresholds": ({"_thresholds": lambda y, logits: np.zeros(y.shape[1])}, lambda size, multi: multi),
    "halving of the thresholds' way": ({"_thresholds": lambda y, logits, of=recipe._thresholds: 2 * of(y, logits)}, lambda size, multi: multi),
}


def run(name: str, size: int, seed: int, noise: float, part: str) -> float:
    train, y, _, _, test, truth = rows.cell(name, size, seed, noise)
    r = Rows(name, seed, train, y, train[:0], y[:0])
    task = Classification(r.names, multi_label=r.multi, task_id=name)
    with patch.multiple(recipe, **PARTS[part][0]): pipeline, *_ = recipe._token_table(recipe._static_model(data.static_base()), r.texts(), y, task, seed)
    proba = pipeline.predict_proba(r.texts(test))
    return macro_f1(truth, proba > .5 if r.multi else proba.argmax(1))


def table(cells: list[dict]) -> str:
    "For each part, the mean F1 with and without it, over the cells that it makes a difference to; clean and noisy apart"
    f1 = {(c["set"], c["size"], c["seed"], c["noise"], c["without"]): c["f1"] for c in cells}
    lines = []
    for part in list(PARTS)[1:]:
        line = [part]
        for noise in (0., .2):
            keys = [k[:4] for k in f1 if k[4] == part and k[3] == noise and (*k[:4], "nothing") in f1]
            diff = np.array([f1[(*k, part)] - f1[(*k, "nothing")] for k in keys])
            line += [f"{diff.mean():+.4f} ±{diff.std(ddof=1) / len(diff) ** .5:.4f}", f"{(diff > 0).sum()} : {(diff < 0).sum()}"] if len(diff) > 1 else ["", ""]
        lines.append([*line, len(keys)])
    full = {n: np.mean([v for k, v in f1.items() if k[4] == "nothing" and k[3] == n] or [np.nan]) for n in (0., .2)}
    return (f"Macro-F1 of the Model2Vec student as it is: {full[0.]:.4f} with clean labels, {full[.2]:.4f} with 20 % wrong. What leaving out a part does to it (± standard error over the runs), "
            "and in how many runs it is better : worse without.\n\n" + markdown(["left out", "clean", "better : worse", "20 % wrong", "better : worse", "runs of each"], lines) + "\n")


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.panel.ablation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=rows.SETS, choices=rows.SETS)
    parser.add_argument("--sizes", nargs="+", type=int, default=[50, 200, 500])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--noise", nargs="+", type=float, default=[0., .2])
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    cells = [json.loads(line) for line in args.results.read_text().splitlines()] if args.results.exists() else []
    known = {(c["set"], c["size"], c["seed"], c["noise"], c["without"]) for c in cells}
    for seed in args.seeds:
        for noise in args.noise:
            for size in args.sizes:
                for name in args.sets:
                    if not rows.has_size(name, size): continue
                    for part, (_, matters) in PARTS.items():
                        key = name, size, seed, noise, part
                        if key in known or not matters(size, rows.pool(name)[1].ndim == 2): continue
                        cells.append({"set": name, "size": size, "seed": seed, "noise": noise, "without": part, "f1": run(*key)})
                        with args.results.open("a") as file: file.write(json.dumps(cells[-1]) + "\n")
    args.results.with_suffix(".md").write_text(table(cells))
    print(table(cells))


if __name__ == "__main__": main()
