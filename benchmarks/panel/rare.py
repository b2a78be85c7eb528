"""One label has few rows, the others many: how often the Model2Vec student finds it, with and without offsets, beside
balanced logistic regressions on the same rows.

    python -m benchmarks.panel.rare          (two minutes)

BBC, tweets and newsgroups: 60 rows a label (newsgroups 20) and 4 of one (newsgroups 3), another label in each of five
runs; 60 test rows of each label, or what is left. Writes rare.json, and prints the table.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.metrics import recall_score
from tqdm.auto import tqdm

from benchmarks import running, training
from benchmarks.panel import FOLDER, methods, rows
from benchmarks.panel.ablation import MODEL2VEC
from benchmarks.panel.report import NAMES, markdown

FILE = FOLDER / "rare.json"
CASES = {"bbc": (60, 4), "tweets": (60, 4), "newsgroups": (20, 3)}  # rows of the frequent labels, and of the rare one
RUNS, MOST_TEST = range(5), 60
STUDENTS = {"Model2Vec student": "nothing", "without offsets": "offsets"}  # and what is left out
PEERS = ("static_lr", "tfidf_lr")


def draw(name: str, run: int) -> tuple[rows.Cell, int]:
    "The rows of a run, and the rare label"
    many, few = CASES[name]
    _, y, names = rows.pool(name)
    order, rare = np.random.default_rng(run).permutation(len(y)), run % len(names)
    groups = [order[y[order] == j] for j in range(len(names))]
    learn = np.concatenate([group[:few if j == rare else many] for j, group in enumerate(groups)])
    test = np.concatenate([group[many:many + MOST_TEST] for group in groups])
    return rows.Cell(name, 0, learn, y[learn], test, y[test]), rare


def predictions(cell: rows.Cell) -> dict:
    "What each method says of the test rows"
    out = {}
    for method, part in STUDENTS.items():
        student = training.train("model2vec", cell.texts, cell.y, cell.names, recipe=MODEL2VEC[part].left_out()).student
        out[method] = training.answers(student, cell.test_texts)
    for peer in PEERS: out[NAMES[peer]] = methods.METHODS[peer](cell)[0](cell.test_texts)
    return out


def run_case(name: str, run: int) -> dict:
    cell, rare = draw(name, run)
    predicted = predictions(cell)
    recall = {method: float(recall_score(cell.truth == rare, labels == rare)) for method, labels in predicted.items()}
    f1 = {method: training.macro_f1(cell.truth, labels) for method, labels in predicted.items()}
    return {"set": name, "run": run, "recall": recall, "macro-F1": f1}


def table(cells: list[dict]) -> str:
    "Recall of the rare label, and macro-F1 over all, each the mean over the runs"
    columns = list(cells[0]["recall"])
    lines = []
    for name in dict.fromkeys(cell["set"] for cell in cells):
        runs, (many, few) = [cell for cell in cells if cell["set"] == name], CASES[name]
        for measure in ("recall", "macro-F1"):
            means = [f"{np.mean([run[measure][method] for run in runs]):.2f}" for method in columns]
            lines.append([name, f"{few}, others {many}", measure, *means])
    return markdown(["data", "rows of the rare label", "", *columns], lines) + "\n"


def main():
    parser = running.arguments("panel.rare", __doc__)
    parser.add_argument("--sets", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--runs", nargs="+", type=int, default=RUNS)
    parser.add_argument("--results", type=Path, default=FILE)
    args = parser.parse_args()
    running.silence()
    cells = [run_case(name, run) for name in tqdm(args.sets) for run in args.runs]
    running.write_json(args.results, cells)
    print(table(cells))


if __name__ == "__main__": main()
