"""A run that is killed, at whatever moment, leaves the folder as it was or the new one whole, and the next run clears
up after it.

What a kill leaves is what is on the disk at that moment. So one run is copied at each of its moments, and every copy is
looked at; that a copy is what a kill leaves is tested by real ones."""
from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings
from functools import wraps
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sieves_distill import Classification, Doc, Student

import forked
from conftest import changes, contents

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")

WORDS = {"sport": "ball goal team cup", "tech": "chip code screen app", "food": "bread soup salt cake"}
TASK = Classification(list(WORDS), multi_label=False, task_id="topic")
DOCS = [Doc(" ".join(random.Random(i).choices(words.split(), k=6)) + f" {i}", results={"topic": label})
        for i in range(20) for label, words in WORDS.items()]
TEXTS = [doc.text for doc in DOCS]
TRAIN = {"model2vec": None, "setfit": {"max_steps": 3}}
QUICK = {"count_weights": (1,), "strengths": (1,)}  # of a recipe: how good the student is, is not the point
# Of a run's moments, those at which it is interrupted, and of those around the swap (1: each; it takes minutes)
EVERY, AROUND = {"model2vec": 4, "setfit": 20}, {"model2vec": 3, "setfit": 8}
SWAP = "new_folder", "_take_place", "_exchange"
TIMED = {"metrics.json", "README.md"}  # they say how long the run took


def untraced(function):
    "`function`, where no line is watched: to watch costs more than to train."
    @wraps(function)
    def call(*args, **kwargs):
        trace = sys.gettrace()
        sys.settrace(None)
        try: return function(*args, **kwargs)
        finally: sys.settrace(trace)
    return call


def watch(moments: list[str], at: int | str | None, do, each) -> None:
    """Name in `moments` each line of the code that makes the folder, and each change of a file, just before it happens;
    call `do` at the one of that number or name, and `each` with every name."""
    from sieves_distill.basics import disk
    from sieves_distill.train import distillation
    functions = (distillation.distill, distillation._save, distillation._write_report, Student.save_pretrained,
                 disk.new_folder.__wrapped__, disk._take_place, disk._exchange)
    steps = {f.__code__ for f in functions}
    def moment(name: str):
        moments.append(name)
        each(name)
        if at in (len(moments) - 1, name): do()
    def change(event, args):
        writes = event == "open" and args[2] & os.O_ACCMODE
        if event in {"os.mkdir", "os.rename", "os.remove", "os.rmdir"} or writes:
            moment(f"{event} {os.path.basename(str(args[0]))}")
    def line(frame, event, _):
        if event == "line": moment(f"{frame.f_code.co_name}:{frame.f_lineno}")
        return line
    for name in "_read", "_train", "_evaluate":  # none of the steps is within
        setattr(distillation, name, untraced(getattr(distillation, name)))
    sys.addaudithook(change)
    sys.settrace(lambda frame, *_: line if frame.f_code in steps else None)


def work(base: str, framework: str, folder: Path, seed: int, at: int | str | None, number: int, log: Path | None,
         exchange: bool, each=lambda name: None) -> None:
    "Distil; at moment `at` send this process the signal `number`; call `each` with the name of every moment."
    from sieves_distill.basics import disk
    from sieves_distill.train.recipe import Recipe
    warnings.simplefilter("ignore")
    if not exchange: disk._exchange = lambda *_: False  # as on a system that has no such call
    moments = []
    watch(moments, at, lambda: os.kill(os.getpid(), number), each)
    recipe = Recipe(fold_rounds=lambda n: 1, **QUICK)
    try: TASK.distill(base, framework, DOCS, folder, 0.25, train_kwargs=TRAIN[framework], seed=seed, progress=False,
                      recipe=recipe)
    except KeyboardInterrupt: sys.exit(130)
    sys.settrace(None)
    if log: log.write_text(json.dumps(moments))


def start(made, folder: Path, seed: int = 2, at: int | str | None = None, number: int = signal.SIGKILL,
          log: Path | None = None, exchange: bool = True):
    return forked.start(work, made.base, made.framework, folder, seed, at, number, log, exchange)


def run(*args, **kwargs) -> int:
    "Distil in a process of its own; return its exit code."
    process = start(*args, **kwargs)
    process.join()
    return process.exitcode


def wait_for_writing(place: Path, alive) -> None:
    "Until a run has begun its folder, and holds it."
    while not any(map(is_locked, place.glob(".*.partial"))):
        assert alive(), "the run ended before it wrote"
        time.sleep(0.005)


def is_locked(folder: Path) -> bool:
    from sieves_distill.basics import disk
    try: disk.drop_lock(disk.take_lock(folder))
    except BlockingIOError: return True
    except FileNotFoundError: pass
    return False


