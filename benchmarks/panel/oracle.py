"""What wrong labels would cost the Model2Vec student if it knew which they are: it learns from the rows whose labels
are right, and from no other.

    python -m benchmarks.panel.oracle          (two minutes)

The panel's cells and seeds with 20 % of the rows wrong. Writes oracle.json, and prints what the student and TF-IDF lose
beside it.
"""
from __future__ import annotations

from itertools import product
from pathlib import Path

from tqdm.auto import tqdm

from benchmarks import running, training
from benchmarks.panel import CELLS, FOLDER, report, rows

FILE = FOLDER / "oracle.json"
METHODS = ["model2vec_student", "tfidf_lr"]


def run(name: str, size: int, seed: int) -> dict:
    "The student of a cell that learns from the right rows alone"
    cell = rows.cell(name, size, seed, .2)
    right = (cell.y == cell.gold).reshape(len(cell.y), -1).all(1)
    texts = rows.Texts(name, cell.at[right])
    student = training.train("model2vec", texts, cell.y[right], cell.names, seed).student
    f1 = training.macro_f1(cell.truth, training.answers(student, cell.test_texts))
    return {"set": name, "size": size, "seed": seed, "f1": f1}


def table(cells: list[dict], frame) -> str:
    """What a fifth of wrong labels costs the student, the student that knows them, and TF-IDF, in macro-F1 on the cells
    and seeds that all have; by rows"""
    import pandas as pd
    part = frame[frame.method.isin(METHODS)]
    wide = part.pivot_table(values="f1", index=report.RUN, columns=["method", "noise"])
    loss = pd.DataFrame({report.NAMES[method]: wide[method, 0.] - wide[method, .2] for method in METHODS})
    oracle = wide["model2vec_student", 0.] - pd.DataFrame(cells).set_index(report.RUN).f1
    loss.insert(1, "that knows which are wrong", oracle)
    loss = loss.dropna()
    def line(rows, values, runs): return [rows, *(f"{value:.3f}" for value in values), len(runs)]
    lines = [line(n, runs.mean(), runs) for n, runs in loss.groupby("size")]
    return report.markdown(["rows", *loss.columns, "runs"], [*lines, line("**all**", loss.mean(), loss)]) + "\n"


def main():
    parser = running.arguments("panel.oracle", __doc__)
    parser.add_argument("--sets", nargs="+", default=rows.SETS, choices=rows.SETS)
    parser.add_argument("--sizes", nargs="+", type=int, default=rows.SIZES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--results", type=Path, default=FILE)
    args = parser.parse_args()
    running.silence()
    runs = [(name, size, seed) for seed, size, name in product(args.seeds, args.sizes, args.sets)
            if rows.has_size(name, size)]
    cells = [run(*cell) for cell in tqdm(runs)]
    running.write_json(args.results, cells)
    print(table(cells, report.load(CELLS)))


if __name__ == "__main__": main()
