"""How many texts without labels are worth labelling: the Model2Vec student by how many it learns from as well.

    python -m benchmarks.panel.unlabelled [--sets newsgroups movies tweets] [--size 200] [--seeds 0]
    python -m benchmarks.panel.unlabelled --table             (runs nothing)

On data sets that constants are chosen on. One SetFit student of the same rows labels the texts of all counts, the first
ones of one random order; macro-F1 is against gold, on the test rows of the panel's cell. Each line of unlabelled.jsonl
is one run; those that are there are not run again. The table is written to unlabelled.md.
"""
from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import data, running
from benchmarks.panel import FOLDER, methods, rows
from benchmarks.panel.report import caption, markdown
from benchmarks.training import macro_f1

FILE = FOLDER / "unlabelled.jsonl"
SETS = ["newsgroups", "movies", "tweets"]
COUNTS = [0, 250, 500, 1000, 2000, 4000, 8000]


def order_of_texts(cell: rows.Cell) -> list[str]:
    "All texts of the data set that are neither learned from nor tested on, also those beyond the pool, shuffled"
    texts = dict.fromkeys(data.LOADERS[cell.name]()[0])
    for text in [*cell.texts, *cell.held_texts, *cell.test_texts]: texts.pop(text, None)
    texts = list(texts)
    return [texts[i] for i in np.random.default_rng(cell.seed).permutation(len(texts))]


def curve(name: str, size: int, seed: int, counts: list[int]):
    "Lines of the counts: the student's macro-F1, beside that of the student which labels"
    cell = rows.cell(name, size, seed, 0.)
    rest, where = order_of_texts(cell), {"set": name, "size": size, "seed": seed}
    predict, guide = methods.distil_cell(cell, "setfit")
    yield {**where, "count": None, "f1": macro_f1(cell.truth, predict(cell.test_texts))}
    for count in sorted({min(count, len(rest)) for count in counts}):
        with tempfile.TemporaryDirectory() as tmp:
            copy = Path(shutil.copytree(guide.path, Path(tmp) / "guide"))
            given = {"unlabelled": rest[:count], "guide": str(copy)} if count else {}
            start = time.process_time()
            predict, student = methods.distil_cell(cell, "model2vec", given)
            seconds = time.process_time() - start
            made = student.metrics["run"]["recipe"].get("unlabelled", {})
        yield {**where, "count": count, "f1": macro_f1(cell.truth, predict(cell.test_texts)),
               "cpu_seconds": round(seconds, 1), "kept": made.get("kept")}
        shutil.rmtree(student.path.parent, ignore_errors=True)
    shutil.rmtree(guide.path.parent, ignore_errors=True)


def table(lines: list[dict]) -> str:
    """Macro-F1 of the Model2Vec student by how many texts without labels it learns from as well, in brackets how many
    there are where these are fewer; a line for each data set"""
    runs = {}
    for line in lines: runs.setdefault((line["set"], line["size"], line["seed"]), []).append(line)
    def cell(run, count):
        near = [line for line in run if line["count"] is not None and line["count"] <= count]
        last = max(near, key=lambda line: line["count"])
        if last["count"] == count: return f"{last['f1']:.3f}"
        top = max(line["count"] for line in run if line["count"] is not None)
        before = [c for c in COUNTS if c < count]
        return f"{last['f1']:.3f} ({top:,})" if last["count"] == top and before and top > before[-1] else ""
    out = []
    for (name, size, seed), run in runs.items():
        guide = next(line["f1"] for line in run if line["count"] is None)
        out.append([name, size, seed, *(cell(run, count) for count in COUNTS), f"{guide:.3f}"])
    heads = ["data", "rows", "seed", *(f"{count:,}" for count in COUNTS), "SetFit, which labels"]
    return "\n\n".join([caption(table), markdown(heads, out), "`python -m benchmarks.panel.unlabelled`"]) + "\n"


def main():
    parser = running.arguments("panel.unlabelled", __doc__)
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--sets", nargs="+", default=SETS, choices=rows.CHOOSING)
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    args = parser.parse_args()
    running.silence()
    known = {(line["set"], line["size"], line["seed"]) for line in running.read_lines(FILE)}
    for name in () if args.table else args.sets:
        for seed in args.seeds:
            if (name, args.size, seed) in known: continue
            for line in curve(name, args.size, seed, COUNTS):
                running.add_line(FILE, line)
                print(line, flush=True)
    running.write_table(FILE, table(running.read_lines(FILE)))


if __name__ == "__main__": main()
