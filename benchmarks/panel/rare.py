"""One label has few rows, the others many: how often the Model2Vec student finds it, with and without offsets, beside balanced logistic regressions on the same rows.

    python -m benchmarks.panel.rare          (two minutes)

BBC, tweets and newsgroups: 60 rows a label (newsgroups 20) and 4 of one (newsgroups 3), another label in each of five runs; 60 test rows of each label, or what is left. Writes rare.json, and prints the table.
"""
from __future__ import annotations

import argparse
import json
import logging
import warnings

import numpy as np
from sklearn.metrics import recall_score
from tqdm.auto import tqdm

from benchmarks import RESULTS
from benchmarks.panel import methods, rows
from benchmarks.panel.__main__ import Texts, macro_f1
from benchmarks.panel.ablation import MODEL2VEC, answers
from benchmarks.panel.report import NAMES, markdown

OUT = RESULTS / "panel" / "rare.json"
CASES, RUNS, MOST_TEST = (("bbc", 60, 4), ("tweets", 60, 4), ("newsgroups", 20, 3)), range(5), 60


def cell(name: str, many: int, few: int, run: int):
    "Positions of the training and test rows, and the rare label"
    y = rows.pool(name)[1]
    order, rare = np.random.default_rng(run).permutation(len(y)), run % len(rows.pool(name)[2])
    of = [order[y[order] == j] for j in range(len(rows.pool(name)[2]))]
    return np.concatenate([at[:few if j == rare else many] for j, at in enumerate(of)]), np.concatenate([at[many:many + MOST_TEST] for at in of]), rare


def said(name: str, train, test) -> dict:
    "What each method says of the test rows"
    r, texts = methods.Rows(name, 0, train, rows.pool(name)[1][train], train[:0], train[:0]), Texts(name, test)
    students = {"Model2Vec student": "nothing", "without offsets": "offsets"}  # and what is left out
    return {method: answers(r, texts, "model2vec", 0, MODEL2VEC[part][0], {}) for method, part in students.items()} | {
        NAMES[peer]: methods.METHODS[peer](r)[0](texts) for peer in ("static_lr", "tfidf_lr")}


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
            found = said(name, train, test)
            cells.append({"set": name, "run": run, "recall": {m: float(recall_score(truth == rare, a == rare)) for m, a in found.items()}, "macro-F1": {m: macro_f1(truth, a) for m, a in found.items()}})
    OUT.write_text(json.dumps(cells, indent=1) + "\n")
    print(table(cells))


if __name__ == "__main__": main()
