"""Folders that an earlier version wrote are loaded, and predict, report and keep their rows as they did then.

tools/old_folders.py wrote them."""
from __future__ import annotations

import json
import re

import numpy as np
import pytest
from sieves_distill import Student

import old_folders

NAMES = sorted(path.stem for path in old_folders.FIXTURES.glob("*.json"))


@pytest.fixture(params=NAMES)
def name(request) -> str: return request.param


@pytest.fixture
def recorded(name) -> dict: return json.loads((old_folders.FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def assert_predicts(student: Student, recorded: dict) -> None:
    "To the bit on a machine like the one that wrote the folder; elsewhere as nearly as two machines agree."
    same_machine = recorded["machine"] == old_folders.machine()
    proba = student.predict_proba(recorded["texts"])
    if same_machine: np.testing.assert_array_equal(proba, recorded["proba"])
    else: np.testing.assert_allclose(proba, recorded["proba"], atol=.03)  # either may compute in bfloat16
    if same_machine: assert student.predict(recorded["texts"]) == recorded["predicted"]
    student.exact = True
    proba = student.predict_proba(recorded["texts"])
    if same_machine: np.testing.assert_array_equal(proba, recorded["exact_proba"])
    else: np.testing.assert_allclose(proba, recorded["exact_proba"], rtol=0, atol=1e-6)
    assert student.predict(recorded["texts"]) == recorded["exactly_predicted"]
    student.exact = False


def test_all_kinds_are_there():
    assert NAMES == sorted(old_folders.FOLDERS)


def test_predicts_the_same(name, recorded):
    assert_predicts(Student.load(old_folders.FIXTURES / name), recorded)


def test_keeps_what_it_was(name, recorded):
    folder = old_folders.FIXTURES / name
    student = Student.load(folder)
    assert student.labels == recorded["labels"] and student.multi_label is recorded["multi_label"]
    assert student.framework.value == recorded["framework"] and student.task_id == "topic"
    assert student.metrics == json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    first, verdict = recorded["verdict"].partition(" Its probabilities")[0], student.report.verdict
    assert verdict.startswith(first.partition("documents")[0])  # the words may be others today,
    for figure in re.findall(r"[-+]?\d\.\d{3}", first):  # the figures not, but for the sign of none at all
        assert figure.replace("-0.000", "+0.000") in verdict
    assert len(student.train_data) == recorded["rows"] == student.metrics["run"]["rows"]["train"]["n"]


def test_written_again_it_predicts_the_same(name, recorded, tmp_path):
    Student.load(old_folders.FIXTURES / name).save_pretrained(tmp_path / "again")
    assert_predicts(Student.load(tmp_path / "again"), recorded)


def test_a_table_of_tokens_counts():
    "The folder that has one would predict otherwise without it."
    student = Student.load(old_folders.FIXTURES / "setfit_table")
    texts = [text for text in old_folders.UNSEEN if text]
    assert not np.allclose(student.predict_proba(texts), student.native.predict_proba(texts), atol=.03)
