"""Which rows the SetFit student leaves out of fine-tuning, and how many of them are wrong.

    python -m benchmarks.panel.doubtful          (a minute)

The panel's data sets with one label a text, its first seed, 200 rows: with more, none is left out. The student isn't
told what its labels are called, as those of the ablation aren't. Writes doubtful.json, and prints a table.
"""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from benchmarks import running, training
from benchmarks.panel import FOLDER, rows
from benchmarks.panel.methods import no_names
from benchmarks.panel.report import markdown
from sieves_distill.train.recipe import Recipe

FILE = FOLDER / "doubtful.json"
SIZE = 200


def left_out(cell: rows.Cell) -> np.ndarray:
    "Which rows the student of a cell leaves out, booleans `(n,)`; nothing is fine-tuned"
    asked = []
    def remember(*args):
        asked.append(Recipe().doubtful(*args))
        return asked[-1]
    recipe = replace(Recipe(), names_fit=no_names, doubtful=remember)
    training.train("setfit", cell.texts, cell.y, cell.names, recipe=recipe, num_epochs=0)
    (doubtful,) = asked
    return doubtful


def run(name: str, size: int, noise: float) -> dict:
    "How many rows there are, how many have a wrong label, how many are left out, and how many of these are wrong"
    cell = rows.cell(name, size, 0, noise)
    doubtful, wrong = left_out(cell), cell.y != cell.gold
    return {"set": name, "size": size, "noise": noise, "rows": len(wrong), "wrong": int(wrong.sum()),
            "left_out": int(doubtful.sum()), "left_out_wrong": int((doubtful & wrong).sum())}


def table(cells: list[dict]) -> str:
    "Left out of right labels and of labels a fifth of which is wrong, and how many of the latter are wrong"
    noisy_counts = "left_out", "left_out_wrong", "wrong"
    lines = [[clean["set"], clean["rows"], clean["left_out"], *(noisy[count] for count in noisy_counts)]
             for clean, noisy in zip(cells[::2], cells[1::2])]
    n, *totals = np.array([line[1:] for line in lines]).sum(0).tolist()
    heads = ["data", "rows", "left out, labels right", "left out, a fifth wrong", "of these wrong", "wrong in all"]
    shown = [[name, f"{n:,}", *counts] for name, n, *counts in [*lines, ["**all**", n, *totals]]]
    return markdown(heads, shown) + "\n"


def main():
    parser = running.arguments("panel.doubtful", __doc__)
    sets = [name for name in rows.SETS if name not in ("attack", "platforms")]
    parser.add_argument("--sets", nargs="+", default=sets, choices=sets)
    parser.add_argument("--results", type=Path, default=FILE)
    args = parser.parse_args()
    running.silence()
    cells = [run(name, SIZE, noise) for name in tqdm(args.sets) for noise in (0., .2)]
    running.write_json(args.results, cells)
    print(table(cells))


if __name__ == "__main__": main()
