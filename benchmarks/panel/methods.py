"""What learns from the rows of a cell: our two students, and their peers.

A method is a function of a `Cell` that returns what predicts: a function from texts to an array, label positions `(n,)`
or booleans `(n, n_labels)`, and the folder or object to weigh. Training ends when it returns. What is frozen is encoded
beforehand, and its time is not counted: that flatters the peers that stand on a frozen encoder.
"""
from __future__ import annotations

import pickle
import shutil
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy import sparse

from benchmarks import data, training
from benchmarks.panel.rows import Cell
from sieves_distill import Student
from sieves_distill.basics.disk import deployed_megabytes
from sieves_distill.basics.quiet import quiet
from sieves_distill.heads.logistic import rotate_features
from sieves_distill.train.recipe import Recipe


def _balanced_lr(multi: bool):
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    model = LogisticRegression(class_weight="balanced", max_iter=1000)
    return OneVsRestClassifier(model) if multi else model


def tfidf_lr(cell: Cell):
    "TF-IDF of words and pairs of words, balanced logistic regression"
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(words, _balanced_lr(cell.multi)).fit(cell.texts, cell.y)
    return model.predict, model


STRENGTHS = (.1, 1, 10, 100)


def _fit_strength(X, y, C: float):
    """Weights `(n_labels, dim + 1)` of a balanced logistic regression on sparse or dense rows, the last for the
    intercept; a label that all rows have or none is what it is"""
    from sklearn.linear_model import LogisticRegression
    fit = lambda y: LogisticRegression(C=C, class_weight="balanced", max_iter=300, tol=1e-3).fit(X, y)
    if y.ndim == 1: return fit(y)
    return [fit(labels) if labels.any() and not labels.all() else bool(labels.all()) for labels in y.T]


def _answers(model, X):
    if not isinstance(model, list): return model.predict(X)
    each = [np.full(X.shape[0], part) if isinstance(part, bool) else part.predict(X) for part in model]
    return np.stack(each, 1).astype(bool)


def _cross_validated(X, y):
    "Balanced logistic regression with the `C` that has the best macro-F1 in three folds; what answers features"
    from sklearn.model_selection import KFold, StratifiedKFold
    from threadpoolctl import threadpool_limits
    single = y.ndim == 1
    folds = (StratifiedKFold if single and np.bincount(y)[np.unique(y)].min() >= 3 else KFold)(3, shuffle=True,
                                                                                              random_state=0)
    # what thousands of features say of fewer rows is the same in the space that the rows span, and sooner
    Z, back = rotate_features(sparse.csr_matrix(X)) if X.shape[0] < X.shape[1] else (X, None)
    def score(C):
        held_out = np.zeros_like(y)
        for rest, held in folds.split(Z, y if single else None):
            held_out[held] = _answers(_fit_strength(Z[rest], y[rest], C), Z[held])
        return training.macro_f1(y, held_out)
    with threadpool_limits(1): model = _fit_strength(Z, y, max(STRENGTHS, key=score))
    if back is not None:
        for part in model if isinstance(model, list) else [model]:
            if not isinstance(part, bool): part.coef_ = np.asarray(back(part.coef_))
    for part in model if isinstance(model, list) else [model]:
        if not isinstance(part, bool): part.n_features_in_ = X.shape[1]
    return partial(_answers, model), model


def _tfidf(chars: bool):
    from sklearn.feature_extraction.text import TfidfVectorizer
    if chars: return TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)


def _counted(cell: Cell, chars: bool):
    "TF-IDF and a logistic regression whose C is chosen"
    counts = _tfidf(chars)
    answer, model = _cross_validated(counts.fit_transform(cell.texts), cell.y)
    return lambda texts: answer(counts.transform(texts)), (counts, model)


def words(cell: Cell):
    "TF-IDF of words and pairs of words, C by cross-validation"
    return _counted(cell, chars=False)


def chars(cell: Cell):
    "TF-IDF of pieces of two to five characters within words, C by cross-validation"
    return _counted(cell, chars=True)


def _embedded(cell: Cell, encoder: str, fit=_cross_validated):
    "What `fit` makes of embeddings: what answers them, and the model"
    answer, model = fit(cell.texts.encoded(encoder), cell.y)
    return lambda texts: answer(texts.encoded(encoder)), model


def static(cell: Cell):
    "The frozen static base, C by cross-validation"
    return _embedded(cell, "static")


def minilm(cell: Cell):
    "The frozen sentence encoder, C by cross-validation"
    return _embedded(cell, "minilm")


def minilm_words(cell: Cell):
    "The frozen sentence encoder and TF-IDF of words side by side, C by cross-validation"
    counts = _tfidf(chars=False).fit(cell.texts)
    both = lambda texts: sparse.hstack([sparse.csr_matrix(texts.encoded("minilm")), counts.transform(texts)], "csr")
    answer, model = _cross_validated(both(cell.texts), cell.y)
    return lambda texts: answer(both(texts)), (counts, model)


def _balanced(X, y):
    head = _balanced_lr(y.ndim > 1).fit(X, y)
    return head.predict, head


def static_lr(cell: Cell):
    "Balanced logistic regression on the frozen static base"
    return _embedded(cell, "static", _balanced)


