"""Run the panel, or what is missing of it, and write the table and the figures.

    python -m benchmarks.panel                                      (what costs seconds a cell: all but fine-tuned
                                                                     sentence encoders)
    python -m benchmarks.panel --methods setfit_student setfit_trainer --sizes 50 200 --seeds 0
    python -m benchmarks.panel --table                              (runs nothing)

Each cell of data set, size, seed, noise and method is a line in results.jsonl, in choosing.jsonl for the other data
sets that constants are chosen on, or in reporting.jsonl for those that only report (all in rows.py); one that is there
is not run again, unless it has `outdated`, which says what has changed since; `note` says what of a line is of another
run. On data sets that only report a line of a student has the round of the recipes that it is of, and is outdated when
there is a later one. Data sets that aren't on this machine are left out. It can be stopped at any time.
"""
from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np

from benchmarks import data, running
from benchmarks.panel import CELLS, CHOSEN, REPORTED, methods, report, round_of, rows
from benchmarks.training import macro_f1
from sieves_distill import Student

# methods on a frozen encoder, whose time is not counted
FROZEN = {"static_lr": "static", "minilm_lr": "minilm", "static": "static", "minilm": "minilm",
          "minilm_words": "minilm"}


def _train(cell: rows.Cell, method: str):
    "What predicts, what is to be weighed, and what that cost"
    before = running.memory_peak(start=True)
    wall, cpu = time.perf_counter(), time.process_time()
    predict, model = methods.METHODS[method](cell)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = running.memory_peak() - before
    cost = {"seconds": round(wall, 3), "cpu_seconds": round(cpu, 3), "peak_mb": round(peak, 1)}
    if isinstance(model, Student): cost["seconds"] = model.metrics["run"]["seconds"]["train"]  # without the report
    return predict, model, cost


def _predict(predict, cell: rows.Cell):
    "The answers to the test texts, and how many texts a CPU second"
    texts = cell.test_texts
    predict(rows.Texts(cell.name, cell.test[:32]))
    start = time.process_time()
    predicted = predict(texts)
    return predicted, len(texts) / max(time.process_time() - start, 1e-9)


def run(name: str, size: int, seed: int, noise: float, method: str) -> dict:
    "One cell"
    cell = rows.cell(name, size, seed, noise)
    if method in FROZEN: rows.encoded(name, FROZEN[method])
    predict, model, cost = _train(cell, method)
    predicted, rate = _predict(predict, cell)
    student = model if isinstance(model, Student) else None
    result = {"set": name, "size": size, "seed": seed, "noise": noise, "method": method,
              "f1": macro_f1(cell.truth, predicted), "n_test": len(cell.test), **cost,
              "mb": round(methods.megabytes(model), 2), "texts_per_second": None if method in FROZEN else round(rate),
              "recipe": student and student.metrics["run"]["recipe"]}
    if student and name in rows.REPORTING: result["round"] = round_of(name)
    if student and "unlabelled" in result["recipe"]: del result["recipe"]["unlabelled"]["guide"]["base_model"]  # a path
    if student and student.native is not student:  # without its token table
        native = student.kind.encode(student.native.predict(list(cell.test_texts)))
        result["native_f1"] = macro_f1(cell.truth, native)
    if student: shutil.rmtree(student.path.parent, ignore_errors=True)
    return result


def majority(name: str, size: int, seed: int) -> float:
    """Macro-F1 of always giving the most frequent label (for several labels: those that more than half of the rows
    have, else the most frequent)"""
    cell = rows.cell(name, size, seed, 0.)
    if not cell.multi: return macro_f1(cell.truth, np.full(len(cell.test), np.bincount(cell.y).argmax()))
    frequent = cell.y.mean(0) > .5
    if not frequent.any(): frequent[cell.y.sum(0).argmax()] = True
    return macro_f1(cell.truth, np.tile(frequent, (len(cell.test), 1)))


def key(result: dict) -> tuple: return tuple(result[part] for part in ("set", "size", "seed", "noise", "method"))


def is_known(result: dict) -> bool:
    "Whether a line still counts"
    return not result.get("outdated") and result.get("round") in (None, round_of(result["set"]))


def missing(args, known: set):
    "The cells that were asked for and are not known"
    here = [name for name in args.sets if data.is_here(name)]
    for seed in args.seeds:
        for noise in args.noise:
            for size in args.sizes:
                for name in here:
                    if not rows.has_size(name, size) or (noise and name in data.TAUGHT): continue
                    cells = [(name, size, seed, noise, method) for method in args.methods
                             if method != "model2vec_guided" or rows.has_unlabelled(name, size)]
                    yield from (cell for cell in cells if cell not in known)


def main():
    parser = running.arguments("panel", __doc__)
    every = rows.CHOOSING + rows.REPORTING
    parser.add_argument("--sets", nargs="+", default=every, choices=every)
    parser.add_argument("--sizes", nargs="+", type=int, default=rows.SIZES)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--noise", nargs="+", type=float, default=[0., .2], help="shares of wrong labels")
    parser.add_argument("--methods", nargs="+", default=methods.CHEAP + methods.TUNED,
                        choices=list(methods.METHODS))
    parser.add_argument("--table", action="store_true", help="only write the table and the figures")
    parser.add_argument("--results", type=Path, help="a file for all of them, in place of the two")
    args = parser.parse_args()
    running.silence()
    about = running.machine("scikit-learn", "model2vec", "setfit", "torch", "sentence-transformers")
    places = {**dict.fromkeys(rows.CHOOSING, CHOSEN), **dict.fromkeys(rows.SETS, CELLS),
              **dict.fromkeys(rows.REPORTING, REPORTED)}
    paths = {name: args.results or places[name] for name in every}
    known = {key(result) for path in set(paths.values()) for result in running.read_lines(path) if is_known(result)}
    for cell in () if args.table else missing(args, known):
        result = {**run(*cell), "majority": majority(*cell[:3]), "about": about}
        running.add_line(paths[cell[0]], result)
        print(*cell, f"F1 {result['f1']:.3f}, {result['seconds']:.1f} s", flush=True)
    if not args.results:
        report.write(CELLS)
        report.write_reporting(REPORTED)


if __name__ == "__main__": main()
