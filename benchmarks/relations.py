"""Students that name relations: F1 of whole triplets, by the number of training rows, and what each stage loses.

    SIEVES_DISTILL_DATA=folder python -m benchmarks.relations          (runs what is missing, and writes the table)
    python -m benchmarks.relations --students crf --seeds 0 --sizes 300      (some of it)
    python -m benchmarks.relations --table                             (runs nothing)

SemEval-2010 task 8: sentences in which two nominals are marked, in one of nine relations or in another one, which
counts as none here. Gold is the teacher. The marks are not given to the student: it has to guess which two of all the
nouns of a sentence were marked, which no name or type tells, and which people would not agree on either. So the figures
with both nominals given stand beside those of whole triplets. Students learn from rows of the split `train` and are
scored on the split `test`, which only reports. `crf + unlabelled` learns what an encoder of the same rows says of all
other sentences to learn from, too. What was chosen (features of pairs, the weight of vectors, penalties) was chosen on
1,500 rows of `train` that no student learns from, which `--valid` scores in place of the test.
"""
from __future__ import annotations

import random
import tempfile
import time
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks import RESULTS, data, running
from benchmarks.data import BESIDE, beside
from sieves_distill import Doc, RelationExtraction
from sieves_distill.evaluate.entity_figures import entity_figures
from sieves_distill.evaluate.relation_figures import count_triplets, list_triplets, lost_by_stage, relate_nearest
from sieves_distill.export.rows import Rows
from sieves_distill.tasks.entities import Entity, entity_array
from sieves_distill.tasks.triplets import UNKNOWN

FILE = RESULTS / "relations.jsonl"
SIZES, SEEDS, APART = (100, 300, 1000), (0, 1, 2), 1500
STUDENTS = {"crf": lambda: None, "model2vec": data.static_base, "transformers": data.minilm,
            "crf + unlabelled": lambda: None}
RELATIONS = ["Cause-Effect", "Component-Whole", "Content-Container", "Entity-Destination", "Entity-Origin",
             "Instrument-Agency", "Member-Collection", "Message-Topic", "Product-Producer"]
TASK = RelationExtraction(RELATIONS)


@lru_cache
def sentences(part: str) -> list[dict]:
    "The rows to learn from, `train`, to choose on, `valid`, or of the `test`"
    rows = [row for row in beside("semeval2010_8") if (row["split"] == "test") == (part == "test")]
    if part == "test": return rows
    rows = random.Random(7).sample(rows, len(rows))
    return rows[:APART] if part == "valid" else rows[APART:]


def doc(row: dict) -> Doc:
    known = [(row["head"]["text"], row["relation"], row["tail"]["text"])] if row["relation"] in RELATIONS else []
    return Doc(row["text"], results={TASK.task_id: known})


def nominals(rows: list[dict]):
    "Both that are marked in each sentence, also where their relation is another one"
    return entity_array([Entity(end["start"], end["end"], UNKNOWN, row["text"][end["start"]:end["end"]])
                         for end in (row["head"], row["tail"])] for row in rows)


def run(framework: str, size: int, seed: int, part: str = "test") -> dict:
    "One cell: a student and the baselines of the same rows"
    learn, rows = random.Random(seed).sample(sentences("train"), size), sentences(part)
    more = {}
    if "+" in framework: more = {"unlabelled": [row["text"] for row in sentences("train")], "guide": data.minilm()}
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        student = TASK.distill(STUDENTS[framework](), framework.split()[0], list(map(doc, learn)),
                               Path(folder) / "student", .1, seed=seed, progress=False, **more)
        seconds, report = time.process_time() - start, student.metrics["run"]
        train = Rows.read(student.train_data, student)
    texts = [row["text"] for row in rows]
    truth, start = Rows.read(TASK.to_hf_dataset(map(doc, rows)), TASK).y, time.process_time()
    answers = student.name_triplets(texts)
    rate, spans = len(texts) / (time.process_time() - start), student.name_spans(texts)
    made = report["recipe"]
    return {"student": framework, "size": size, "seed": seed, **figures(truth, answers),
            "given": figures(truth, student.relate(texts, nominals(rows))),
            "listed": figures(truth, list_triplets(train)(texts))["f1"],
            "nearest": figures(truth, relate_nearest(train)(texts, spans))["f1"],
            "nearest_given": figures(truth, relate_nearest(train)(texts, nominals(rows)))["f1"],
            "stages": lost_by_stage(texts, truth, answers, spans),
            "levels": [made["span_level"], made["pair_level"]], "cpu_seconds": round(seconds, 1),
            "texts_per_cpu_second": round(rate), "mb": round(report["megabytes"], 2)}


