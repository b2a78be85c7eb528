"""What a run says: its own warnings, one progress bar unless it is turned off, and nothing of the libraries below."""
from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import forked

WORDS = {"sport": "ball goal team cup", "tech": "chip code screen app", "food": "bread soup salt cake"}
TEXTS = [f"{' '.join(words.split()[i % 4:] + words.split()[:2])} {i}" for i in range(20) for words in WORDS.values()]
BASES = {"model2vec": "tiny_static_model", "setfit": "tiny_sentence_transformer"}
RUNS = {  # what the libraries are asked to do, and what the bar then shows in turn
    "model2vec": ("model2vec", None, ["read", "linear", "evaluate", "done"]),
    "model2vec, fine-tuned": ("model2vec", {"max_epochs": 3}, ["read", "linear", "fine-tune", "evaluate", "done"]),
    "setfit": ("setfit", {"max_steps": 3}, ["read", "frozen encoder", "fine-tuned encoder", "evaluate", "done"]),
    "setfit, with its own pairs": ("setfit", {"max_steps": 3, "loss": "CosineSimilarityLoss"},
                                   ["read", "frozen encoder", "fine-tuned encoder", "evaluate", "done"]),
}
SCRIPT = """
import json, sys
from sieves_distill import Classification, Doc, Student
base, framework, train_kwargs, folder, texts, labels, multi_label, options = json.load(sys.stdin)
if train_kwargs and "loss" in train_kwargs:
    from sentence_transformers.sentence_transformer import losses
    train_kwargs["loss"] = getattr(losses, train_kwargs["loss"])
docs = [Doc(text, results={"Classification": {label: 1.0} if multi_label else label})
        for text, label in zip(texts, labels * len(texts))]
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
    return {framework: getattr(testing, make)(tmp_path_factory.mktemp(framework), TEXTS)
            for framework, make in BASES.items()}


def run_script(about: str, folder: Path, ignore: bool) -> None:
    "Run the script in this process, stdout and stderr going to files in `folder`."
    for descriptor, name in (1, "stdout"), (2, "stderr"):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), descriptor)
    sys.stdin = io.StringIO(about)
    os.chdir(folder)
    if ignore: warnings.simplefilter("ignore")
    exec(compile(SCRIPT, "<string>", "exec"), {"__name__": "__main__"})


def printed(bases, name: str, folder: Path, multi_label=False, ignore=False, fresh=False, **options) -> tuple[str, str]:
    """The stdout and stderr of a script that distils, loads and predicts, without the warnings of our own.

    In a `fresh` Python what is imported is heard too; else the process is forked from one that has imported it."""
    framework, train_kwargs, _ = RUNS[name]
    about = json.dumps([bases[framework], framework, train_kwargs, str(folder), TEXTS, list(WORDS), multi_label,
                        options])
    if fresh:
        flags = ["-W", "ignore"] if ignore else []
        done = subprocess.run([sys.executable, *flags, "-c", SCRIPT], input=about.encode(), capture_output=True,
                              cwd=folder.parent)
        code, out, err = done.returncode, done.stdout.decode(), done.stderr.decode()
    else:
        process = forked.start(run_script, about, folder.parent, ignore)
        process.join()
        code = process.exitcode
        out, err = ((folder.parent / file).read_bytes().decode() for file in ("stdout", "stderr"))
    assert code == 0, err
    ours = OURS.findall(err)
    assert len(ours) == (0 if ignore else 1), "the warning is given once"
    return out, OURS.sub("", err)


@pytest.mark.parametrize("name", RUNS)
def test_progress_is_one_bar(bases, name, tmp_path):
    out, err = printed(bases, name, tmp_path / "student")
    assert out == ""
    assert err.startswith("\r") and err.endswith("\n") and err.count("\n") == 1, err
    shown = [frame for frame in err.strip().split("\r") if frame]
    noise = [frame for frame in shown if not BAR.fullmatch(frame)]
    assert not noise
    stages = [BAR.fullmatch(frame)["stage"] for frame in shown]
    expected = RUNS[name][2]
    in_turn = [stage for stage, before in zip(stages, [None, *stages]) if stage != before]
    assert in_turn == [stage for stage in expected if stage in stages]
    assert {"read", "evaluate", "done"} <= set(stages) and BAR.fullmatch(shown[-1])["share"] == "100"


@pytest.mark.parametrize("name", RUNS)
def test_progress_can_be_turned_off(bases, name, tmp_path):
    assert printed(bases, name, tmp_path / "student", fresh=True, progress=False) == ("", "")


@pytest.mark.parametrize("name", ["model2vec", "setfit"])
def test_several_labels_are_as_quiet(bases, name, tmp_path):
    assert printed(bases, name, tmp_path / "student", multi_label=True, ignore=True, progress=False) == ("", "")
