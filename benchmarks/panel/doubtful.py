"""Which rows the SetFit student leaves out of fine-tuning, and how many of them are wrong.

    python -m benchmarks.panel.doubtful          (a minute)

The panel's data sets with one label a text, its first seed, 200 rows: with more, none is left out. Writes doubtful.json, and prints a table.
"""
from __future__ import annotations

import argparse
import json
import logging
import warnings

import numpy as np
from tqdm.auto import tqdm

from benchmarks import RESULTS, data
from benchmarks.panel import rows
from benchmarks.panel.methods import Rows
from benchmarks.panel.report import markdown
from sieves_distill import train as recipe
from sieves_distill.heads.embed import embed

OUT = RESULTS / "panel" / "doubtful.json"


def cells(name: str, size: int):
    "Clean labels, then noisy ones: how many rows there are, how many of their labels are wrong, how many rows are left out, and how many of these are wrong"
    from sentence_transformers import SentenceTransformer
    with recipe.quiet(): body = SentenceTransformer(data.minilm(), device="cpu")
    X = None
    for noise in (0., .2):
        train, y, *_ = rows.cell(name, size, 0, noise)
        r = Rows(name, 0, train, y, train[:0], y[:0])
        X = embed(body, r.texts()) if X is None else X
        _, _, out = recipe._beside(X, recipe._counts_of(r.texts(), body.tokenizer)[0], y, len(r.names), 0)
        wrong = y != rows.pool(name)[1][train]
        yield {"set": name, "size": size, "noise": noise, "rows": len(y), "wrong": int(wrong.sum()), "left_out": int(out.sum()), "left_out_wrong": int((out & wrong).sum())}


def table(found: list[dict]) -> str:
    "Left out of right labels and of labels a fifth of which is wrong, and how many of the latter are wrong"
    lines = []
    for one, noisy in zip(found[::2], found[1::2]): lines.append([one["set"], f"{one['rows']:,}", one["left_out"], noisy["left_out"], noisy["left_out_wrong"], noisy["wrong"]])
    total = np.array([line[2:] for line in lines]).sum(0).tolist()
    return markdown(["data", "rows", "left out, labels right", "left out, a fifth wrong", "of these wrong", "wrong in all"], [*lines, ["**all**", f"{sum(c['rows'] for c in found[::2]):,}", *total]]) + "\n"


def main():
    argparse.ArgumentParser(prog="python -m benchmarks.panel.doubtful", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    todo = [(name, 200) for name in rows.SETS if rows.pool(name)[1].ndim == 1]
    found = [cell for one in tqdm(todo) for cell in cells(*one)]
    OUT.write_text(json.dumps(found, indent=1) + "\n")
    print(table(found))


if __name__ == "__main__": main()
