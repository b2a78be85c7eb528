"""What learns from the rows of a cell: our two students, and their peers.

A method is a function of a `Rows` that returns what predicts: a function from texts to an array, label positions `(n,)` or booleans `(n, n_labels)`, and the folder or
object to weigh. Training ends when it returns. What is frozen is encoded beforehand, and its time is not counted: that flatters the peers that stand on a frozen encoder.
"""
from __future__ import annotations

import pickle
import tempfile
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks import data
from benchmarks.panel import rows


@dataclass
class Rows:
    "What a method learns from: texts with labels that may be wrong"
    name: str
    seed: int
    at: np.ndarray  # positions in the pool, for what is encoded beforehand
    y: np.ndarray
    held: np.ndarray  # the rows that `distill` wants for its report, with their labels
    y_held: np.ndarray

    @property
    def multi(self) -> bool: return self.y.ndim == 2

    @property
    def names(self) -> list[str]: return rows.pool(self.name)[2]

    def texts(self, at=None) -> list[str]: return [rows.pool(self.name)[0][i] for i in (self.at if at is None else at)]

    def dataset(self):
        "All rows, those held for the report as well, as `distill` takes them"
        from datasets import ClassLabel, Dataset, Features, List, Value
        features = Features({"text": Value("string"), "labels": List(Value("bool")) if self.multi else ClassLabel(names=self.names)})
        return Dataset.from_dict({"text": self.texts(np.concatenate([self.at, self.held])), "labels": np.concatenate([self.y, self.y_held]).tolist()}, features)

    def as_names(self, y): return [[self.names[j] for j in np.flatnonzero(row)] for row in y] if self.multi else [self.names[j] for j in y]

    def as_array(self, named):
        "Label names, as a model gives them, as label positions or booleans"
        if not self.multi: return np.array([self.names.index(str(n)) for n in named])
        return np.array([[name in row for name in self.names] for row in named])


def _lr(multi: bool):
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    model = LogisticRegression(class_weight="balanced", max_iter=1000)
    return OneVsRestClassifier(model) if multi else model


def tfidf_lr(r: Rows):
    "TF-IDF of words and pairs of words, balanced logistic regression"
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), _lr(r.multi)).fit(r.texts(), r.y)
    return model.predict, model


def _frozen_lr(r: Rows, encoder: str):
    head = _lr(r.multi).fit(rows.encoded(r.name, encoder)[r.at], r.y)
    return lambda texts: head.predict(_encode(encoder, texts)), head


def _encode(encoder: str, texts):
    "From what is on disk where the texts are those of a pool"
    name, at = texts.cell
    return rows.encoded(name, encoder)[at]


def static_lr(r: Rows):
    "Balanced logistic regression on the frozen static base"
    return _frozen_lr(r, "static")


def minilm_lr(r: Rows):
    "Balanced logistic regression on the frozen sentence encoder"
    return _frozen_lr(r, "minilm")


def model2vec_fit(r: Rows):
    "`StaticModelForClassification.fit` with its defaults; sieves' `distill()` calls it so, for several labels a text (for one label it fails)"
    from model2vec.train import StaticModelForClassification
    from sieves_distill.basics.quiet import quiet
    with quiet():
        model = StaticModelForClassification.from_pretrained(data.static_base())
        model.fit(r.texts(), r.as_names(r.y))
    pipeline = model.to_pipeline()
    return lambda texts: r.as_array(pipeline.predict(list(texts))), pipeline


def _student(r: Rows, framework: str, base: str):
    from sieves_distill import Classification
    folder = Path(tempfile.mkdtemp()) / "student"
    task = Classification(r.names, multi_label=r.multi, task_id=r.name)
    student = task.distill(base, framework, r.dataset(), folder, len(r.held) / (len(r.at) + len(r.held)), seed=r.seed, progress=False)
    return lambda texts: r.as_array(student.predict(list(texts))), student


def model2vec_student(r: Rows):
    "Our Model2Vec student, with its defaults"
    return _student(r, "model2vec", data.static_base())


def setfit_student(r: Rows):
    "Our SetFit student, with its defaults"
    return _student(r, "setfit", data.minilm())


def no_names(X, names, hot) -> bool:
    "In place of the look whether names fit: they are left out in any case"
    return False


def setfit_unnamed(r: Rows):
    "Our SetFit student, which isn't told what its labels are called: that of up to 300 rows learns their names"
    with patch("sieves_distill.train.setfit.names_fit", no_names): return setfit_student(r)


def setfit_one_look(r: Rows):
    "Our SetFit student, whose folds look at the labels once; with more than 1,000 rows they look twice"
    with patch("sieves_distill.heads.folds.LOOKS", 1): return setfit_student(r)


STEP_CAP = 100


def setfit_trainer(r: Rows):
    "`setfit.Trainer` with its defaults, at most 100 steps"
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments
    from sieves_distill.basics.quiet import quiet
    y = r.y.astype(int)
    with quiet(), tempfile.TemporaryDirectory() as tmp:
        model = SetFitModel.from_pretrained(data.minilm(), multi_target_strategy="multi-output" if r.multi else None)
        learn = np.arange(len(y))
        if len(y) > 200: learn = np.random.default_rng(r.seed).permutation(len(y))[:200]  # all pairs of more rows are made before the first step, and not used
        args = TrainingArguments(output_dir=tmp, max_steps=STEP_CAP, seed=r.seed, report_to="none", save_strategy="no")
        texts = r.texts()
        trainer = Trainer(model, args, train_dataset=Dataset.from_dict({"text": [texts[i] for i in learn], "label": y[learn].tolist()}))
        trainer.train_embeddings([texts[i] for i in learn], y[learn].tolist())
        model.fit(texts, y.tolist(), num_epochs=1)

    def predict(texts):
        with quiet(): out = np.asarray(model.predict(list(texts), as_numpy=True))
        return out.astype(bool) if r.multi else out.astype(int)
    return predict, model


METHODS = {f.__name__: f for f in (tfidf_lr, static_lr, model2vec_fit, model2vec_student, minilm_lr, setfit_trainer, setfit_student, setfit_unnamed, setfit_one_look)}
CHEAP = ["tfidf_lr", "static_lr", "model2vec_fit", "model2vec_student", "minilm_lr"]


def megabytes(thing) -> float:
    "What has to be deployed, on disk"
    from sieves_distill import Student
    if isinstance(thing, Student): return sum(f.stat().st_size for f in thing.path.rglob("*") if f.is_file() and thing.path / "data" not in f.parents) / 1e6
    if hasattr(thing, "save_pretrained"):
        with tempfile.TemporaryDirectory() as tmp:
            thing.save_pretrained(tmp)
            return sum(f.stat().st_size for f in Path(tmp).rglob("*") if f.is_file()) / 1e6
    return len(pickle.dumps(thing)) / 1e6
