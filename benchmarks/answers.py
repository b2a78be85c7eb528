"""Students that answer fixed questions about invoices, against the truth, by the number of training rows.

    python -m benchmarks.answers             (the CRF; runs what is missing, and writes the table)
    python -m benchmarks.answers --table     (runs nothing)

The invoices of `benchmarks.records`. Answers are the fields that a language model gave, of which four are words of the
text or few: dates and amounts it gave in another form than the text, which `distill` refuses by name.
"""
from __future__ import annotations

from functools import lru_cache, partial
from itertools import product

from benchmarks import RESULTS, records, running
from benchmarks.data import BESIDE, beside
from sieves_distill import Doc, QuestionAnswering

FILE = RESULTS / "answers.jsonl"
QUESTIONS = {"vendor_name": "Who sends the invoice?", "invoice_number": "What is its number?",
             "currency": "In which currency?", "po_number": "Which order does it name?"}
TASK = QuestionAnswering(list(QUESTIONS.values()))


def answers(values: dict) -> dict:
    "The fields of an invoice as answers in words"
    return {question: "" if values[name] is None else str(values[name]) for name, question in QUESTIONS.items()}


@lru_cache
def docs(split: str) -> list[Doc]:
    rows = [row for row in beside("invoices_llm") if row["split"] == split]
    return [Doc(row["text"], results={TASK.task_id: answers(row["llm"])}, gold={TASK.task_id: answers(row["gold"])})
            for row in rows]


def table(cells: list[dict]) -> str:
    title = "Questions on invoices in six layouts that were not learned, against the truth:"
    return records.table(cells, title, "answers")


def main() -> None:
    parser = running.arguments("answers", __doc__)
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--students", nargs="+", choices=records.STUDENTS, default=["crf"])
    parser.add_argument("--sizes", nargs="+", type=int, choices=records.SIZES, default=records.SIZES)
    parser.add_argument("--seeds", nargs="+", type=int, default=records.SEEDS)
    asked = parser.parse_args()
    running.silence()
    there = (BESIDE / "invoices_llm.jsonl.gz").exists() and not asked.table
    cells = product(asked.students, asked.sizes, asked.seeds) if there else ()
    running.run_missing(FILE, ("student", "size", "seed"), cells, partial(records.run, task=TASK, docs=docs), table)


if __name__ == "__main__": main()
