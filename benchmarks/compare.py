"""Students of several frameworks, bases and sizes side by side, on BBC news cut to 60 words: what the page on `compare` shows.

    python -m benchmarks.compare [--steps 20]

Gold labels stand in for the teacher. Writes compare.json.
"""
from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from datasets import ClassLabel, Dataset, Features, Value

from benchmarks import RESULTS, data
from sieves_distill import Classification, split_dataset
from sieves_distill.decide.comparison import compare

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import demo


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20, help="steps of SetFit's fine-tuning")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    texts, y, names = data.bbc()
    texts = [" ".join(text.split()[:60]) for text in texts]
    rows = Dataset.from_dict({"text": texts, "labels": y.tolist()}, Features({"text": Value("string"), "labels": ClassLabel(names=names)}))
    task = Classification(names, multi_label=False, task_id="topic")
    parts = split_dataset(rows, 500 / len(rows), seed=0)
    train = parts["train"].shuffle(seed=0)
    with tempfile.TemporaryDirectory() as tmp:
        wordllama = demo.static_base(Path(tmp) / "wordllama")
        kinds = {"wordllama, 100 rows": (wordllama, "model2vec", 100, None), "wordllama, 400 rows": (wordllama, "model2vec", 400, None), "static MiniLM, 400 rows": (data.static_base(), "model2vec", 400, None),
                 "SetFit, frozen, 400 rows": (data.minilm(), "setfit", 400, {"num_epochs": 0}), f"SetFit, {args.steps} steps, 400 rows": (data.minilm(), "setfit", 400, {"max_steps": args.steps})}
        for name, (base, framework, n, kwargs) in kinds.items():
            print(name, task.distill(base, framework, train.select(range(n)), Path(tmp) / name, 0.1, train_kwargs=kwargs, seed=0, progress=False).metrics["run"]["seconds"], flush=True)
        found = compare({name: Path(tmp) / name for name in kinds}, parts["val"], teacher_cost=100, progress=False)
    found.save(RESULTS / "compare.json")
    print(found)


if __name__ == "__main__": main()