def minilm_lr(cell: Cell):
    "Balanced logistic regression on the frozen sentence encoder"
    return _embedded(cell, "minilm", _balanced)


def model2vec_fit(cell: Cell):
    """`StaticModelForClassification.fit` with its defaults; sieves' `distill()` calls it so, for several labels a text
    (for one label it fails)"""
    from model2vec.train import StaticModelForClassification
    kind = training.task_of(cell.y, cell.names).kind
    with quiet():
        model = StaticModelForClassification.from_pretrained(data.static_base())
        model.fit(cell.texts, kind.decode(cell.y))
    pipeline = model.to_pipeline()
    return lambda texts: kind.encode(pipeline.predict(list(texts))), pipeline


def distil_cell(cell: Cell, framework: str, options: dict | None = None, **changed):
    "A student that is distilled, with its report; `options` are for `distill`, `changed` are fields of its recipe"
    task = training.task_of(cell.y, cell.names, cell.name)
    folder = Path(tempfile.mkdtemp()) / "student"
    rows = data.as_dataset(cell.texts + cell.held_texts, np.concatenate([cell.y, cell.y_held]), cell.names)
    recipe = {"recipe": replace(Recipe(), **changed)} if changed else {}
    student = task.distill(training.base(framework), framework, rows, folder, len(cell.held) / len(rows),
                           seed=cell.seed, progress=False, **recipe, **(options or {}))
    return lambda texts: training.answers(student, texts), student


def model2vec_student(cell: Cell):
    "Our Model2Vec student, with its defaults"
    return distil_cell(cell, "model2vec")


GUIDES = data.CACHE / "panel" / "guides"  # SetFit students, each until a Model2Vec student has learnt from it


def _guide(cell: Cell) -> Path: return GUIDES / f"{cell.name}-{len(cell.at)}-{cell.seed}-{cell.noise}"


def setfit_student(cell: Cell):
    "Our SetFit student, with its defaults"
    predict, student = distil_cell(cell, "setfit")
    if len(cell.rest): shutil.copytree(student.path, _guide(cell), dirs_exist_ok=True)
    return predict, student


def model2vec_guided(cell: Cell):
    """Our Model2Vec student, which learns from the texts of the pool that have no labels, too. The SetFit student of
    the same rows labels them; its time counts where it isn't there yet"""
    there = _guide(cell)
    guided = {"unlabelled": list(cell.rest), "guide": str(there if there.exists() else data.minilm())}
    predict, student = distil_cell(cell, "model2vec", guided)
    shutil.rmtree(there, ignore_errors=True)
    return predict, student


def no_names(X, names, hot) -> bool:
    "In place of the look whether names fit: they are left out in any case"
    return False


def setfit_unnamed(cell: Cell):
    "Our SetFit student, which isn't told what its labels are called: that of up to 300 rows learns their names"
    return distil_cell(cell, "setfit", names_fit=no_names)


def setfit_one_look(cell: Cell):
    "Our SetFit student, whose folds look at the labels once; with more than 1,000 rows they look twice"
    return distil_cell(cell, "setfit", looks=1)


STEP_CAP = 100
MOST_PAIRED = 200  # all pairs of more rows are made before the first step, and not used


def setfit_trainer(cell: Cell):
    "`setfit.Trainer` with its defaults, at most 100 steps"
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments
    texts, y = cell.texts, cell.y.astype(int)
    with quiet(), tempfile.TemporaryDirectory() as tmp:
        strategy = "multi-output" if cell.multi else None
        model = SetFitModel.from_pretrained(data.minilm(), multi_target_strategy=strategy)
        learn = np.arange(len(y))
        if len(y) > MOST_PAIRED: learn = np.random.default_rng(cell.seed).permutation(len(y))[:MOST_PAIRED]
        args = TrainingArguments(output_dir=tmp, max_steps=STEP_CAP, seed=cell.seed, report_to="none",
                                 save_strategy="no")
        pairs = {"text": [texts[i] for i in learn], "label": y[learn].tolist()}
        trainer = Trainer(model, args, train_dataset=Dataset.from_dict(pairs))
        trainer.train_embeddings(pairs["text"], pairs["label"])
        model.fit(list(texts), y.tolist(), num_epochs=1)

    def predict(texts):
        with quiet(): labels = np.asarray(model.predict(list(texts), as_numpy=True))
        return labels.astype(bool) if cell.multi else labels.astype(int)
    return predict, model


METHODS = {method.__name__: method for method in (
    tfidf_lr, static_lr, model2vec_fit, model2vec_student, minilm_lr, setfit_trainer, setfit_student, setfit_unnamed,
    setfit_one_look, model2vec_guided, words, chars, static, minilm, minilm_words)}
CHEAP = ["tfidf_lr", "static_lr", "model2vec_fit", "model2vec_student", "minilm_lr"]
TUNED = ["words", "chars", "static", "minilm", "minilm_words"]  # Peers whose C is chosen


def megabytes(thing) -> float:
    "What has to be deployed, on disk"
    if isinstance(thing, Student): return deployed_megabytes(thing.path)
    if not hasattr(thing, "save_pretrained"): return len(pickle.dumps(thing)) / 1e6
    with tempfile.TemporaryDirectory() as tmp:
        thing.save_pretrained(tmp)
        return deployed_megabytes(Path(tmp))
