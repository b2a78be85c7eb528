"""Processes forked from one that has imported everything already: each as fresh as a new Python, seconds sooner.

Nothing is computed in that one, so no thread has started in it that a fork would lose.
"""
from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import tempfile
from multiprocessing import forkserver
from pathlib import Path
from unittest import mock

FORK = multiprocessing.get_context("forkserver")
IMPORTED = [
    "scipy.optimize", "scipy.special", "scipy.stats", "pandas", "pyarrow.parquet", "matplotlib.pyplot", "tqdm.auto",
    "sklearn.dummy", "sklearn.feature_extraction.text", "sklearn.model_selection", "sklearn.multiclass",
    "sklearn.pipeline", "torch", "transformers", "sentence_transformers", "setfit", "model2vec.inference",
    "model2vec.train", "datasets", "ipywidgets", "nbdev.test",
    "sieves_distill.export", "sieves_distill.evaluate", "sieves_distill.train"]


def start(target, *args) -> multiprocessing.Process:
    "A process that calls `target`, a function of a module, with these arguments. It runs already."
    FORK.set_forkserver_preload(IMPORTED)
    with mock.patch.dict(os.environ, OMP_NUM_THREADS="1"): forkserver.ensure_running()
    process = FORK.Process(target=begin, args=(target, *args))
    process.start()
    return process


def begin(target, *args) -> None:
    "What the process does: `target`, with nothing left of how it came about."
    gc.freeze()  # what is imported will not be garbage, and need not be looked through each time
    multiprocessing.set_start_method(None, force=True)  # the system's own: or what it starts is forked from the server
    target(*args)


def say_into(path: Path) -> None:
    "Write what this process says from now on into the file at `path`, whatever in it says it."
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor in 1, 2: os.dup2(log, descriptor)


def run_notebook(path: Path, flags: list[str], temporary: Path) -> None:
    """Run a notebook as `nbdev_test --flags` does; the exit code is 0 if it ran to its end.

    What it says is in the file `log` of the folder `temporary`, which is for temporary files as well."""
    say_into(temporary / "log")
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    os.chdir(path.parent)
    from nbdev.config import get_config
    from nbdev.test import test_nb
    config = get_config()
    os.chdir(config.nbs_path)
    passed, _ = test_nb(path, skip_flags=config.tst_flags.split(), force_flags=flags, basepath=config.config_path)
    sys.exit(not passed)
