"""One label has few rows, the others many: how often the Model2Vec student finds it, with and without offsets, beside balanced logistic regressions on the same rows.

    python -m benchmarks.panel.rare          (two minutes)

BBC, tweets and newsgroups: 60 rows a label (newsgroups 20) and 4 of one (newsgroups 3), another label in each of five runs; 60 test rows of each label, or what is left. Writes rare.json, and prints the table.
"""
from __future__ import annotations

import argparse
import json
import logging
import warnings
from pathlib import Path
from unittest.mock import patch

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from tqdm.auto import tqdm

from benchmarks import data
from benchmarks.panel import rows
from benchmarks.panel.__main__ import macro_f1
from benchmarks.panel.report import markdown
from sieves_distill import Classification
from sieves_distill import train as recipe

OUT = Path(__file__).with_suffix(".json")
CASES, RUNS, MOST_TEST = (("bbc", 60, 4), ("tweets", 60, 4), ("newsgroups", 20, 3)), range(5), 60


def cell(name: str, many: int, few: int, run: int):
    "Positions of the training and test rows, and the rare label"
    y = rows.pool(name)[1]
    order, rare = np.random.default_rng(run).permutation(len(y)), run % len(rows.pool(name)[2])
    of = [order[y[order] == j] for j in range(len(rows.pool(name)[2]))]
    return np.concatenate([at[:few if j == rare else many] for j, at in enumerate(of)]), np.concatenate([at[many:many + MOST_TEST] for at in of]), rare


def answers(name: str, train, test) -> dict:
    "What each method says of the test rows"
    texts, y, names = rows.pool(name)
    learn, X = [texts[i] for i in train], rows.encoded(name, "static")
    balanced = lambda: LogisticRegression(class_weight="balanced", max_iter=1000)
    task, base = Classification(names, multi_label=False), recipe._static_model(data.static_base())
    def student():
        model, *_ = recipe._token_table(base, learn, y[train], task, seed=0)
        return model.predict_proba([texts[i] for i in test]).argmax(1)
    out = {"Model2Vec student": student()}
    with patch.object(recipe, "_offsets", lambda y, logits, trust: np.zeros(logits.shape[2])): out["without offsets"] = student()
    return out | {"LR on static base": balanced().fit(X[train], y[train]).predict(X[test]),
                  "TF-IDF + LR": make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), balanced()).fit(learn, y[train]).predict([texts[i] for i in test])}


def table(cells: list[dict]) -> str:
    "Recall of the rare label, and macro-F1 over all, each the mean over the runs"
    methods = list(cells[0]["recall"])
    lines = []
    for name, many, few in CASES:
        of = [c for c in cells if c["set"] == name]
        for measure in ("recall", "macro-F1"): lines.append([name, f"{few}, others {many}", measure, *(f"{np.mean([c[measure][m] for c in of]):.2f}" for m in methods)])
    return markdown(["data", "rows of the rare label", "", *methods], lines) + "\n"


def main():
    argparse.ArgumentParser(prog="python -m benchmarks.panel.rare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    cells = []
    for name, many, few in tqdm(CASES):
        for run in RUNS:
            train, test, rare = cell(name, many, few, run)
            truth = rows.pool(name)[1][test]
            said = answers(name, train, test)
            cells.append({"set": name, "run": run, "recall": {m: float(recall_score(truth == rare, a == rare)) for m, a in said.items()}, "macro-F1": {m: macro_f1(truth, a) for m, a in said.items()}})
    OUT.write_text(json.dumps(cells, indent=1) + "\n")
    print(table(cells))


if __name__ == "__main__": main()