@pytest.fixture(scope="module", params=list(TRAIN))
def made(request, tmp_path_factory) -> SimpleNamespace:
    "A base model, and the two students that seeds 1 and 2 make of it: what may be there before a run, and after."
    from sieves_distill import testing
    base = {"model2vec": testing.tiny_static_model, "setfit": testing.tiny_sentence_transformer}[request.param]
    where = tmp_path_factory.mktemp(request.param)
    made = SimpleNamespace(framework=request.param, base=base(where / "base", TEXTS),
                           folders={"before": where / "before", "after": where / "after"})
    for seed, folder in enumerate(made.folders.values(), 1): assert run(made, folder, seed) == 0
    made.loaded = set()  # Hashes of what was seen to load, and to predict as it should
    made.contents = {name: contents(folder) for name, folder in made.folders.items()}
    made.proba = {name: Student.load(folder).predict_proba(TEXTS) for name, folder in made.folders.items()}
    assert not np.allclose(*made.proba.values())
    return made


def place_for(made, path: Path, earlier: bool) -> Path:
    "The output folder in a place of its own, with a student in it or not there."
    path.mkdir()
    if earlier: shutil.copytree(made.folders["before"], path / "student")
    return path / "student"


def state(made, folder: Path) -> str:
    "What is in the output folder: none, the earlier student to the byte, or the new one, whole."
    if not folder.exists(): return "none"
    present = contents(folder)
    name = "before" if present == made.contents["before"] else "after"
    assert set(present) == set(made.contents[name]) and set(changes(present, made.contents[name])) <= TIMED
    assert json.loads(present["metrics.json"])["run"]["seed"] == {"before": 1, "after": 2}[name]
    whole = hash(frozenset(present.items()))
    if whole not in made.loaded:
        np.testing.assert_array_equal(Student.load(folder).predict_proba(TEXTS), made.proba[name])
    made.loaded.add(whole)
    return name


def leftovers(folder: Path) -> list[Path]: return [path for path in folder.parent.iterdir() if path != folder]


def names_of(made, path: Path, earlier: bool, **kwargs) -> list[str]:
    "The names of all moments of a run."
    log = path.with_suffix(".json")
    assert run(made, place_for(made, path, earlier), log=log, **kwargs) == 0
    return json.loads(log.read_text())


def moments_of(made, path: Path, earlier: bool, **kwargs) -> list[tuple[int, str]]:
    "The moments of a run at which to interrupt one like it."
    names = names_of(made, path, earlier, **kwargs)
    swap = [i for i, name in enumerate(names) if name.startswith(SWAP)]
    chosen = {*range(0, len(names), EVERY[made.framework]), *swap[::AROUND[made.framework]], swap[-1]}
    return [(i, names[i]) for i in sorted(chosen)]


class Copies:
    "Of what is on the disk at the moments of a run, wherever that has changed since the last one."
    def __init__(self, place: Path, to: Path):
        self.place, self.to, self.last, self.busy = place, to, None, False
        to.mkdir()

    def take(self, name: str):
        if self.busy: return  # a change that copying makes
        self.busy = True
        now = {path: path.lstat() for path in self.place.rglob("*")}
        now = {path: (about.st_ino, about.st_size, about.st_mtime_ns) for path, about in now.items()}
        if now != self.last: shutil.copytree(self.place, self.to / f"{len(list(self.to.iterdir())):03} {name}")
        self.last, self.busy = now, False


def work_and_copy(base: str, framework: str, folder: Path, to: Path, exchange: bool) -> None:
    "Distil, and leave in `to` what a kill would have left, in order."
    copies = Copies(folder.parent, to)
    work(base, framework, folder, 2, None, 0, None, exchange, copies.take)


def copied_moments(made, path: Path, earlier: bool, exchange: bool = True) -> list[Path]:
    "Output folders as a kill at the moments of a run leaves them, each in a place of its own, in order."
    folder = place_for(made, path, earlier)
    process = forked.start(work_and_copy, made.base, made.framework, folder, path.with_name("copies"), exchange)
    process.join()
    assert process.exitcode == 0
    return [place / folder.name for place in [*sorted(path.with_name("copies").iterdir()), folder.parent]]


@pytest.mark.parametrize("earlier", [True, False], ids=["a student there", "nothing there"])
def test_kill_leaves_one_student_whole(made, earlier, tmp_path):
    states, killed = [], []
    for folder in copied_moments(made, tmp_path / "whole", earlier):
        states.append(state(made, folder))
        killed += leftovers(folder)
    assert [name for name, _ in groupby(states)] == ["before" if earlier else "none", "after"]
    assert len(states) > 20 and killed, "no moment was while the run wrote"
    folder = place_for(made, tmp_path / "later", earlier)
    for i, path in enumerate(killed): path.rename(folder.parent / re.sub(r"-[0-9a-f]{8}\.", f"-{i:08x}.", path.name))
    assert run(made, folder) == 0
    assert state(made, folder) == "after" and not leftovers(folder)


