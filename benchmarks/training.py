"""Students of exactly the rows that they are given, without a report and without a folder; and how good answers are."""
from __future__ import annotations

import numpy as np
from sklearn.metrics import f1_score

from benchmarks import data
from sieves_distill import Classification
from sieves_distill.export.rows import Rows
from sieves_distill.students.frameworks import FRAMEWORKS
from sieves_distill.train.lesson import Lesson, Trained
from sieves_distill.train.recipe import Recipe


def base(framework: str) -> str:
    "Path of the base model that the benchmarks' students start from"
    return data.minilm() if framework == "setfit" else data.static_base()


def task_of(y, names, task_id: str | None = None) -> Classification:
    "The task that labels, as the loaders give them, answer; `names` may be a mapping of name to description"
    return Classification(names, multi_label=np.asarray(y).ndim == 2, task_id=task_id)


def train(framework: str, texts, y, names, seed: int = 0, *, recipe: Recipe = Recipe(), scores=None,
          **train_kwargs) -> Trained:
    """A student of these texts and labels, and how it was made; `names` as for `task_of`, `scores` are the teacher's,
    `(n, n_labels)`"""
    task = task_of(y, names)
    rows = Rows(list(texts), np.asarray(y), task.kind, scores)
    lesson = Lesson(rows, task, base(framework), recipe, seed, train_kwargs=train_kwargs)
    return FRAMEWORKS[framework].part("train")(lesson)


def answers(student, texts):
    "What a student says of texts: label positions `(n,)`, or booleans `(n, n_labels)`"
    return student.kind.decide(student.predict_proba(list(texts)))


def macro_f1(truth, predicted) -> float:
    "Over the labels that the test rows have"
    present = np.flatnonzero(truth.any(0)) if truth.ndim == 2 else np.unique(truth)
    return float(f1_score(truth, predicted, labels=present, average="macro", zero_division=0))
