"""Where a folder is a mounted drive, or files lie on several, a student still comes into its place, or is not lost."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sieves_distill import Student

MOUNTING = ["unshare", "--user", "--map-root-user", "--mount"]

PROGRAM = """
import json, os, sys
from pathlib import Path
from sieves_distill.basics.disk import new_folder

path, size = sys.argv[1], int(sys.argv[2])
before = len(os.listdir(Path(path).parent))
for text in "first", "second":
    with new_folder(path) as folder:
        (folder / "student.json").write_text(text)
        (folder / "data").mkdir()
        (folder / "data" / "rows").write_bytes(bytes(size))
    shown = {str(p.relative_to(path)): p.stat().st_size for p in Path(path).rglob("*") if p.is_file()}
    print(json.dumps({"student": (Path(path) / "student.json").read_text(), "files": shown,
                      "more beside": len(os.listdir(Path(path).parent)) - before}))
"""


def within(mounts: str, path: Path, size: int = 1000) -> subprocess.CompletedProcess:
    "Two runs to `path` in a process that sees mounts of its own."
    script = f"set -e\n{mounts}\nexec \"$@\""
    command = [*MOUNTING, "sh", "-c", script, "sh", sys.executable, "-c", PROGRAM, path, str(size)]
    return subprocess.run(command, capture_output=True, text=True, cwd="/")


def can_mount() -> bool:
    try: return subprocess.run([*MOUNTING, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0
    except FileNotFoundError: return False


pytestmark = pytest.mark.skipif(sys.platform != "linux" or not can_mount(), reason="this user may not mount anything")


@pytest.fixture
def place(tmp_path) -> Path:
    (tmp_path / "volume").mkdir()
    return tmp_path / "volume"


WAYS = {
    "a drive": "mount -t tmpfs none {path}",
    "a drive with its own folder": "mount -t tmpfs none {path}; mkdir {path}/lost+found",
    "a folder of the same drive": "mkdir {path}.source; mount --bind {path}.source {path}",
    "a name with a blank": "mount -t tmpfs none {path}",
    "nothing beside it can be written":
        "mount -t tmpfs none {parent}; mkdir {path}; mount -t tmpfs none {path}; mount -o remount,ro {parent}",
    "in an image, one layer above another":
        "mkdir -p {parent}/lower/volume {parent}/upper {parent}/work {parent}/over; echo 0 > "
        "{parent}/lower/volume/student.json; "
        "mount -t overlay overlay -o userxattr,lowerdir={parent}/lower,upperdir={parent}/upper,workdir={parent}/work "
        "{parent}/over",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_mounted_folder_is_filled(place, way):
    if "blank" in way: place = place.rename(place.with_name("my volume"))
    quoted = str(place).replace(" ", "\\ ")
    mounts = WAYS[way].format(path=quoted, parent=quoted.rpartition("/")[0])
    run = within(mounts, place.parent / "over" / "volume" if "image" in way else place)
    if "image" in way and "overlay" in run.stderr: pytest.skip("no layers here: " + run.stderr.strip())
    assert run.returncode == 0, run.stderr
    reports = [json.loads(line) for line in run.stdout.splitlines()]
    files = lambda text: {"student.json": len(text), "data/rows": 1000}
    assert reports == [{"student": text, "files": files(text), "more beside": 0} for text in ("first", "second")]


def test_what_is_there_stays_where_the_drive_is_full(place):
    run = within(f"mount -t tmpfs -o size=1m none {place}", place, 700_000)  # of which there is room for one
    assert "No space left" in run.stderr and '"student": "first"' in run.stdout
    assert len(run.stdout.splitlines()) == 1


def test_a_place_that_cannot_be_written_is_refused_at_once(place):
    run = within(f"mount -t tmpfs none {place.parent}; mkdir {place}; mount -o remount,ro {place.parent}", place)
    assert "expected an output folder where files can be written" in run.stderr and "Read-only" in run.stderr


DISTIL = """
import sys, warnings
from pathlib import Path
from sieves_distill import Classification, Doc, Student
from sieves_distill.testing import tiny_static_model

place, longest = Path(sys.argv[1]), int(sys.argv[2])
words = {"sport": "ball goal team cup", "tech": "chip code screen app"}
docs = [Doc(f"{text} {i} " + "x" * longest, results={"topic": label})
        for i in range(20) for label, text in words.items()]
base = tiny_static_model(place.parent / "base", [doc.text[:30] for doc in docs])
task = Classification(list(words), multi_label=False, task_id="topic")
student = task.distill(base, "model2vec", docs, place, .3, seed=0, progress=False)
print(student.predict(["ball goal"]), student.train_data is not None, sorted(p.name for p in place.iterdir()))
"""


@pytest.mark.parametrize("size, longest", [("8k", 10), ("1m", 50_000), ("1m", 10)],
                         ids=["no room for the student", "no room for the rows", "room"])
def test_a_trained_student_is_not_lost_where_the_drive_is_full(place, tmp_path, size, longest):
    script = f"mount -t tmpfs -o size={size} none {place} && exec \"$@\""
    (tmp_path / "temporary").mkdir()
    run = subprocess.run([*MOUNTING, "sh", "-c", script, "sh", sys.executable, "-c", DISTIL, place, str(longest)],
                         capture_output=True, text=True, env={**os.environ, "TMPDIR": str(tmp_path / "temporary")})
    kept = list((tmp_path / "temporary").iterdir())
    if size == "8k":
        assert "the student is trained, and could not be written" in run.stderr and "No space left" in run.stderr
        assert f"It is kept in {str(kept[0])!r}" in run.stderr
        assert Student.load(kept[0]).predict(["ball goal"]) == ["sport"]
        return
    assert run.returncode == 0, run.stderr
    has_rows = longest == 10
    names = sorted(["README.md", "config.json", "head.safetensors", "metrics.json", "model.safetensors", "modules.json",
                    "novelty.safetensors", "student.json", "tokenizer.json", *["data"] * has_rows])
    assert run.stdout == f"['sport'] {has_rows} {names}\n" and not kept
    assert ("has no data/" in run.stderr) != has_rows
