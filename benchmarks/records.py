"""Students that fill in the fields of invoices, in layouts that they have not seen: field F1 and whole records.

    SIEVES_DISTILL_DATA=folder python -m benchmarks.records          (runs what is missing, and writes the table)
    python -m benchmarks.records --students transformers --seeds 0 --sizes 300      (some of it)
    python -m benchmarks.records --table                             (runs nothing)

3,000 synthetic invoices in 30 layouts, with the answers of a language model (of the package taskdistill). Students
learn these answers in 20 layouts and are scored against the truth in six others, which only report. What was chosen
(the CRF's penalty and its noise, what it sees of a line, how near a field must come, that words are marked wherever
they stand) was chosen on the four layouts of the split `valid`, which `--valid` scores in place of the test, or on
folds of the layouts of both:

    python -m benchmarks.records --folds --sizes 300                 (keeps nothing)
    python -m benchmarks.records --folds --sizes 300 --copies 0      (without noise)
"""
from __future__ import annotations

import datetime as dt
import random
import tempfile
import time
from functools import lru_cache, partial
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel

from benchmarks import RESULTS, data, running
from benchmarks.data import BESIDE, beside
from sieves_distill import Doc, InformationExtraction
from sieves_distill.evaluate.entity_figures import entity_figures
from sieves_distill.evaluate.records import count_fields, exact_fields, list_values, most_frequent
from sieves_distill.export.rows import Rows
from sieves_distill.train.recipe import Recipe

FILE = RESULTS / "records.jsonl"
SIZES, SEEDS = (100, 300, 1000), (0, 1, 2)
STUDENTS = {"crf": lambda: None, "transformers": data.minilm}


class Invoice(BaseModel):
    vendor_name: str
    invoice_number: str
    invoice_date: dt.date
    due_date: dt.date | None
    currency: Literal["CHF", "EUR", "GBP", "PLN", "USD"]
    total_amount: float
    tax_amount: float | None
    po_number: str | None


TASK = InformationExtraction(Invoice, mode="single")


@lru_cache
def docs(split: str) -> list[Doc]:
    return [as_doc(row) for row in beside("invoices_llm") if row["split"] == split]


def as_doc(row: dict) -> Doc:
    return Doc(row["text"], results={TASK.task_id: row["llm"]}, gold={TASK.task_id: row["gold"]})


def run(framework: str, size: int, seed: int, split: str = "test", task=TASK, docs=docs, recipe=None) -> dict:
    "One cell: a student and the baselines of the same rows; `docs` gives the documents of a split"
    learn, test = random.Random(seed).sample(docs("train"), size), docs(split)
    plain = [Doc(doc.text, results=doc.results) for doc in learn]
    figures = partial(figures_of, task.kind)
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        student = task.distill(STUDENTS[framework](), framework, plain, Path(folder) / "student", .1, seed=seed,
                               progress=False, recipe=recipe)
        seconds, run = time.process_time() - start, student.metrics["run"]
        train = Rows.read(student.train_data, student)
    truth = Rows.read(task.to_hf_dataset(test, gold=True), task).gold.y
    texts, start = [doc.text for doc in test], time.process_time()
    answers = task.kind.encode(student.predict(texts))
    rate = len(texts) / (time.process_time() - start)
    return {"student": framework, "size": size, "seed": seed, **figures(truth, answers),
            "listed": figures(truth, list_values(train)(texts))["f1"],
            "most_frequent": figures(truth, most_frequent(train)(texts))["f1"],
            "located": run["recipe"]["located"], "cpu_seconds": round(seconds, 1),
            "texts_per_cpu_second": round(rate), "mb": round(run["megabytes"], 2)}


def fold_docs(fold: int, seed: int, split: str) -> list[Doc]:
    "Documents for choosing: those to learn from (`train`), or those of a quarter of the layouts, of four quarters"
    rows = [row for row in beside("invoices_llm") if row["split"] != "test"]
    layouts = sorted({row["template"] for row in rows})
    held = random.Random(seed).sample(layouts, len(layouts))[fold::4]
    return [as_doc(row) for row in rows if (row["template"] in held) == (split != "train")]


