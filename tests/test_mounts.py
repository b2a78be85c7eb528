"""Where a folder is a mounted drive, or files lie on several, a student still comes into its place, or is not lost."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
    said = [json.loads(line) for line in run.stdout.splitlines()]
    files = lambda text: {"student.json": len(text), "data/rows": 1000}
    assert said == [{"student": text, "files": files(text), "more beside": 0} for text in ("first", "second")]


def test_what_is_there_stays_where_the_drive_is_full(place):
    run = within(f"mount -t tmpfs -o size=1m none {place}", place, 700_000)  # of which there is room for one
    assert "No space left" in run.stderr and '"student": "first"' in run.stdout
    assert len(run.stdout.splitlines()) == 1


def test_a_place_that_cannot_be_written_is_refused_at_once(place):
    run = within(f"mount -t tmpfs none {place.parent}; mkdir {place}; mount -o remount,ro {place.parent}", place)
    assert "expected output_path where files can be written" in run.stderr and "Read-only" in run.stderr
