"""Do learning curves keep their promise? Each sees part of a data set, promises the gain of as many documents again,
and is compared with a student trained on them.

    python -m benchmarks.curve [--seeds 10 11 12] [--data bbc tweets movies attack bbc-200]

The real gain is the difference between a student trained on twice as many documents (the mean of up to three draws of
new ones) and one trained on those the curve saw, on up to 2,500 further documents. Gold labels stand in for the
teacher. Cells that are in curve.json are not run again. Writes curve.json and curve.md; the rules of the fit were
chosen on seeds 0 to 3.
"""
from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np

from benchmarks import RESULTS, data, running, training
from sieves_distill import learning_curve

FILE = RESULTS / "curve.json"
CASES = {  # documents the curve sees, words of a text
    "bbc": (500, 60), "bbc-200": (200, 60), "tweets": (500, None), "movies": (500, None), "attack": (230, None)}
METRICS = ("f1", "accuracy")
LEAST_TEST, MOST_TEST, MOST_DRAWS = 1000, 2500, 3


def figures(texts, y, names, train, test, seed: int) -> dict:
    "How good a student of some rows is on others"
    student = training.train("model2vec", [texts[i] for i in train], y[train], names, seed).student
    predicted = training.answers(student, [texts[i] for i in test])
    right = (predicted == y[test]).reshape(len(test), -1).all(1)
    return {"f1": training.macro_f1(y[test], predicted), "accuracy": float(right.mean())}


def power_law_gain(curve, metric: str) -> list[float]:
    "The interval of what as many documents again bring, by the fits of the power law alone"
    fits = np.array([fit for fit in curve.fits[metric] if not np.isnan(fit[2])])
    now, then = np.array([curve.n, 2 * curve.n]) / curve.sizes[-1]
    a, b, c = fits.T
    gain = np.clip(a - b * then ** -c, 0, 1) - np.clip(a - b * now ** -c, 0, 1)
    return [float(bound) for bound in np.percentile(gain, [2.5, 97.5])]


def cell(name: str, seed: int) -> dict:
    "What a curve promises, and what more documents bring"
    n, words = CASES[name]
    texts, y, names = data.LOADERS[name.split("-")[0]]()
    texts = data.first_words(texts, words)
    seen, rest = np.split(np.random.default_rng(seed).permutation(len(texts)), [n])
    n_draws = min(MOST_DRAWS, max(1, (len(rest) - LEAST_TEST) // n))
    draws, test = [rest[i * n:(i + 1) * n] for i in range(n_draws)], rest[n_draws * n:][:MOST_TEST]
    rows = data.as_dataset([texts[i] for i in seen], y[seen], names)
    start = time.process_time()
    curve = learning_curve(rows, training.task_of(y, names), data.static_base(), seed=seed, progress=False)
    seconds = time.process_time() - start
    def score(train): return figures(texts, y, names, train, test, seed)
    now, more = score(seen), [score(np.concatenate([seen, new])) for new in draws]
    real = {metric: float(np.mean([then[metric] for then in more]) - now[metric]) for metric in METRICS}
    promises = {metric: {"promised": curve.gain(metric=metric), "power": power_law_gain(curve, metric),
                         "real": real[metric]} for metric in METRICS}
    return {"data": name, "seed": seed, "n": n, "test": len(test), "cpu_seconds": seconds, **promises}


def _summary(promises: list[dict]) -> dict:
    def mean(value): return float(np.mean([value(p) for p in promises]))
    return {"n": len(promises),
            "covered": mean(lambda p: p["promised"]["low"] <= p["real"] <= p["promised"]["high"]),
            "covered_power": mean(lambda p: p["power"][0] <= p["real"] <= p["power"][1]),
            "promised": mean(lambda p: p["promised"]["value"]), "real": mean(lambda p: p["real"]),
            "error": mean(lambda p: abs(p["promised"]["value"] - p["real"])),
            "width": mean(lambda p: p["promised"]["high"] - p["promised"]["low"])}


def summary(cells: list[dict]) -> dict:
    "Of each kind of data, and of all: how often the real gain lies in the interval, and how far the promise is off"
    groups = {name: [c[metric] for c in cells if c["data"] == name for metric in METRICS] for name in CASES}
    groups = {name: promises for name, promises in groups.items() if promises}
    groups["all"] = [promise for promises in groups.values() for promise in promises]
    return {name: _summary(promises) for name, promises in groups.items()}


def table(summaries: dict) -> str:
    heads = ["data", "documents seen", "promises", "real gain of as many again", "promised", "mean error",
             "width of the interval", "interval holds the real gain", "with the power law alone"]
    lines = [f"| {' | '.join(heads)} |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for name, s in summaries.items():
        seen = CASES[name][0] if name in CASES else ""
        lines.append(f"| {name} | {seen} | {s['n']} | {s['real']:+.3f} | {s['promised']:+.3f} | {s['error']:.3f} | "
                     f"{s['width']:.3f} | {100 * s['covered']:.0f} % | {100 * s['covered_power']:.0f} % |")
    return "\n".join(lines) + (
        "\n\nMacro-F1 and accuracy, over the seeds; 95 % intervals. The real gain is measured on single students, "
        "whose own luck is in it. `python -m benchmarks.curve`.\n")


def main():
    parser = running.arguments("curve", __doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[10, 11, 12])
    parser.add_argument("--data", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--results", type=Path, default=FILE)
    args = parser.parse_args()
    running.silence()
    cells = json.loads(args.results.read_text())["cells"] if args.results.exists() else []
    known = {(c["data"], c["seed"]) for c in cells}
    for seed in args.seeds:
        for name in args.data:
            if (name, seed) in known: continue
            cells.append(cell(name, seed))
            print(json.dumps(cells[-1]), flush=True)
            running.write_json(args.results, {"summary": summary(cells), "cells": cells})
    args.results.with_suffix(".md").write_text(table(summary(cells)))
    print(table(summary(cells)))


if __name__ == "__main__": main()