def show_folds(framework: str, size: int, seeds, recipe: Recipe) -> None:
    "Field F1 and whole records in layouts that were not learned, the mean over the folds and the seeds"
    cells = [run(framework, size, seed, docs=partial(fold_docs, fold, seed), recipe=recipe)
             for seed in seeds for fold in range(4)]
    for name in ("f1", "records"):
        values = [cell[name] for cell in cells]
        print(f"{framework} {size} {name}: {np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})", flush=True)


def figures_of(kind, truth, answers) -> dict:
    "Micro and macro F1 of the values, the share of records that are wholly right, and of each field how often it is"
    counts = count_fields(truth, answers)
    exact, f1 = exact_fields(counts), entity_figures(counts.sum(0))
    return {"f1": round(float(f1["f1"]), 4), "macro_f1": round(float(f1["macro_f1"]), 4),
            "records": round(float(exact.all(1).mean()), 4),
            "fields": dict(zip(kind.names, exact.mean(0).round(4).tolist()))}


def table(cells: list[dict], title: str = "Invoices in six layouts that were not learned, against the truth:",
          command: str = "records") -> str:
    "Markdown: a line for each size and student, means over the seeds; and one for each field"
    names = list(cells[0]["fields"])
    lines = ["| rows | student | seeds | field F1 | macro | whole records | list of values | most frequent | "
             "CPU s to distil | texts a CPU s | MB |", "|---|---|---|---|---|---|---|---|---|---|---|"]
    fields = [f"| rows | student | {' | '.join(names)} |", "|---|---|" + "---|" * len(names)]
    for size, framework in product(SIZES, STUDENTS):
        here = [cell for cell in cells if (cell["size"], cell["student"]) == (size, framework)]
        if not here: continue
        def mean(name): return np.mean([cell[name] for cell in here])
        low, high = min(cell["f1"] for cell in here), max(cell["f1"] for cell in here)
        lines.append(f"| {size:,} | {framework} | {len(here)} | {mean('f1'):.3f} ({low:.3f} to {high:.3f}) | "
                     f"{mean('macro_f1'):.3f} | {mean('records'):.3f} | {mean('listed'):.3f} | "
                     f"{mean('most_frequent'):.3f} | {mean('cpu_seconds'):.0f} | {mean('texts_per_cpu_second'):,.0f} | "
                     f"{mean('mb'):.1f} |")
        exact = [np.mean([cell["fields"][name] for cell in here]) for name in names]
        fields.append(f"| {size:,} | {framework} | {' | '.join(f'{share:.3f}' for share in exact)} |")
    return "\n\n".join([title, "\n".join(lines),
                        "Share of the documents in which a field is right, or rightly empty:", "\n".join(fields),
                        f"`python -m benchmarks.{command}`"]) + "\n"


def main() -> None:
    parser = running.arguments("records", __doc__)
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--valid", action="store_true", help="score the layouts of the split valid, and keep nothing")
    parser.add_argument("--folds", action="store_true", help="score folds of the layouts to choose by")
    parser.add_argument("--copies", type=int, default=Recipe.record_copies, help="noisy copies of each text, of folds")
    parser.add_argument("--students", nargs="+", choices=STUDENTS, default=["crf"])
    parser.add_argument("--sizes", nargs="+", type=int, choices=SIZES, default=SIZES)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    asked = parser.parse_args()
    running.silence()
    there = (BESIDE / "invoices_llm.jsonl.gz").exists() and not asked.table
    cells = product(asked.students, asked.sizes, asked.seeds) if there else ()
    if asked.folds and there:
        for framework, size in product(asked.students, asked.sizes):
            show_folds(framework, size, asked.seeds, Recipe(record_copies=asked.copies))
        return
    if not asked.valid: return running.run_missing(FILE, ("student", "size", "seed"), cells, run, table)
    for cell in cells: print(run(*cell, split="valid"), flush=True)


if __name__ == "__main__": main()
