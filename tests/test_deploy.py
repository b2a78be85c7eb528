"""Exported students answer as the student does where nothing is installed but what their requirements.txt names."""
from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from pydantic import BaseModel
from sieves_distill import (
    NER, Doc, InformationExtraction, PIIMasking, QuestionAnswering, RelationExtraction, SentimentAnalysis, Student,
)
from sieves_distill.deploy.parity import HARD_TEXTS
from sieves_distill.deploy.replying import reply
from sieves_distill.testing import tiny_sentence_transformer, tiny_static_model

import old_folders
from conftest import ROOT, run

NAMES = sorted(path.stem for path in old_folders.FIXTURES.glob("*.json"))
FORMATS = {"model2vec": ("numpy",), "setfit": ("onnx", "onnx-int8")}
CASES = [(name, format) for name in NAMES for format in FORMATS[name.partition("_")[0]]]
# What onnxruntime imports besides numpy, where it is there
NEEDED = {"numpy": ("numpy", "tokenizers"), "onnx": ("numpy", "tokenizers", "onnxruntime", "google", "flatbuffers")}
ANSWER = """
import json, sys
sys.path[:0] = [sys.argv[2], sys.argv[1]]
from student import load
student, texts = load(sys.argv[1]), json.load(sys.stdin)
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps([student.predict_proba(texts).tolist(), student.predict(texts), loaded]))
"""


def packages(names: tuple, folder: Path) -> Path:
    "A folder in which these packages, and no others, can be imported."
    folder.mkdir()
    for name in names:
        module = importlib.import_module(name)
        for path in map(Path, getattr(module, "__path__", [])):
            if not (folder / name).exists(): (folder / name).symlink_to(path)
            libraries = path.with_name(f"{name}.libs")
            if libraries.is_dir(): (folder / libraries.name).symlink_to(libraries)
        if not hasattr(module, "__path__"): (folder / f"{name}.py").symlink_to(module.__file__)
    return folder


def answer_alone(folder: Path, texts: list[str], site: Path, code: str = ANSWER) -> tuple:
    "What student.py says in a Python that has no site-packages, and what it imported."
    command = [sys.executable, "-I", "-S", "-B", "-c", code, str(folder), str(site)]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, cwd=folder)
    assert not done.returncode, done.stderr
    return tuple(json.loads(done.stdout))


@pytest.mark.parametrize("name, format", CASES)
def test_answers_without_torch_and_this_package(name, format, tmp_path):
    student = Student.load(old_folders.FIXTURES / name)
    student.exact = True
    folder = student.export(tmp_path / "exported", format=format)
    texts = [*student.train_data["text"], *HARD_TEXTS]
    site = packages(NEEDED[format.partition("-")[0]], tmp_path / "site")
    proba, answers, modules = answer_alone(folder, texts, site)
    assert not {"torch", "transformers", "sieves_distill", "sklearn", "scipy", "onnx"} & set(modules)
    expected, about = student.predict_proba(texts), json.loads((folder / "student.json").read_text())
    np.testing.assert_allclose(proba, expected, rtol=0, atol=.1 if format == "onnx-int8" else 1e-6)
    if format != "onnx-int8": assert answers == student.predict(texts)
    assert about["parity"]["n_texts"] == len(student.val_data)
    assert about["parity"]["f1_before"] == pytest.approx(student.metrics["f1"], abs=.02)
    with pytest.raises(ValueError, match="student.py"): Student.load(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["Dockerfile", "README.md", "compose.yaml", "requirements-serve.txt", "requirements.txt", "serve.py",
         "student.json", "student.py", "tokenizer.json",
         *(["model.npz"] if format == "numpy" else ["head.npz", "model.onnx"])])


class Bill(BaseModel):
    number: str
    total: float | None = None
    currency: Literal["EUR", "USD"] = "EUR"


def letter(i: int) -> Doc:
    "A text that has an answer of each kind."
    name, sign, rating = ("Ada", "Bo", "Eve", "Tim")[i % 4], "€$"[i % 2], ("good", "bad", "fair")[i % 3]
    text = f"{name} wrote: bill no. A-{i} of {sign} {i}.50 is {rating}, ask {name.lower()}@example.org"
    start, score = text.index(name), {"good": .9, "fair": .5, "bad": .1}[rating]
    entity = {"text": name, "start": start, "end": start + len(name), "entity_type": "PERSON"}
    return Doc(text, results={
        "NER": [entity], "PIIMasking": text.replace(name, "[PERSON]").replace(f"{name.lower()}@example.org", "[EMAIL]"),
        "SentimentAnalysis": {"overall": score, "price": None if i % 5 else score},
        "InformationExtraction": Bill(number=f"A-{i}", total=i + .5, currency="EUR" if sign == "€" else "USD"),
        "QuestionAnswering": {"Who wrote?": name},
        "RelationExtraction": [{"head": {"text": name, "entity_type": "PERSON"}, "relation": "wrote",
                                "tail": {"text": f"A-{i}", "entity_type": "BILL"}}]})


