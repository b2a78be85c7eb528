"""Every name that a framework accepts in `train_kwargs` or `init_kwargs` is tried: what passes the check trains, and
what is not said to change nothing changes the model."""
from __future__ import annotations

import os
import random
from types import SimpleNamespace

import numpy as np
import pytest
from sieves_distill.basics.quiet import quiet
from sieves_distill.export.rows import Rows
from sieves_distill.tasks.kinds import kind_of
from sieves_distill.tasks.labels import Classification
from sieves_distill.testing import tiny_sentence_transformer, tiny_static_model
from sieves_distill.train.kwargs import check_kwargs, idle_notes, model2vec_names, setfit_names

WORDS = {"sports": "goal match cup team coach player", "tech": "chip phone cloud software code laptop",
         "law": "court judge trial law appeal verdict"}
TEXTS = [" ".join(random.Random(i).sample(words.split(), 4)) + " the a" for i in range(8) for words in WORDS.values()]
LABELS = [*WORDS] * 8
TASK = Classification(list(WORDS), multi_label=False)
KIND = kind_of(TASK)
HOT = KIND.one_hot(KIND.encode(LABELS))


OUT = "a folder for what is written"


def losses():
    from sentence_transformers import losses
    return losses


# Values that ask for something, each with what it needs beside it. Where there are none, the name is refused.
SETFIT_TRAIN = {
    "batch_size": [{"batch_size": 4}, {"batch_size": [4, 2]}], "body_learning_rate": [{"body_learning_rate": 1e-3}],
    "num_epochs": [{"num_epochs": 2, "max_steps": -1}, {"num_epochs": (.1, 1), "max_steps": -1}, {"num_epochs": 2}],
    "max_steps": [{"max_steps": 5}], "num_iterations": [{"num_iterations": 1, "max_steps": -1}],
    "warmup_proportion": [{"warmup_proportion": .9}], "l2_weight": [{"l2_weight": .5}],
    "max_length": [{"max_length": 3}], "seed": [{"seed": 5}],
    "loss": lambda: [{"loss": getattr(losses(), name)} for name in (
        "CosineSimilarityLoss", "ContrastiveLoss", "OnlineContrastiveLoss", "CoSENTLoss", "AnglELoss",
        "MultipleNegativesRankingLoss", "CachedMultipleNegativesRankingLoss", "BatchAllTripletLoss",
        "BatchHardTripletLoss", "BatchSemiHardTripletLoss", "BatchHardSoftMarginTripletLoss")] + [{"loss": supcon()}],
    "margin": [{"margin": .9}], "samples_per_label": [{"samples_per_label": 3}], "use_amp": [{"use_amp": True}],
    "distance_metric": lambda: [{"distance_metric": (distances := losses().BatchHardTripletLossDistanceFunction)
                                 .eucledian_distance},
                                {"distance_metric": distances.eucledian_distance,
                                 "loss": losses().BatchHardTripletLoss}],
    "sampling_strategy": [{"sampling_strategy": "unique"}], "end_to_end": [], "eval_strategy": [],
    "head_learning_rate": [{"head_learning_rate": 1.}], "evaluation_strategy": [], "eval_steps": [],
    "load_best_model_at_end": [], "eval_delay": [{"eval_delay": 1}], "eval_max_steps": [{"eval_max_steps": 1}],
    "metric_for_best_model": [{"metric_for_best_model": "loss"}], "greater_is_better": [{"greater_is_better": True}],
    "save_strategy": [{"save_strategy": "steps", "output_dir": OUT}],
    "output_dir": [{"output_dir": OUT}], "save_steps": [{"save_steps": 1}],
    "save_total_limit": [{"save_total_limit": 2}],
    "report_to": [{"report_to": "all"}, {"report_to": []}], "run_name": [{"run_name": "first"}],
    "logging_strategy": [{"logging_strategy": "steps"}], "logging_first_step": [{"logging_first_step": False}],
    "logging_steps": [{"logging_steps": 1}], "logging_dir": [{"logging_dir": OUT}],
    "show_progress_bar": [{"show_progress_bar": False}],
}
BESIDE_WEIGHTS = {"save_strategy", "report_to"}  # what they change is not the model
MODEL2VEC_TRAIN = {
    "learning_rate": [{"learning_rate": .1}], "batch_size": [{"batch_size": 2}],
    "min_epochs": [{"min_epochs": 9, "max_epochs": -1, "early_stopping_patience": 1}],
    "max_epochs": [{"max_epochs": 9}], "early_stopping_patience": [{"early_stopping_patience": 1, "max_epochs": 99}],
    "validation_steps": [{"validation_steps": 1}], "test_size": [{"test_size": .5}, {"test_size": 4}],
    "X_val": [{"X_val": TEXTS[:3], "y_val": LABELS[:3]}], "y_val": [{"X_val": TEXTS[:6], "y_val": LABELS[:6]}],
    "class_weight": [{"class_weight": dict.fromkeys(WORDS, 3.) | {"law": 1}}],
    "focal_gamma": [{"focal_gamma": 2.}], "token_dropout": [{"token_dropout": .5}],
    "random_seed": [{"random_seed": 7, "batch_size": 2}], "device": [{"device": "cpu"}],
}
# when it ends, and where it computes
SAME = {"device", "early_stopping_patience", "validation_steps", "min_epochs", "X_val", "y_val"}


