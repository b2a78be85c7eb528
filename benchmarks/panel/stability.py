"""How many texts two Model2Vec students of the same rows answer differently, whose seeds alone differ; with three rounds of folds, as it is, and with one.

    python -m benchmarks.panel.stability

Rows of the panel's first seed, 20 % of their labels wrong; students of four seeds, compared two by two on 400 texts. For several labels a text, an answer differs if any label does. Writes stability.json.
"""
from __future__ import annotations

import argparse
import json
import logging
import warnings
from itertools import combinations

import numpy as np
from tqdm.auto import tqdm

from benchmarks import RESULTS
from benchmarks.panel import rows
from benchmarks.panel.ablation import answers
from benchmarks.panel.methods import Rows
from benchmarks.panel.report import markdown

OUT = RESULTS / "panel" / "stability.json"
ROUNDS, SIZES, SEEDS, N_TEXTS = (1, 3), (50, 200), range(4), 400


def table(cells: list[dict]) -> str:
    one, three = (np.array([c[str(rounds)] for c in cells]) for rounds in ROUNDS)
    lines = [[c["set"], c["size"], f"{c['1']:.1%}", f"{c['3']:.1%}"] for c in cells]
    return markdown(["data", "rows", "one round", "three rounds"], [*lines, ["**mean**", "", f"{one.mean():.1%}", f"{three.mean():.1%}"]]) + f"\n\nFewer with three rounds in {(three < one).sum()} of {len(cells)} cells.\n"


def main():
    argparse.ArgumentParser(prog="python -m benchmarks.panel.stability", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    cells = []
    for name in tqdm(rows.SETS):
        for size in SIZES:
            train, y, _, _, test, _ = rows.cell(name, size, 0, .2)
            r = Rows(name, 0, train, y, train[:0], y[:0])
            texts, cell = r.texts(test)[:N_TEXTS], {"set": name, "size": size}
            for rounds in ROUNDS:
                found = [answers(r, texts, "model2vec", seed, {"_rounds": lambda n_rows, rounds=rounds: rounds}, {}).reshape(len(texts), -1) for seed in SEEDS]
                cell[str(rounds)] = float(np.mean([(a != b).any(1).mean() for a, b in combinations(found, 2)]))
            cells.append(cell)
    OUT.write_text(json.dumps(cells, indent=1) + "\n")
    print(table(cells))


if __name__ == "__main__": main()