TASKS = {task.task_id: task for task in [
    NER(["PERSON"]), PIIMasking(["PERSON", "EMAIL"]), SentimentAnalysis(["price"]),
    InformationExtraction(Bill, mode="single"), QuestionAnswering(["Who wrote?"]),
    RelationExtraction(["wrote"], ["PERSON", "BILL"])]}
CRF, RULES, DATES = ("numpy", "pycrfsuite"), ("phonenumbers", "stdnum"), ("dateutil", "six")
OTHERS = [  # a task, its framework, and what its folder needs
    ("NER", "crf", CRF), ("PIIMasking", "crf", CRF + RULES), ("SentimentAnalysis", "model2vec", NEEDED["numpy"]),
    ("InformationExtraction", "crf", CRF + DATES), ("QuestionAnswering", "crf", CRF + DATES),
    ("RelationExtraction", "crf", CRF), ("RelationExtraction", "model2vec", ("tokenizers", *CRF)),
    ("NER", "transformers", NEEDED["onnx"]),
    ("PIIMasking", "transformers", NEEDED["onnx"] + RULES), ("SentimentAnalysis", "setfit", NEEDED["onnx"]),
    ("InformationExtraction", "transformers", NEEDED["onnx"] + DATES),
    ("QuestionAnswering", "transformers", NEEDED["onnx"] + DATES),
    ("RelationExtraction", "transformers", (*NEEDED["onnx"], "pycrfsuite")),
]
BASES = {"model2vec": tiny_static_model, "setfit": tiny_sentence_transformer, "transformers": tiny_sentence_transformer}
STEPS = {"setfit": {"max_steps": 2}, "transformers": {"max_steps": 40, "learning_rate": 1e-2}}
REPLY = ANSWER.replace("student.predict_proba(texts).tolist()", "student.reply(texts)")


@pytest.mark.parametrize("name, framework, needed", OTHERS, ids=lambda part: part if isinstance(part, str) else "")
def test_all_kinds_answer_without_torch_and_this_package(name, framework, needed, tmp_path):
    docs = [letter(i) for i in range(40)]
    base = framework in BASES and BASES[framework](tmp_path / "base", [doc.text for doc in docs])
    student = TASKS[name].distill(base or None, framework, docs, tmp_path / "student", .2, seed=0, progress=False,
                                  train_kwargs=STEPS.get(framework))
    student.exact = True
    folder = student.export(tmp_path / "exported", format="onnx" if "onnxruntime" in needed else "numpy")
    texts = [*(doc.text for doc in docs), *HARD_TEXTS]
    replies, answers, modules = answer_alone(folder, texts, packages(needed, tmp_path / "site"), REPLY)
    assert not {"torch", "transformers", "sieves_distill", "sklearn", "scipy", "pydantic", "datasets"} & set(modules)
    assert replies == near(reply(student, texts), replies)
    assert any(str(value) != str(replies[-1]) for value in replies)  # something is named
    expected = [answer.model_dump(mode="json") if hasattr(answer, "model_dump") else answer
                for answer in student.predict(texts)]
    assert answers == near(expected, answers)


def near(expected, given):
    "What is expected, with the numbers that were found where they are nearly those expected."
    if isinstance(expected, dict): return {key: near(value, given[key]) for key, value in expected.items()}
    if isinstance(expected, list): return [near(*pair) for pair in zip(expected, given, strict=True)]
    close = isinstance(expected, float) and isinstance(given, float) and abs(expected - given) < 1e-5
    return given if close else expected


COMMAND = """
import os, sys
from sieves_distill.cli import app
try: app(sys.argv[1:])
finally: print(*sorted({"torch", "transformers", "datasets", "pandas", "sklearn", "scipy.stats"} & set(sys.modules)))
"""


def test_commands_on_a_small_folder_start_without_what_trains(tmp_path):
    "A native folder of static embeddings, too: scikit-learn and PyTorch take seconds to import."
    native = old_folders.FIXTURES / "model2vec_multi"
    exported = Student.load(native).export(tmp_path / "exported", format="numpy")
    (tmp_path / "in.csv").write_text("text\na goal\n", encoding="utf-8")
    for folder in native, exported:
        answer, loaded = run(sys.executable, "-c", COMMAND, "predict", folder, "a goal", cwd=ROOT).splitlines()
        assert loaded == ""
    rows, loaded = run(sys.executable, "-c", COMMAND, "label", exported, "in.csv", "out", cwd=tmp_path,
                       PYTHONPATH=str(ROOT)).splitlines()
    assert "1 rows" in rows and loaded == ""
