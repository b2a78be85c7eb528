"""Do learning curves keep their promise? Each sees part of a data set, promises the gain of as many documents again, and is compared with a student trained on them.

    python -m benchmarks.curve [--seeds 10 11 12] [--data bbc tweets movies attack bbc-200]

The real gain is the difference between a student trained on twice as many documents (the mean of up to three draws of new ones) and one trained on those the curve saw, on up to 2,500 further
documents. Gold labels stand in for the teacher. Cells that are in curve.json are not run again. Writes curve.json and curve.md; the rules of the fit were chosen on seeds 0 to 3.
"""
from __future__ import annotations

import argparse
import json
import os
import time
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
from datasets import ClassLabel, Dataset, Features, List, Value

from benchmarks import RESULTS, data
from sieves_distill import Classification
from sieves_distill.decide.curve import _METRICS, _value, learning_curve
from sieves_distill.evaluate.figures import as_hot, bootstrap_figures
from sieves_distill.students.model2vec import Model2VecStudent
from sieves_distill.basics.quiet import quiet
from sieves_distill.heads.tokens import load_static_model
from sieves_distill.train.model2vec import fit_token_table

CASES = {"bbc": (500, 60), "bbc-200": (200, 60), "tweets": (500, None), "movies": (500, None), "attack": (230, None)}  # documents the curve sees, words of a text


def cell(name: str, seed: int) -> dict:
    n, words = CASES[name]
    texts, y, names = data.LOADERS[name.split("-")[0]]()
    if words: texts = [" ".join(text.split()[:words]) for text in texts]
    multi, task = y.ndim == 2, Classification(names, multi_label=y.ndim == 2)
    seen, rest = np.split(np.random.default_rng(seed).permutation(len(texts)), [n])
    new = min(3, max(1, (len(rest) - 1000) // n))
    draws, test = [rest[i * n:(i + 1) * n] for i in range(new)], rest[new * n:][:2500]
    features = Features({"text": Value("string"), "labels": List(Value("bool")) if multi else ClassLabel(names=names)})
    rows = Dataset.from_dict({"text": [texts[i] for i in seen], "labels": y[seen].tolist()}, features)
    start = time.process_time()
    curve = learning_curve(rows, task, data.static_base(), seed=seed, progress=False)
    seconds = time.process_time() - start
    with quiet(): model = load_static_model(data.static_base())

    def says(rows):
        with quiet(): pipeline, *_ = fit_token_table(model, [texts[i] for i in rows], y[rows], task, seed)
        proba = Model2VecStudent(pipeline, names, multi).predict_proba([texts[i] for i in test])
        return proba > .5 if multi else as_hot(proba.argmax(1), len(names))

    k = len(names)
    found = bootstrap_figures(as_hot(y[test], k), {"now": says(seen), **{i: says(np.concatenate([seen, more])) for i, more in enumerate(draws)}}, 1, 0)
    out = {"data": name, "seed": seed, "n": n, "test": len(test), "cpu_seconds": seconds}
    for metric in _METRICS:
        fits = np.array(curve.fits[metric])
        power = np.diff(_value(fits[~np.isnan(fits[:, 2])], np.array([n, 2 * n]) / curve.sizes[-1]), axis=1)[:, 0]
        out[metric] = {"promised": curve.gain(metric=metric), "power": [float(x) for x in np.percentile(power, [2.5, 97.5])],
                       "real": float(np.mean([found[i][metric][0] for i in range(new)]) - found["now"][metric][0])}
    return out


def summary(cells: list[dict]) -> dict:
    "Of each kind of data, and of all: how often the real gain lies in the interval, and how far the promise is off"
    groups = {name: [c[m] for c in cells if c["data"] == name for m in _METRICS] for name in CASES if any(c["data"] == name for c in cells)}
    groups["all"] = [one for group in groups.values() for one in group]
    return {name: {"n": len(g), "covered": float(np.mean([o["promised"]["low"] <= o["real"] <= o["promised"]["high"] for o in g])),
                   "covered_power": float(np.mean([o["power"][0] <= o["real"] <= o["power"][1] for o in g])),
                   "promised": float(np.mean([o["promised"]["value"] for o in g])), "real": float(np.mean([o["real"] for o in g])),
                   "error": float(np.mean([abs(o["promised"]["value"] - o["real"]) for o in g])),
                   "width": float(np.mean([o["promised"]["high"] - o["promised"]["low"] for o in g]))} for name, g in groups.items()}


def table(found: dict) -> str:
    lines = ["| data | documents seen | promises | real gain of as many again | promised | mean error | width of the interval | interval holds the real gain | with the power law alone |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for name, f in found.items():
        lines.append(f"| {name} | {CASES[name][0] if name in CASES else ''} | {f['n']} | {f['real']:+.3f} | {f['promised']:+.3f} | {f['error']:.3f} | {f['width']:.3f} | {100 * f['covered']:.0f} % | {100 * f['covered_power']:.0f} % |")
    return "\n".join(lines) + "\n\nMacro-F1 and accuracy, over the seeds; 95 % intervals. The real gain is measured on single students, whose own luck is in it. `python -m benchmarks.curve`.\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[10, 11, 12])
    parser.add_argument("--data", nargs="+", default=list(CASES), choices=list(CASES))
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    path = RESULTS / "curve.json"
    cells = json.loads(path.read_text())["cells"] if path.exists() else []
    for seed in args.seeds:
        for name in args.data:
            if any((c["data"], c["seed"]) == (name, seed) for c in cells): continue
            cells.append(cell(name, seed))
            print(json.dumps(cells[-1]), flush=True)
            path.write_text(json.dumps({"summary": summary(cells), "cells": cells}, indent=1) + "\n")
    path.write_text(json.dumps({"summary": summary(cells), "cells": cells}, indent=1) + "\n")
    (RESULTS / "curve.md").write_text(table(summary(cells)))
    print(table(summary(cells)))


if __name__ == "__main__": main()
