"""What wrong labels would cost the Model2Vec student if it knew which they are: it learns from the rows whose labels are right, and from no other.

    python -m benchmarks.panel.oracle          (two minutes)

The panel's cells and seeds with 20 % of the rows wrong. Writes oracle.json, and prints what the student and TF-IDF lose beside it.
"""
from __future__ import annotations

import argparse
import json
import logging
import warnings

from tqdm.auto import tqdm

from benchmarks import RESULTS
from benchmarks.panel import report, rows
from benchmarks.panel.__main__ import CELLS, macro_f1
from benchmarks.panel.ablation import answers
from benchmarks.panel.methods import Rows

OUT = RESULTS / "panel" / "oracle.json"


def run(name: str, size: int, seed: int) -> dict:
    train, y, _, _, test, truth = rows.cell(name, size, seed, .2)
    gold = rows.pool(name)[1][train]
    right = (y == gold).reshape(len(y), -1).all(1)
    r = Rows(name, seed, train[right], y[right], train[:0], y[:0])
    return {"set": name, "size": size, "seed": seed, "f1": macro_f1(truth, answers(r, r.texts(test), "model2vec", seed, {}, {}))}


def table(cells: list[dict], frame) -> str:
    "What a fifth of wrong labels costs the student, the student that knows them, and TF-IDF, in macro-F1 on the cells and seeds that all have; by rows"
    import pandas as pd
    methods = ["model2vec_student", "tfidf_lr"]
    wide = frame[frame.method.isin(methods)].pivot_table(values="f1", index=["set", "size", "seed"], columns=["method", "noise"])
    loss = pd.DataFrame({report.NAMES[m]: wide[m, 0.] - wide[m, .2] for m in methods})
    loss.insert(1, "that knows which are wrong", wide["model2vec_student", 0.] - pd.DataFrame(cells).set_index(["set", "size", "seed"]).f1)
    loss = loss.dropna()
    lines = [[n, *(f"{v:.3f}" for v in mean), len(loss.xs(n, level="size"))] for n, mean in loss.groupby("size").mean().iterrows()]
    return report.markdown(["rows", *loss.columns, "runs"], [*lines, ["**all**", *(f"{v:.3f}" for v in loss.mean()), len(loss)]]) + "\n"


def main():
    argparse.ArgumentParser(prog="python -m benchmarks.panel.oracle", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    cells = [run(name, size, seed) for seed in tqdm(range(3)) for size in rows.SIZES for name in rows.SETS if rows.has_size(name, size)]
    OUT.write_text(json.dumps(cells, indent=1) + "\n")
    print(table(cells, report.load(CELLS)))


if __name__ == "__main__": main()
