"""Students of several frameworks, bases and sizes side by side, on BBC news cut to 60 words: what the page on `compare`
shows.

    python -m benchmarks.compare [--steps 20]

Gold labels stand in for the teacher. Writes compare.json.
"""
from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import RESULTS, data, running, training
from sieves_distill import compare, split_dataset

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import demo

FILE = RESULTS / "compare.json"
N_TEST, WORDS = 500, 60


def kinds(folder: Path, steps: int, n: int) -> dict:
    "What is compared, by name: base, framework, training rows, and what training is told"
    wordllama, frozen, tuned = demo.static_base(folder / "wordllama"), {"num_epochs": 0}, {"max_steps": steps}
    return {f"wordllama, {n // 4} rows": (wordllama, "model2vec", n // 4, None),
            f"wordllama, {n} rows": (wordllama, "model2vec", n, None),
            f"static MiniLM, {n} rows": (data.static_base(), "model2vec", n, None),
            f"SetFit, frozen, {n} rows": (data.minilm(), "setfit", n, frozen),
            f"SetFit, {steps} steps, {n} rows": (data.minilm(), "setfit", n, tuned)}


def main():
    parser = running.arguments("compare", __doc__)
    parser.add_argument("--steps", type=int, default=20, help="steps of SetFit's fine-tuning")
    parser.add_argument("--rows", type=int, default=400, help="to train on")
    parser.add_argument("--results", type=Path, default=FILE)
    args = parser.parse_args()
    running.silence()
    texts, y, names = data.bbc()
    rows = data.as_dataset(data.first_words(texts, WORDS), y, names)
    task = training.task_of(y, names, "topic")
    parts = split_dataset(rows, N_TEST / len(rows), seed=0)
    train = parts["train"].shuffle(seed=0)
    with tempfile.TemporaryDirectory() as tmp:
        folder, students = Path(tmp), {}
        for name, (base, framework, n, kwargs) in kinds(folder, args.steps, args.rows).items():
            students[name] = folder / name
            student = task.distill(base, framework, train.select(range(n)), students[name], 0.1, train_kwargs=kwargs,
                                   seed=0, progress=False)
            print(name, student.metrics["run"]["seconds"], flush=True)
        comparison = compare(students, parts["val"], teacher_cost=100, progress=False)
        comparison.save(args.results)
    print(comparison)


if __name__ == "__main__": main()
