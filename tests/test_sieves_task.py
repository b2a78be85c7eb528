"""A student as a task of the real sieves, in a Python of its own: that of SIEVES_PYTHON, which has sieves 1.0.4.

    python3.12 -m venv sieves && sieves/bin/pip install sieves==1.0.4
    SIEVES_PYTHON=sieves/bin/python python -m pytest tests/test_sieves_task.py
"""
import json
import os

import pytest

from conftest import ROOT, run
from sieves_distill import Student

PYTHON = os.environ.get("SIEVES_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="SIEVES_PYTHON names no Python 3.12 with sieves")
FOLDERS = ROOT / "tests/fixtures/old_folders"
TEXTS = ["The team won the match.", "A new phone with a faster chip.", "Bread and cheese."]
CODE = """
import json, sys, warnings
warnings.simplefilter("ignore")
from sieves import Doc, Pipeline
from sieves_distill.deploy.sieves_task import StudentTask
folders, own, texts = json.loads(sys.argv[1])

def answered(pipeline, texts=texts):
    docs = list(pipeline([Doc(text=text) for text in texts], show_progress=False))
    return [{name: result and [type(result).__name__, result.model_dump()] for name, result in doc.results.items()}
            for doc in docs]

def refusal(function):
    try: function()
    except Exception as error: return [type(error).__name__, str(error)]

pipeline = Pipeline([StudentTask(folder, task_id=name, batch_size=2) for name, folder in folders.items()])
pipeline.dump("pipeline.yml")
loaded = Pipeline.load("pipeline.yml", [{} for _ in folders])
some = StudentTask(folders["single"], condition=lambda doc: "team" in doc.text)
doc = next(iter(some([Doc(text=texts[0])])))
print(json.dumps({
    "before": answered(pipeline), "after": answered(loaded), "ids": [task.id for task in loaded.tasks],
    "default id": some.id, "meta": doc.meta, "some": answered(Pipeline([some])),
    "own": refusal(lambda: StudentTask(own)), "gone": refusal(lambda: StudentTask("nowhere")),
    "empty": refusal(lambda: list(some._call([Doc(uri="a.pdf")]))),
    "heavy": sorted({"setfit", "model2vec", "sentence_transformers"} & set(sys.modules)),
}))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> dict:
    "What the code above says, and the probabilities of the students that it asks."
    where = tmp_path_factory.mktemp("sieves")
    students = {name: Student.load(FOLDERS / f"model2vec_{name}") for name in ("single", "multi")}
    folders = {name: str(student.export(where / name, "numpy")) for name, student in students.items()}
    own = str(FOLDERS / "model2vec_single")
    output = run(PYTHON, "-c", CODE, json.dumps([folders, own, TEXTS]), cwd=where, PYTHONPATH=str(ROOT))
    proba = {name: student.predict_proba(TEXTS).tolist() for name, student in students.items()}
    return {**json.loads(output.splitlines()[-1]), "students": students, "proba": proba}


def test_a_pipeline_says_what_the_student_says(told):
    single, multi = told["students"]["single"], told["students"]["multi"]
    for answers, label, row, many in zip(told["before"], single.predict(TEXTS), told["proba"]["single"],
                                         told["proba"]["multi"]):
        assert answers["single"][0] == "ResultSingleLabel" and answers["multi"][0] == "ResultMultiLabel"
        assert answers["single"][1]["label"] == label
        assert answers["single"][1]["score"] == pytest.approx(max(row), abs=1e-5)
        pairs = answers["multi"][1]["label_scores"]
        assert dict(map(tuple, pairs)) == pytest.approx(dict(zip(multi.labels, many)), abs=1e-5)
        assert [score for _, score in pairs] == sorted((score for _, score in pairs), reverse=True)


def test_a_pipeline_survives_its_file(told):
    assert told["after"] == told["before"] and told["ids"] == ["single", "multi"]


def test_it_is_a_task_like_others(told):
    assert told["default id"] == told["students"]["single"].task_id
    assert told["meta"][told["default id"]]["student"].endswith("single")
    assert [answers[told["default id"]] is None for answers in told["some"]] == [False, True, True]


def test_refusals_say_what_to_do(told):
    assert told["own"][0] == "ValueError" and "student.export(path, format='numpy' or 'onnx')" in told["own"][1]
    assert told["gone"][0] == "FileNotFoundError" and "found no such folder" in told["gone"][1]
    assert told["empty"] == ["TypeError", "document at position 0: found the text None (NoneType), expected a str"]


def test_nothing_of_training_is_imported(told):
    assert told["heavy"] == []
