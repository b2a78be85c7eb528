"""What a run says: its own warnings, one progress bar unless it is turned off, and nothing of the libraries below."""
from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

WORDS = {"sport": "ball goal team cup", "tech": "chip code screen app", "food": "bread soup salt cake"}
TEXTS = [f"{' '.join(words.split()[i % 4:] + words.split()[:2])} {i}" for i in range(20) for words in WORDS.values()]
BASES = {"model2vec": "tiny_static_model", "setfit": "tiny_sentence_transformer"}
RUNS = {  # what the libraries are asked to do, and what the bar then shows in turn
    "model2vec": ("model2vec", None, ["read", "linear", "evaluate", "done"]),
    "model2vec, fine-tuned": ("model2vec", {"max_epochs": 3}, ["read", "linear", "fine-tune", "evaluate", "done"]),
    "setfit": ("setfit", {"max_steps": 3}, ["read", "frozen encoder", "fine-tuned encoder", "evaluate", "done"]),
    "setfit, with its own pairs": ("setfit", {"max_steps": 3, "loss": "CosineSimilarityLoss"}, ["read", "frozen encoder", "fine-tuned encoder", "evaluate", "done"]),
}
SCRIPT = """
import json, sys
from sieves_distill import Classification, Doc, Student
base, framework, train_kwargs, folder, texts, labels, multi_label, options = json.load(sys.stdin)
if train_kwargs and "loss" in train_kwargs:
    from sentence_transformers.sentence_transformer import losses
    train_kwargs["loss"] = getattr(losses, train_kwargs["loss"])
docs = [Doc(text, results={"Classification": {label: 1.0} if multi_label else label}) for text, label in zip(texts, labels * len(texts))]
task = Classification(labels, multi_label=multi_label)
task.distill(base, framework, docs, folder, 0.25, train_kwargs=train_kwargs, seed=0, **options)
student = Student.load(folder)
student.predict(texts)
student(docs)
len(student.train_data), str(student.report)
"""
BAR = re.compile(r"(?P<stage>[a-z -]+?):? +(?P<share>\d+) % \|[^|]*\| \d\d:\d\d<(\d\d:\d\d|\?) *")
OURS = re.compile(r"<string>:\d+: UserWarning: less data than recommended: .*\n?")


@pytest.fixture(scope="module")
def bases(tmp_path_factory) -> dict[str, str]:
    from sieves_distill import testing
    return {framework: getattr(testing, make)(tmp_path_factory.mktemp(framework), TEXTS) for framework, make in BASES.items()}


def said(bases, name: str, folder: Path, multi_label: bool = False, flags=(), **options) -> tuple[str, str]:
    "The stdout and stderr of a script that distils, loads and predicts, without the warnings of our own."
    framework, train_kwargs, _ = RUNS[name]
    about = json.dumps([bases[framework], framework, train_kwargs, str(folder), TEXTS, list(WORDS), multi_label, options])
    done = subprocess.run([sys.executable, *flags, "-c", SCRIPT], input=about.encode(), capture_output=True, cwd=folder.parent)
    assert done.returncode == 0, done.stderr.decode()
    ours = OURS.findall(done.stderr.decode())
    assert len(ours) == (0 if flags else 1), "the warning is given once"
    return done.stdout.decode(), OURS.sub("", done.stderr.decode())


@pytest.mark.parametrize("name", RUNS)
def test_progress_is_one_bar(bases, name, tmp_path):
    out, err = said(bases, name, tmp_path / "student")
    assert out == ""
    assert err.startswith("\r") and err.endswith("\n") and err.count("\n") == 1, err
    shown = [frame for frame in err.strip().split("\r") if frame]
    noise = [frame for frame in shown if not BAR.fullmatch(frame)]
    assert not noise
    stages = [BAR.fullmatch(frame)["stage"] for frame in shown]
    expected = RUNS[name][2]
    assert [stage for stage, before in zip(stages, [None, *stages]) if stage != before] == [stage for stage in expected if stage in stages]
    assert {"read", "evaluate", "done"} <= set(stages) and BAR.fullmatch(shown[-1])["share"] == "100"


@pytest.mark.parametrize("name", RUNS)
def test_progress_can_be_turned_off(bases, name, tmp_path):
    assert said(bases, name, tmp_path / "student", progress=False) == ("", "")


@pytest.mark.parametrize("name", ["model2vec", "setfit"])
def test_several_labels_are_as_quiet(bases, name, tmp_path):
    assert said(bases, name, tmp_path / "student", multi_label=True, flags=["-W", "ignore"], progress=False) == ("", "")
