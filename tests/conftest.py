"""What the tests share. Nothing is downloaded: the hub is offline, models come from packages."""
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

# Both are inherited by every process below; huggingface_hub reads its own when it is first imported
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")  # models this small lose more between threads than they gain

# Ignored as for a job that a shell put in the background: the processes that tests interrupt would inherit that
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]

# Where several workers run the tests: files whose tests share students or builds, each made once, in one worker,
SHARING = {"test_bulk", "test_end_to_end", "test_execute", "test_kill", "test_kwargs", "test_llm", "test_ner",
           "test_noise", "test_packaging", "test_ray", "test_safety", "test_serve", "test_sieves_task", "test_site",
           "test_style", "test_web_page"}
# and those where no test of one framework needs what is made for the other
APART = {"test_kill", "test_noise", "test_safety"}
# What takes longest, by how its name begins: it is begun first, so that no worker is left with it at the end.
LONGEST = ["test_end_to_end.py", "test_runs[teacher_tutorial]", "test_kill.py", "test_runs[tutorial]",
           "test_runs[decide/comparison]", "test_runs[ner_tutorial]", "test_runs[decide/curve]", "test_site.py",
           "test_runs[troubleshooting]", "test_runs[train/distillation]", "test_runs[decide/threshold]",
           "test_runs[watch/challenge]", "test_runs[train/guided]", "test_noise.py", "test_deploy.py"]
# and what takes least: it comes last, so that all workers end together.
SHORTEST = ["test_is_clean[", "test_saved_outputs_can_be_shown[", "test_imports_stand_in_cells_of_their_own[",
            "test_runs_without_its_slow_cells["]


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true", help="run only notebooks that were edited since the last "
                     "commit and those of the rooms that import them, without slow cells")


@pytest.fixture
def quick(request) -> bool: return request.config.getoption("quick")


def together(nodeid: str) -> str:
    "What the tests that stay in one worker have in common: the file, and in some files the framework."
    path, _, test = nodeid.partition("::")
    if Path(path).stem not in SHARING: return nodeid
    framework = re.search(r"\[(model2vec|setfit)[-\]]", test) if Path(path).stem in APART else None
    return f"{path} {framework[1] if framework else ''}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    "One that goes by `together`: pytest 9.2 has no place for the groups that `--dist loadgroup` would mark."
    from xdist.scheduler import LoadScopeScheduling
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = together
    return scheduler


def pytest_collection_modifyitems(config, items):
    "Let the longest begin, and the shortest end."
    def turn(item) -> int:
        if any(name in item.nodeid for name in SHORTEST): return len(LONGEST) + 1
        return next((i for i, name in enumerate(LONGEST) if name in item.nodeid), len(LONGEST))
    if hasattr(config, "workerinput"): items.sort(key=turn)


def copy_checkout(to: Path) -> Path:
    "Copy what git tracks, or would track, to the new folder `to`: what runs there cannot change the checkout."
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, to / name
        if not source.exists(): continue  # deleted, and not yet committed
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
    return to


def contents(root: Path) -> dict[str, bytes]:
    "Every file below `root`, by its relative path."
    files = (p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {str(p.relative_to(root)): p.read_bytes() for p in files}


def changes(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    "The files that are new, gone or different between two `contents`."
    return sorted(name for name in before | after if before.get(name) != after.get(name))


def run(*command, cwd: Path, **env) -> str:
    "Run `command` in `cwd`, with `env` added to the environment; return its stdout, fail with all it said."
    done = subprocess.run([str(c) for c in command], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    if done.returncode:
        shown = f"{' '.join(map(str, command))}\nexit {done.returncode}\n{done.stdout}\n{done.stderr}"
        pytest.fail(shown, pytrace=False)
    return done.stdout


@pytest.fixture
def checkout(tmp_path) -> Path:
    "A copy of the checkout for one test."
    return copy_checkout(tmp_path / "checkout")
