"""How many texts two Model2Vec students of the same rows answer differently, whose seeds alone differ; with three
rounds of folds, as it is, and with one.

    python -m benchmarks.panel.stability

Rows of the panel's first seed, 20 % of their labels wrong; students of four seeds, compared two by two on 400 texts.
For several labels a text, an answer differs if any label does. Writes stability.json.
"""
from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from benchmarks import running, training
from benchmarks.panel import FOLDER, rows
from benchmarks.panel.report import markdown
from sieves_distill.train.recipe import Recipe

FILE = FOLDER / "stability.json"
ROUNDS, SIZES, SEEDS, N_TEXTS = (1, 3), [50, 200], range(4), 400


def disagreement(cell: rows.Cell, rounds: int) -> float:
    "The share of texts that two students answer differently, the mean over pairs of seeds"
    recipe, texts = replace(Recipe(), fold_rounds=lambda n_rows: rounds), cell.test_texts[:N_TEXTS]
    def answers(seed):
        student = training.train("model2vec", cell.texts, cell.y, cell.names, seed, recipe=recipe).student
        return training.answers(student, texts).reshape(len(texts), -1)
    return float(np.mean([(a != b).any(1).mean() for a, b in combinations(map(answers, SEEDS), 2)]))


def run(name: str, size: int) -> dict:
    cell = rows.cell(name, size, 0, .2)
    return {"set": name, "size": size, **{str(rounds): disagreement(cell, rounds) for rounds in ROUNDS}}


def table(cells: list[dict]) -> str:
    once, thrice = (np.array([cell[str(rounds)] for cell in cells]) for rounds in ROUNDS)
    lines = [[cell["set"], cell["size"], f"{cell['1']:.1%}", f"{cell['3']:.1%}"] for cell in cells]
    mean = ["**mean**", "", f"{once.mean():.1%}", f"{thrice.mean():.1%}"]
    return (markdown(["data", "rows", "one round", "three rounds"], [*lines, mean])
            + f"\n\nFewer with three rounds in {(thrice < once).sum()} of {len(cells)} cells.\n")


def main():
    parser = running.arguments("panel.stability", __doc__)
    parser.add_argument("--sets", nargs="+", default=rows.SETS, choices=rows.SETS)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--results", type=Path, default=FILE)
    args = parser.parse_args()
    running.silence()
    cells = [run(name, size) for name in tqdm(args.sets) for size in args.sizes]
    running.write_json(args.results, cells)
    print(table(cells))


if __name__ == "__main__": main()