def supcon():
    from setfit.losses import SupConLoss
    return SupConLoss


def cases(table) -> list:
    "Each name with each of its values; what imports a library does so in the test."
    return [pytest.param(name, i, id=f"{name}-{i}") for name, values in table.items()
            for i in range(13 if callable(values) else len(values))]


def values_of(table, name: str, i: int, folder) -> dict:
    values = table[name]() if callable(table[name]) else table[name]
    if i >= len(values): pytest.skip("no such value")
    return {key: str(folder) if value is OUT else value for key, value in values[i].items()}


def test_tables_hold_all_names():
    assert set(SETFIT_TRAIN) == set(setfit_names()["train_kwargs"])
    assert set(MODEL2VEC_TRAIN) == set(model2vec_names()["train_kwargs"])


@pytest.fixture(scope="module")
def setfit(tmp_path_factory):
    "A function from `train_kwargs` to the weights of an encoder, fine-tuned with them."
    from setfit import SetFitModel
    from tqdm.auto import tqdm
    from sieves_distill.train.contrast import fine_tune_body, n_steps, setfit_arguments
    base = tiny_sentence_transformer(tmp_path_factory.mktemp("base") / "base", TEXTS)
    def tune(**kwargs):
        with quiet():
            model, args = SetFitModel.from_pretrained(base, labels=KIND.labels), setfit_arguments(kwargs, 0)
            fine_tune_body(model, TEXTS, HOT, np.ones(len(TEXTS)), args, "loss" in kwargs, n_steps(len(TEXTS), args),
                           tqdm(disable=True))
        return np.concatenate([p.detach().numpy().ravel() for p in model.model_body.parameters()])
    return SimpleNamespace(tune=tune, weights={"": tune(max_steps=3), "epochs": tune()})


@pytest.mark.parametrize("name, i", cases(SETFIT_TRAIN))
def test_setfit_train_kwargs(setfit, name, i, tmp_path):
    given = {"max_steps": 3, **values_of(SETFIT_TRAIN, name, i, tmp_path / "out")}
    before = set(os.listdir())
    [kwargs] = check_kwargs("setfit", KIND, train_kwargs=given)
    idle = any(note.startswith(f"{name} ") for note in idle_notes("setfit", KIND, train_kwargs=given))
    weights = setfit.tune(**kwargs)
    beside = "epochs" if given["max_steps"] == -1 else ""
    assert np.allclose(weights, setfit.weights[beside], atol=1e-8) == (idle or name in BESIDE_WEIGHTS)
    assert bool(list(tmp_path.rglob("checkpoint-*"))) == (name == "save_strategy")
    assert set(os.listdir()) == before


def test_setfit_refuses_the_rest():
    for name in (name for name, values in SETFIT_TRAIN.items() if values == []):
        with pytest.raises(ValueError, match=f"{name}=.* cannot work"):
            check_kwargs("setfit", KIND, train_kwargs={name: "steps"})


@pytest.fixture(scope="module")
def model2vec(tmp_path_factory):
    "A function from kwargs to what a model, trained with them, says of texts."
    from model2vec import StaticModel
    from sieves_distill.train.lesson import Lesson
    from sieves_distill.train.model2vec import _fine_tune, fit_token_table
    from sieves_distill.train.recipe import Recipe
    static = StaticModel.from_pretrained(tiny_static_model(tmp_path_factory.mktemp("base") / "words", TEXTS))
    rows = Rows(TEXTS, KIND.encode(LABELS), KIND)
    table = fit_token_table(static, rows, TASK, 0, Recipe())
    def tune(init=None, **kwargs):
        lesson = Lesson(rows, TASK, "", Recipe(), init_kwargs=init or {}, train_kwargs=kwargs)
        with quiet(): return _fine_tune(static, table, rows, rows[np.arange(6)], lesson).predict_proba(TEXTS)
    return SimpleNamespace(tune=tune, proba=tune(max_epochs=3))


@pytest.mark.parametrize("name, i", cases(MODEL2VEC_TRAIN))
def test_model2vec_train_kwargs(model2vec, name, i, tmp_path):
    given = {"max_epochs": 3, **values_of(MODEL2VEC_TRAIN, name, i, tmp_path)}
    [kwargs] = check_kwargs("model2vec", KIND, train_kwargs=given)
    proba = model2vec.tune(**kwargs)
    assert np.isfinite(proba).all()
    if name not in SAME: assert not np.allclose(proba, model2vec.proba, atol=1e-8)


@pytest.mark.parametrize("init", [
    {"n_layers": 1}, {"n_layers": 1, "hidden_dim": 8}, {"freeze": True}, {"normalize": True}, {"freeze_weights": False},
    {"freeze_weights": True}, {"max_length": 2}, {"hidden_dim": 8}])
def test_model2vec_init_kwargs(model2vec, init):
    [kwargs] = check_kwargs("model2vec", KIND, init_kwargs=init)
    idle = bool(idle_notes("model2vec", KIND, init_kwargs=init)) or init == {"freeze_weights": True}
    assert np.allclose(model2vec.tune(kwargs, max_epochs=3), model2vec.proba, atol=1e-8) == idle
