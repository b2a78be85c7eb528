"""What the tests share. Nothing is downloaded: the hub is offline, models come from packages."""
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # read by huggingface_hub when it is first imported, and inherited by every process below
os.environ.setdefault("OMP_NUM_THREADS", "1")  # models this small lose more between threads than they gain, on a busy machine most of all

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as for a job that a shell put in the background: the processes that tests interrupt would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]


def copy_checkout(to: Path) -> Path:
    "Copy what git tracks, or would track, to the new folder `to`: what runs there cannot change the checkout."
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, to / name
        if not source.exists(): continue  # deleted, and not yet committed
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
    return to


def contents(root: Path) -> dict[str, bytes]:
    "Every file below `root`, by its relative path."
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts}


def changes(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    "The files that are new, gone or different between two `contents`."
    return sorted(name for name in before | after if before.get(name) != after.get(name))


def run(*command, cwd: Path, **env) -> str:
    "Run `command` in `cwd`, with `env` added to the environment; return its stdout, fail with all it said."
    done = subprocess.run([str(c) for c in command], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode: pytest.fail(f"{' '.join(map(str, command))}\nexit {done.returncode}\n{done.stdout}\n{done.stderr}", pytrace=False)
    return done.stdout


@pytest.fixture
def checkout(tmp_path) -> Path:
    "A copy of the checkout for one test."
    return copy_checkout(tmp_path / "checkout")
