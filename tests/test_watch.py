"""An update that is killed, at whatever moment, leaves a student in place, and it is the old one or the new one."""
from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
from sieves_distill import Classification, Doc, Student

import forked
from conftest import contents

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")

TASK = Classification(["sport", "tech"], multi_label=False, task_id="topic")
DOCS = [Doc(f"the {word} number {i}", results={"topic": topic}) for i in range(30)
        for topic, word in (("sport", "goal"), ("tech", "chip"))]
NAMES = "challenger", "student", "before"


def replace(place: Path, at: int, log: Path | None) -> None:
    "Replace the student in `place`, and die just before the change of a file of that number."
    from sieves_distill.watch.challenge import replace_student
    moments = []
    def change(event, args):
        writes = event == "open" and args[2] & os.O_ACCMODE
        if event not in {"os.mkdir", "os.rename", "os.remove", "os.rmdir"} and not writes: return
        moments.append(event)
        if len(moments) == at + 1: os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(change)
    replace_student(*(place / name for name in NAMES))
    if log is not None: log.write_text(str(len(moments)))


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    "Two students, and what is in their folders."
    from sieves_distill.testing import tiny_static_model
    where = tmp_path_factory.mktemp("students")
    base = tiny_static_model(where / "base", [doc.text for doc in DOCS])
    for seed, name in enumerate(("student", "challenger")):
        TASK.distill(base, "model2vec", DOCS, where / name, .2, seed=seed, progress=False)
    return where


def run(place: Path, folders: Path, at: int, log: Path | None = None) -> int:
    place.mkdir()
    for name in "student", "challenger": shutil.copytree(folders / name, place / name)
    process = forked.start(replace, place, at, log)
    process.join()
    return process.exitcode


def test_a_killed_update_leaves_a_student(folders, tmp_path):
    kinds = {name: contents(folders / name) for name in ("student", "challenger")}
    assert run(tmp_path / "whole", folders, -1, tmp_path / "log") == 0
    assert contents(tmp_path / "whole" / "student") == kinds["challenger"]
    assert contents(tmp_path / "whole" / "before") == kinds["student"]
    n, seen = int((tmp_path / "log").read_text()), []
    for at in range(0, n, max(1, n // 12)):
        place = tmp_path / str(at)
        assert run(place, folders, at) == -signal.SIGKILL
        in_place = contents(place / "student")
        seen += [name for name, content in kinds.items() if content == in_place]
        if seen[-1] == "challenger": assert contents(place / "before") == kinds["student"]
        assert Student.load(place / "student").predict(["the goal number 3"]) == ["sport"]
    assert len(seen) == len(range(0, n, max(1, n // 12))) and set(seen) == set(kinds)
