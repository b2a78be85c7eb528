"""Both students and their peers on the same rows: macro-F1 on a held-out test set with gold labels, seconds, texts/s, MB.

    python benchmarks/quality.py [--seeds 0 1 2] [--sizes 100 500] [--data bbc attack tweets] [--frameworks model2vec setfit]

Gold labels stand in for the teacher. Each cell is a line in quality.jsonl; cells that are there are not run again. The table is printed, and written to quality.md.
"""
from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
from datasets import ClassLabel, Dataset, Features, List, Value
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

import data
from sieves_distill import Classification, split_dataset
from sieves_distill.student import quiet

HERE = Path(__file__).parent
RESULTS, TABLE = HERE / "quality.jsonl", HERE / "quality.md"
HELD_BACK = 3  # rows that a student holds out for its report: as few as can be, so that students and peers learn from the same number
PEERS = {"tfidf_lr": "TF-IDF + LR", "frozen_lr": "LR on its frozen encoder", "student": "student"}


def rows(name: str, size: int, seed: int, n_test: int = 400):
    "Train and test datasets, stratified, and the task"
    texts, y, names = data.LOADERS[name]()
    multi = y.ndim == 2
    features = Features({"text": Value("string"), "labels": List(Value("bool")) if multi else ClassLabel(names=names)})
    everything = Dataset.from_dict({"text": texts, "labels": y.tolist()}, features)
    n_test = min(n_test, len(texts) - size - HELD_BACK)
    with quiet():
        parts = split_dataset(everything, n_test / len(texts), seed=seed)
        rest, n = parts["train"], size + HELD_BACK
        train = rest if len(rest) == n else split_dataset(rest, n / len(rest), seed=seed)["val"]
    return train, parts["val"], Classification(names, multi_label=multi, task_id=name)


def lr(multi: bool):
    model = LogisticRegression(class_weight="balanced", max_iter=1000)
    return OneVsRestClassifier(model) if multi else model


def macro_f1(truth, predicted) -> float:
    present = np.flatnonzero(truth.any(0)) if truth.ndim == 2 else np.unique(truth)
    return float(f1_score(truth, predicted, labels=present, average="macro", zero_division=0))


def timed(function):
    start = time.perf_counter()
    return function(), time.perf_counter() - start


def encoder(framework: str):
    if framework == "setfit":
        from sentence_transformers import SentenceTransformer
        with quiet(): model = SentenceTransformer(data.minilm(), device="cpu")
        return lambda texts: model.encode(texts, show_progress_bar=False)
    from model2vec import StaticModel
    model = StaticModel.from_pretrained(data.static_base())
    return lambda texts: model.encode(texts).astype("float32")


def cell(name: str, size: int, seed: int, framework: str) -> dict:
    train, test, task = rows(name, size, seed)
    multi, frozen = task.multi_label, encoder(framework)
    base = data.minilm() if framework == "setfit" else data.static_base()
    with tempfile.TemporaryDirectory() as tmp:
        student = task.distill(base, framework, train, f"{tmp}/student", HELD_BACK / len(train), seed=seed, progress=False)
        learned, run = student.train_data, student.metrics["run"]
        texts, answers = list(test["text"]), np.array(test["labels"])
        student.predict(texts[:32])  # load what is loaded lazily
        proba, seconds = timed(lambda: student.predict_proba(texts))
    x, y = list(learned["text"]), np.array(learned["labels"])
    tfidf, tfidf_seconds = timed(lambda: make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), lr(multi)).fit(x, y))
    head, head_seconds = timed(lambda: lr(multi).fit(frozen(x), y))
    return {
        "data": name, "size": size, "seed": seed, "framework": framework, "n_train": len(x), "n_test": len(texts), "mean_words": float(np.mean([len(t.split()) for t in texts])),
        "f1": {"student": macro_f1(answers, proba > .5 if multi else proba.argmax(1)), "tfidf_lr": macro_f1(answers, tfidf.predict(texts)), "frozen_lr": macro_f1(answers, head.predict(frozen(texts)))},
        "train_seconds": {"student": run["seconds"]["train"], "tfidf_lr": tfidf_seconds, "frozen_lr": head_seconds},
        "texts_per_second": len(texts) / seconds, "megabytes": run["megabytes"], "recipe": run["recipe"],
        "versions": {**run["versions"], "processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
    }


def table(cells: list[dict]) -> str:
    "One line for each data set, size and framework: means over the seeds"
    lines = ["| data | train | test | seeds | framework | student | LR on its frozen encoder | TF-IDF + LR | training, s | texts/s | MB |", "|---|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|"]
    groups: dict = {}
    for c in cells: groups.setdefault((c["data"], c["size"], c["framework"]), []).append(c)
    for (name, size, framework), found in sorted(groups.items()):
        mean = lambda get: np.mean([get(c) for c in found])
        spread = f" ±{np.std([c['f1']['student'] for c in found]):.3f}" if len(found) > 1 else ""
        lines.append(f"| {name} | {size} | {found[0]['n_test']} | {len(found)} | {framework} | **{mean(lambda c: c['f1']['student']):.3f}**{spread} | {mean(lambda c: c['f1']['frozen_lr']):.3f} | "
                     f"{mean(lambda c: c['f1']['tfidf_lr']):.3f} | {mean(lambda c: c['train_seconds']['student']):.1f} | {mean(lambda c: c['texts_per_second']):,.0f} | {mean(lambda c: c['megabytes']):.1f} |")
    where = cells[-1]["versions"]
    return "\n".join(lines) + (f"\n\nMacro-F1 on held-out gold labels; mean over the seeds (± standard deviation between them). `python benchmarks/quality.py`, "
                               f"{where['cores']} cores ({where['processor']}), Python {where['python']}, scikit-learn {where['scikit-learn']}.\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--data", nargs="+", default=["bbc", "attack", "tweets"])
    parser.add_argument("--frameworks", nargs="+", default=["model2vec", "setfit"])
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    cells = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    known = {(c["data"], c["size"], c["seed"], c["framework"]) for c in cells}
    for seed in args.seeds:
        for framework in args.frameworks:
            for name in args.data:
                for size in args.sizes:
                    if (name, size, seed, framework) in known: continue
                    found = cell(name, size, seed, framework)
                    cells.append(found)
                    with RESULTS.open("a") as file: file.write(json.dumps(found) + "\n")
                    print(name, size, seed, framework, {k: round(v, 3) for k, v in found["f1"].items()}, f"{found['train_seconds']['student']:.1f} s", found["recipe"], flush=True)
    TABLE.write_text(table(cells))
    print(table(cells))


if __name__ == "__main__": main()