def test_kill_at_any_time(made, tmp_path):
    "From outside, also within the libraries' own code."
    began = time.perf_counter()
    assert run(made, place_for(made, tmp_path / "whole", True)) == 0
    seconds, states = time.perf_counter() - began, []
    for share in 0.2, 0.4, 0.6, 0.7, 0.8, 0.9:
        folder = place_for(made, tmp_path / str(share), True)
        process = start(made, folder)
        process.join(seconds * share)
        process.kill()
        process.join()
        states.append(state(made, folder))
    assert states[0] == "before"


@pytest.mark.parametrize("begins", ["os.mkdir data", "open README.md", "_take_place"])
def test_a_kill_leaves_what_a_copy_holds(made, begins, tmp_path):
    def files(folder: Path) -> set[str]:
        return {re.sub(r"-[0-9a-f]{8}\.", "-.", name) for name in contents(folder.parent)}
    in_copies = [files(folder) for folder in copied_moments(made, tmp_path / "whole", True)]
    names = names_of(made, tmp_path / "named", True)
    folder = place_for(made, tmp_path / "killed", True)
    assert run(made, folder, at=next(i for i, name in enumerate(names) if name.startswith(begins))) == -signal.SIGKILL
    assert files(folder) in in_copies


@pytest.mark.parametrize("made", ["model2vec"], indirect=True)
def test_kill_where_folders_cannot_change_places(made, tmp_path):
    """The earlier folder is moved aside there, so for an instant nothing is in place; the next run, even one that
    fails, sees to it that something is."""
    copies = copied_moments(made, tmp_path / "whole", True, exchange=False)
    states = [state(made, folder) for folder in copies]
    assert [name for name, _ in groupby(states)] == ["before", "none", "after"]
    for folder in copies[states.index("none") - 1:]:
        assert run(made, folder, exchange=False, at="os.mkdir data", number=signal.SIGINT) == 130
        assert state(made, folder) != "none", f"lost after a kill at {folder.parent.name}"
        assert run(made, folder, exchange=False) == 0
        assert state(made, folder) == "after" and not leftovers(folder), f"killed at {folder.parent.name}"


def test_a_run_lets_another_run_write(made, tmp_path):
    "What a living process writes is no leftover."
    folder = place_for(made, tmp_path / "place", False)
    process = start(made, folder)
    try:
        wait_for_writing(folder.parent, process.is_alive)
        os.kill(process.pid, signal.SIGSTOP)
        writing = leftovers(folder)
        assert run(made, folder) == 0 and state(made, folder) == "after"
        assert leftovers(folder) == writing
        first = (folder / "metrics.json").read_bytes()
        os.kill(process.pid, signal.SIGCONT)
        process.join()
    finally: process.kill()
    assert process.exitcode == 0 and state(made, folder) == "after" and not leftovers(folder)
    assert (folder / "metrics.json").read_bytes() != first, "the run that ended last did not take the place"


def test_interrupt_leaves_nothing_behind(made, tmp_path):
    "Once the new student is in place, what is left of the old one may stay for the next run to remove."
    states, went_on, left = [], [], []
    for i, name in moments_of(made, tmp_path / "whole", True):
        folder = place_for(made, tmp_path / f"{i} {name}", True)
        if run(made, folder, at=i, number=signal.SIGINT) != 130: went_on.append(name)
        states.append(state(made, folder))
        if states[-1] == "before" and leftovers(folder): left.append(name)
    assert went_on == [] and left == []
    assert [name for name, _ in groupby(states)] == ["before", "after"]


SCRIPT = """
import json, sys, warnings
from sieves_distill import Classification, Doc
warnings.simplefilter("ignore")
base, framework, train_kwargs, folder, labels, docs = json.load(sys.stdin)
docs = [Doc(text, results={"Classification": label}) for text, label in docs]
Classification(labels, multi_label=False).distill(base, framework, docs, folder, 0.25, train_kwargs=train_kwargs)
"""


def test_ctrl_c_in_a_terminal(made, tmp_path):
    "As a terminal sends it, to the whole process group; temporary files go too."
    folder, temporary = place_for(made, tmp_path / "place", True), tmp_path / "temporary"
    temporary.mkdir()
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               start_new_session=True, env={**os.environ, "TMPDIR": str(temporary)})
    process.stdin.write(json.dumps([made.base, made.framework, TRAIN[made.framework], str(folder), TASK.labels,
                                    [[doc.text, doc.results["topic"]] for doc in DOCS]]))
    process.stdin.close()
    wait_for_writing(folder.parent, lambda: process.poll() is None)
    os.killpg(process.pid, signal.SIGINT)
    errors = process.stderr.read()
    # 1 where peft is installed: torch's compiler, which it imports, runs code at exit, and Python forgets the signal
    assert process.wait() in (-signal.SIGINT, 1)
    errors, _, ignored = errors.partition("Exception ignored in")  # as Python says of a bar that was just being made
    assert errors.rstrip().endswith("KeyboardInterrupt") and (not ignored or "tqdm" in ignored)
    assert state(made, folder) == "before" and not leftovers(folder)
    assert not list(temporary.rglob("*"))
