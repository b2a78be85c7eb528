"""Are a student's probabilities calibrated, and what did the temperature change? ECE and log loss on held-out gold labels, with it and without.

    python -m benchmarks.calibration [--seeds 0 1 2] [--sizes 200 500] [--data bbc …] [--frameworks model2vec setfit]

Gold labels stand in for the teacher; the test rows (400, or what is left) are neither trained nor calibrated on. SetFit is run with the first seed and size, on two data sets.
Each cell is an entry in calibration.json; cells that are there are not run again. The table is printed, and written to calibration.md.
"""
from __future__ import annotations

import argparse
import json
import os
import tempfile
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
from datasets import ClassLabel, Dataset, Features, List, Value

from benchmarks import RESULTS, data
from sieves_distill import Classification, evaluate_student, split_dataset
from sieves_distill.basics.quiet import quiet

CELLS, TABLE = RESULTS / "calibration.json", RESULTS / "calibration.md"
SETFIT = ("tweets", "attack")
HELD_BACK = 3  # rows that a student holds out for its report


def rows(name: str, size: int, seed: int, n_test: int = 400):
    "Train and test datasets, stratified, and the task"
    texts, y, names = data.LOADERS[name]()
    multi = y.ndim == 2
    features = Features({"text": Value("string"), "labels": List(Value("bool")) if multi else ClassLabel(names=names)})
    everything = Dataset.from_dict({"text": texts, "labels": y.tolist()}, features)
    n_test = min(n_test, len(texts) - size - HELD_BACK)
    with quiet():
        parts = split_dataset(everything, n_test / len(texts), seed=seed)
        rest, n = parts["train"], size + HELD_BACK
        train = rest if len(rest) == n else split_dataset(rest, n / len(rest), seed=seed)["val"]
    return train, parts["val"], Classification(names, multi_label=multi, task_id=name)


def cell(name: str, size: int, seed: int, framework: str) -> dict:
    train, test, task = rows(name, size, seed)
    base = data.minilm() if framework == "setfit" else data.static_base()
    with tempfile.TemporaryDirectory() as tmp:
        student = task.distill(base, framework, train, f"{tmp}/student", HELD_BACK / len(train), seed=seed, progress=False)
        metrics, run = evaluate_student(student, test, n_resamples=1000).metrics, student.metrics["run"]
    found, figures = metrics["calibration"]["agreement"], ("ece", "ece_by_chance", "log_loss", "mean_score", "observed")
    plain = lambda part: {name: part[name] for name in figures}
    return {"data": name, "size": size, "seed": seed, "framework": framework, "n_test": metrics["agreement"]["n"], "n_scored": found["n"], "temperature": student.temperature, "f1": metrics["f1"],
            "after": plain(found), "before": plain(found["before"]), "kept": run["recipe"]["kept"], "versions": run["versions"]}


def worse(cells: list[dict], figure: str) -> str:
    "Where the mean over the seeds is higher after than before"
    groups: dict = {}
    for c in cells: groups.setdefault((c["framework"], c["data"], c["size"]), []).append(c["after"][figure] - c["before"][figure])
    found = [f"{name} {size}, {framework} (+{np.mean(d):.3f})" for (framework, name, size), d in sorted(groups.items()) if np.mean(d) > 0]
    return "; ".join(found) or "nowhere"


def table(cells: list[dict]) -> str:
    "One line for each data set, size and framework, and one for all: means over the seeds"
    lines = ["| framework | data | train | seeds | temperature | ECE before | ECE after | by chance | log loss before | log loss after |", "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    groups: dict = {}
    for c in cells:
        groups.setdefault((c["framework"], c["data"], c["size"]), []).append(c)
    for framework in sorted({c["framework"] for c in cells}): groups[framework, "**all**", ""] = [c for c in cells if c["framework"] == framework]
    for (framework, name, size), found in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] == "**all**", item[0][1], item[0][2])):
        mean = lambda side, figure: f"{np.mean([c[side][figure] for c in found]):.3f}"
        temperatures = [c["temperature"] for c in found]
        lines.append(f"| {framework} | {name} | {size} | {len({c['seed'] for c in found})} | {np.exp(np.mean(np.log(temperatures))):.2f} | {mean('before', 'ece')} | **{mean('after', 'ece')}** | {mean('after', 'ece_by_chance')} | "
                     f"{mean('before', 'log_loss')} | **{mean('after', 'log_loss')}** |")
    lower = {figure: sum(c["after"][figure] < c["before"][figure] for c in cells) for figure in ("ece", "log_loss")}
    where = cells[-1]["versions"]
    return "\n".join(lines) + (
        "\n\nExpected calibration error (at most ten bins of equal mass) and log loss on gold labels that were neither trained nor calibrated on; means over the seeds, of the temperature the geometric one. "
        "*By chance* is what the ECE of calibrated probabilities stays below 95 times in 100.\n\n"
        f"Of {len(cells)} students the ECE of {lower['ece']} fell, and the log loss of {lower['log_loss']}. It rose, in the mean over the seeds: ECE {worse(cells, 'ece')}; log loss {worse(cells, 'log_loss')}.\n\n"
        "The form of the fit (prior, spread of one row over all labels) was chosen among five on these data sets, at 50 to 500 rows, with test rows in view: the gain from no temperature to one is far larger than the differences between the forms, "
        "but it is not an independent test of that choice.\n\n"
        f"`python -m benchmarks.calibration`, sieves_distill {where['sieves_distill']}, Python {where['python']}, scikit-learn {where['scikit-learn']}, model2vec {next(c['versions']['model2vec'] for c in cells if c['framework'] == 'model2vec')}"
        + "".join(f", setfit {c['versions']['setfit']}" for c in [c for c in cells if c["framework"] == "setfit"][:1]) + ".\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 500])
    parser.add_argument("--data", nargs="+", default=list(data.LOADERS))
    parser.add_argument("--frameworks", nargs="+", default=["model2vec", "setfit"])
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    cells = json.loads(CELLS.read_text()) if CELLS.exists() else []
    known = {(c["data"], c["size"], c["seed"], c["framework"]) for c in cells}
    plan = [(name, size, seed, framework) for framework in args.frameworks for seed in args.seeds for name in args.data for size in args.sizes
            if framework != "setfit" or name in SETFIT and (seed, size) == (args.seeds[0], args.sizes[0])]
    for one in plan:
        if one in known: continue
        found = cell(*one)
        cells.append(found)
        CELLS.write_text(json.dumps(cells, indent=1) + "\n")
        print(*one, f"temperature {found['temperature']:.2f}", *(f"{figure} {found['before'][figure]:.3f} -> {found['after'][figure]:.3f}" for figure in ("ece", "log_loss")), flush=True)
    TABLE.write_text(table(cells))
    print(table(cells))


if __name__ == "__main__": main()
