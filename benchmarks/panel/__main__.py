"""Run the panel, or what is missing of it, and write the table and the figures.

    python -m benchmarks.panel                                      (what costs seconds a cell: all but fine-tuned sentence encoders)
    python -m benchmarks.panel --methods setfit_student setfit_trainer --sizes 50 200 --seeds 0
    python -m benchmarks.panel --table                              (runs nothing)

Each cell of data set, size, seed, noise and method is a line in results.jsonl; one that is there is not run again, unless it has `outdated`, which says
what has changed since; `note` says what of a line is of another run. It can be stopped at any time.
"""
from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import platform
import resource
import shutil
import time
import warnings
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
from sklearn.metrics import f1_score

from benchmarks import RESULTS
from benchmarks.panel import methods, report, rows

CELLS = RESULTS / "panel" / "results.jsonl"


class Texts(list):
    "Texts that know where in their pool they stand, for peers whose encoder is frozen"
    def __init__(self, name, at):
        super().__init__(rows.pool(name)[0][i] for i in at)
        self.cell = name, at


def macro_f1(truth, predicted) -> float:
    "Over the labels that the test rows have"
    present = np.flatnonzero(truth.any(0)) if truth.ndim == 2 else np.unique(truth)
    return float(f1_score(truth, predicted, labels=present, average="macro", zero_division=0))


def _memory_peak(start: bool = False) -> float:
    "Peak resident memory in MB; with `start`, the count begins anew where the system can"
    if start:
        gc.collect()
        try: Path("/proc/self/clear_refs").write_text("5")
        except OSError: pass
    try: return next(int(line.split()[1]) / 1024 for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    except OSError: return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def without_table(student):
    "A function of the same texts, to be called after `student` has answered: the student without its token table, from the same embeddings"
    blocks, features, native = [], student._features, student.native
    def remember(texts):
        blocks.append(features(texts))
        return blocks[-1]
    student._features, native._features = remember, lambda texts: blocks.pop(0)
    return native.predict


def run(name: str, size: int, seed: int, noise: float, method: str) -> dict:
    "One cell"
    train, y, held, y_held, test, truth = rows.cell(name, size, seed, noise)
    learn, texts = methods.Rows(name, seed, train, y, held, y_held), Texts(name, test)
    if method in ("static_lr", "minilm_lr"): rows.encoded(name, method[:-3])
    before = _memory_peak(start=True)
    wall, cpu = time.perf_counter(), time.process_time()
    predict, model = methods.METHODS[method](learn)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = _memory_peak() - before
    recipe, run_of = None, getattr(model, "metrics", {}).get("run") if hasattr(model, "labels") else None
    if run_of: wall, recipe = run_of["seconds"]["train"], run_of["recipe"]  # without the report
    some = Texts(name, test[:32])
    predict(some)
    alone = without_table(model) if getattr(model, "native", model) is not model else None
    rate = time.process_time()
    predicted = predict(texts)
    rate = len(texts) / max(time.process_time() - rate, 1e-9)
    out = {"set": name, "size": size, "seed": seed, "noise": noise, "method": method, "f1": macro_f1(truth, predicted), "n_test": len(test),
           "seconds": round(wall, 3), "cpu_seconds": round(cpu, 3), "peak_mb": round(peak, 1), "mb": round(methods.megabytes(model), 2),
           "texts_per_second": None if method in ("static_lr", "minilm_lr") else round(rate), "recipe": recipe}
    if alone is not None: out["native_f1"] = macro_f1(truth, learn.as_array(alone(list(texts))))
    if getattr(model, "path", None) and hasattr(model, "labels"): shutil.rmtree(model.path.parent, ignore_errors=True)
    return out


def majority(name: str, size: int, seed: int) -> float:
    "Macro-F1 of always giving the most frequent label (for several labels: those that more than half of the rows have, else the most frequent)"
    train, y, _, _, test, truth = rows.cell(name, size, seed, 0.)
    if y.ndim == 1: return macro_f1(truth, np.full(len(test), np.bincount(y).argmax()))
    on = y.mean(0) > .5
    if not on.any(): on[y.sum(0).argmax()] = True
    return macro_f1(truth, np.tile(on, (len(test), 1)))


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.panel", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=rows.SETS, choices=rows.SETS)
    parser.add_argument("--sizes", nargs="+", type=int, default=rows.SIZES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--noise", nargs="+", type=float, default=[0., .2], help="shares of wrong labels")
    parser.add_argument("--methods", nargs="+", default=methods.CHEAP, choices=list(methods.METHODS))
    parser.add_argument("--table", action="store_true", help="only write the table and the figures")
    parser.add_argument("--results", type=Path, default=CELLS)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    key = lambda c: (c["set"], c["size"], c["seed"], c["noise"], c["method"])
    cells = [json.loads(line) for line in args.results.read_text().splitlines()] if args.results.exists() else []
    known = {key(c) for c in cells if not c.get("outdated")}
    about = {"cores": os.cpu_count(), "threads": os.environ.get("OMP_NUM_THREADS"), "python": platform.python_version(),
             **{n: version(n) for n in ("scikit-learn", "model2vec", "setfit", "torch", "sentence-transformers")}}
    for seed in [] if args.table else args.seeds:
        for noise in args.noise:
            for size in args.sizes:
                for name in args.sets:
                    if not rows.has_size(name, size): continue
                    for method in args.methods:
                        if (name, size, seed, noise, method) in known: continue
                        found = {**run(name, size, seed, noise, method), "majority": majority(name, size, seed), "about": about}
                        with args.results.open("a") as file: file.write(json.dumps(found) + "\n")
                        print(*key(found), f"F1 {found['f1']:.3f}, {found['seconds']:.1f} s", flush=True)
    report.write(args.results)


if __name__ == "__main__": main()