def figures(truth, answers) -> dict:
    "Precision, recall and F1 of whole triplets, micro; macro F1 over the relations; and the F1 of each"
    made = entity_figures(count_triplets(TASK.kind, truth, answers).sum(0))
    each = dict(zip(RELATIONS, np.nan_to_num(made["type_f1"]).round(4).tolist()))
    return {**{name: round(float(np.nan_to_num(made[name])), 4) for name in ("precision", "recall", "f1", "macro_f1")},
            "relations": each}


def table(cells: list[dict]) -> str:
    "Markdown: a line for each size and student, means over the seeds; what each stage loses; and one for each relation"
    head = ["rows", "student", "seeds", "triplet F1", "macro", "precision", "recall", "nominals given: F1", "macro",
            "list of triplets", "nearest pair", "nearest pair, nominals given", "CPU s", "texts a CPU s", "MB"]
    lines, lost = [head, ["---"] * len(head)], [LOST_HEAD, ["---"] * len(LOST_HEAD)]
    each = [["rows", "student", *RELATIONS], ["---"] * (2 + len(RELATIONS))]
    for size, framework in product(SIZES, STUDENTS):
        here = [cell for cell in cells if (cell["size"], cell["student"]) == (size, framework)]
        if not here: continue
        def mean(value): return float(np.mean([value(cell) for cell in here]))
        def shown(*names): return [f"{mean(lambda cell: cell[name]):.3f}" for name in names]
        given = [f"{mean(lambda cell: cell['given'][name]):.3f}" for name in ("f1", "macro_f1")]
        low, high = min(cell["f1"] for cell in here), max(cell["f1"] for cell in here)
        first = [f"{size:,}", framework]
        lines.append([*first, str(len(here)), f"{shown('f1')[0]} ({low:.3f} to {high:.3f})",
                      *shown("macro_f1", "precision", "recall"), *given, *shown("listed", "nearest", "nearest_given"),
                      f"{mean(lambda cell: cell['cpu_seconds']):.0f}",
                      f"{mean(lambda cell: cell['texts_per_cpu_second']):,.0f}",
                      f"{mean(lambda cell: cell['mb']):.1f}"])
        lost.append([*first, *(f"{mean(share):.3f}" for share in SHARES.values())])
        each.append([*first, *(f"{mean(lambda cell: cell['relations'][name]):.3f}" for name in RELATIONS)])
    return "\n\n".join([
        "SemEval-2010 task 8, whole triplets against gold. The two nominals of a sentence are not given: which of its "
        "nouns were marked has to be guessed; with both given the task is the usual one.", as_table(lines),
        "Share of the test's triplets that are right, or lost and why; and of the student's own that are wrong:",
        as_table(lost), "F1 of each relation, nominals not given:", as_table(each),
        "`python -m benchmarks.relations`"]) + "\n"


SHARES = {
    "right": lambda cell: cell["stages"]["right"] / cell["stages"]["n"],
    "head or tail not named": lambda cell: cell["stages"]["lost"]["span"] / cell["stages"]["n"],
    "no relation seen": lambda cell: cell["stages"]["lost"]["pair"] / cell["stages"]["n"],
    "another relation seen": lambda cell: cell["stages"]["lost"]["relation"] / cell["stages"]["n"],
    "not in the text": lambda cell: cell["stages"]["lost"]["not_in_text"] / cell["stages"]["n"],
    "named: head or tail nobody's": lambda cell: cell["stages"]["wrong"]["spurious_span"] / _named(cell),
    "named: wrong pair": lambda cell: cell["stages"]["wrong"]["wrong_pair"] / _named(cell),
}
LOST_HEAD = ["rows", "student", *SHARES]


def _named(cell: dict) -> int: return max(1, cell["stages"]["n_named"])


def as_table(rows: list[list[str]]) -> str: return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    parser = running.arguments("relations", __doc__)
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--valid", action="store_true", help="score the rows apart for choosing, and keep nothing")
    parser.add_argument("--students", nargs="+", choices=STUDENTS, default=["crf"])
    parser.add_argument("--sizes", nargs="+", type=int, choices=SIZES, default=SIZES)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    asked = parser.parse_args()
    running.silence()
    there = (BESIDE / "semeval2010_8.jsonl.gz").exists() and not asked.table
    cells = product(asked.students, asked.sizes, asked.seeds) if there else ()
    if not asked.valid: return running.run_missing(FILE, ("student", "size", "seed"), cells, run, table)
    for cell in cells: print(run(*cell, part="valid"), flush=True)


if __name__ == "__main__": main()
