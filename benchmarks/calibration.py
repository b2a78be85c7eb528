"""Are a student's probabilities calibrated, and what did the temperature change? ECE and log loss on held-out gold
labels, with it and without.

    python -m benchmarks.calibration [--seeds 0 1 2] [--sizes 200 500] [--data bbc …] [--frameworks model2vec setfit]

Gold labels stand in for the teacher; the test rows (400, or what is left) are neither trained nor calibrated on. SetFit
is run with the first seed and size, on two data sets. Each cell is an entry in calibration.json; cells that are there
are not run again. The table is printed, and written to calibration.md.
"""
from __future__ import annotations

import json
import tempfile
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks import RESULTS, data, running, training
from sieves_distill import evaluate_student, split_dataset
from sieves_distill.basics.quiet import quiet

FILE = RESULTS / "calibration.json"
SETFIT = ("tweets", "attack")
HELD_BACK = 3  # rows that a student holds out for its report
FIGURES = ("ece", "ece_by_chance", "log_loss", "mean_score", "observed")


def rows(name: str, size: int, seed: int, n_test: int = 400):
    "Train and test datasets, stratified, and the task"
    texts, y, names = data.LOADERS[name]()
    everything, n = data.as_dataset(texts, y, names), size + HELD_BACK
    n_test = min(n_test, len(texts) - n)
    with quiet():
        train, test = split_dataset(everything, n_test / len(texts), seed=seed).values()
        if len(train) != n: train = split_dataset(train, n / len(train), seed=seed)["val"]
    return train, test, training.task_of(y, names, name)


def cell(name: str, size: int, seed: int, framework: str) -> dict:
    "A student of so many rows, and how calibrated it is"
    train, test, task = rows(name, size, seed)
    with tempfile.TemporaryDirectory() as tmp:
        student = task.distill(training.base(framework), framework, train, f"{tmp}/student", HELD_BACK / len(train),
                               seed=seed, progress=False)
        metrics, run = evaluate_student(student, test, n_resamples=1000).metrics, student.metrics["run"]
    calibration = metrics["calibration"]["agreement"]
    after, before = ({figure: side[figure] for figure in FIGURES} for side in (calibration, calibration["before"]))
    return {"data": name, "size": size, "seed": seed, "framework": framework, "n_test": metrics["agreement"]["n"],
            "n_scored": calibration["n"], "temperature": student.temperature, "f1": metrics["f1"], "after": after,
            "before": before, "kept": run["recipe"]["kept"], "versions": run["versions"]}


def grouped(cells: list[dict]) -> dict:
    "The cells of each framework, data set and size"
    groups: dict = {}
    for c in cells: groups.setdefault((c["framework"], c["data"], c["size"]), []).append(c)
    return groups


def worse(cells: list[dict], figure: str) -> str:
    "Where the mean over the seeds is higher after than before"
    rises = {key: np.mean([c["after"][figure] - c["before"][figure] for c in group])
             for key, group in grouped(cells).items()}
    shown = [f"{name} {size}, {framework} (+{rise:.3f})" for (framework, name, size), rise in sorted(rises.items())
             if rise > 0]
    return "; ".join(shown) or "nowhere"


def line(framework: str, name: str, size, cells: list[dict]) -> str:
    "Means over cells, as a line of the table; of the temperature the geometric one"
    def mean(side, figure): return f"{np.mean([c[side][figure] for c in cells]):.3f}"
    temperature = np.exp(np.mean(np.log([c["temperature"] for c in cells])))
    return (f"| {framework} | {name} | {size} | {len({c['seed'] for c in cells})} | {temperature:.2f} | "
            f"{mean('before', 'ece')} | **{mean('after', 'ece')}** | {mean('after', 'ece_by_chance')} | "
            f"{mean('before', 'log_loss')} | **{mean('after', 'log_loss')}** |")


def notes(cells: list[dict]) -> list[str]:
    "What is to be read below the table, a paragraph each"
    lower = {figure: sum(c["after"][figure] < c["before"][figure] for c in cells) for figure in ("ece", "log_loss")}
    rises = {figure: worse(cells, figure) for figure in lower}
    return [
        "Expected calibration error (at most ten bins of equal mass) and log loss on gold labels that were neither "
        "trained nor calibrated on; means over the seeds, of the temperature the geometric one. *By chance* is what "
        "the ECE of calibrated probabilities stays below 95 times in 100.",
        f"Of {len(cells)} students the ECE of {lower['ece']} fell, and the log loss of {lower['log_loss']}. It rose, "
        f"in the mean over the seeds: ECE {rises['ece']}; log loss {rises['log_loss']}.",
        "The form of the fit (prior, spread of one row over all labels) was chosen among five on these data sets, at "
        "50 to 500 rows, with test rows in view: the gain from no temperature to one is far larger than the "
        "differences between the forms, but it is not an independent test of that choice.",
        f"`python -m benchmarks.calibration`, {versions(cells)}."]


def versions(cells: list[dict]) -> str:
    "What the students were made with"
    last = cells[-1]["versions"]
    shown = {"sieves_distill": last["sieves_distill"], "Python": last["python"], "scikit-learn": last["scikit-learn"]}
    for framework in ("model2vec", "setfit"):
        made = next((c["versions"] for c in cells if c["framework"] == framework), None)
        if made: shown[framework] = made[framework]
    return ", ".join(f"{name} {value}" for name, value in shown.items())


def table(cells: list[dict]) -> str:
    "One line for each data set, size and framework, and one for all: means over the seeds"
    heads = ["framework", "data", "train", "seeds", "temperature", "ECE before", "ECE after", "by chance",
             "log loss before", "log loss after"]
    lines = [f"| {' | '.join(heads)} |", "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for framework in sorted({c["framework"] for c in cells}):
        students = [c for c in cells if c["framework"] == framework]
        lines += [line(*key, group) for key, group in sorted(grouped(students).items())]
        lines.append(line(framework, "**all**", "", students))
    return "\n\n".join(["\n".join(lines), *notes(cells)]) + "\n"


def plan(args) -> list[tuple]:
    "The cells that were asked for: SetFit takes minutes each"
    cells = [(name, size, seed, framework) for framework, seed, name, size
             in product(args.frameworks, args.seeds, args.data, args.sizes)]
    first = args.sizes[0], args.seeds[0]
    return [cell for cell in cells if cell[3] != "setfit" or cell[0] in SETFIT and cell[1:3] == first]


def main():
    parser = running.arguments("calibration", __doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 500])
    parser.add_argument("--data", nargs="+", default=list(data.LOADERS), choices=list(data.LOADERS))
    parser.add_argument("--frameworks", nargs="+", default=["model2vec", "setfit"])
    parser.add_argument("--results", type=Path, default=FILE)
    args = parser.parse_args()
    running.silence()
    cells = json.loads(args.results.read_text()) if args.results.exists() else []
    known = {(c["data"], c["size"], c["seed"], c["framework"]) for c in cells}
    for key in plan(args):
        if key in known: continue
        cells.append(cell(*key))
        running.write_json(args.results, cells)
        changes = [f"{figure} {cells[-1]['before'][figure]:.3f} -> {cells[-1]['after'][figure]:.3f}"
                   for figure in ("ece", "log_loss")]
        print(*key, f"temperature {cells[-1]['temperature']:.2f}", *changes, flush=True)
    args.results.with_suffix(".md").write_text(table(cells))
    print(table(cells))


if __name__ == "__main__": main()
