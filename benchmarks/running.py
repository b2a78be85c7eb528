"""What every benchmark needs to be run, and to be stopped and run again."""
from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import platform
import resource
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

from sieves_distill.basics.disk import append_line


HIDDEN = argparse.SUPPRESS  # the help of an option that is for the benchmark itself


def arguments(name: str, doc: str) -> argparse.ArgumentParser:
    "The parser of a benchmark that is run as `python -m benchmarks.name`"
    return argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=doc,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)


def silence() -> None:
    "No warnings and no logs of libraries: thousands of students would repeat them"
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)


def read_lines(path: Path) -> list[dict]:
    "The cells in a file of one JSON object a line; none where there is no file"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def add_line(path: Path, cell: dict) -> None:
    "Append a cell, which is on the disk when this returns"
    append_line(path, (json.dumps(cell) + "\n").encode())


def write_table(path: Path, text: str) -> None:
    "Put a table beside the cells that it was made of, and show it"
    path.with_suffix(".md").write_text(text)
    print(text)


def run_missing(path: Path, names: tuple, cells: Iterable[tuple], run: Callable, table: Callable) -> None:
    "Run the cells that a file does not have yet, which `names` tell apart, and put the table beside it"
    done = {tuple(cell[name] for name in names) for cell in read_lines(path)}
    for cell in cells:
        if cell not in done: add_line(path, run(*cell))
    write_table(path, table(read_lines(path)))


def nearest(size: int, sizes) -> int:
    "The size meant by a number of rows, of which some are a few less where templates stay together"
    return min(sizes, key=lambda known: abs(known - size))


def write_json(path: Path, content) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")


def machine(*packages: str, threads: bool = True) -> dict:
    "What times and scores hang on: cores, Python, and versions"
    return {"cores": os.cpu_count(), **({"threads": os.environ.get("OMP_NUM_THREADS")} if threads else {}),
            "python": platform.python_version(), **{name: version(name) for name in packages}}


def memory_peak(start: bool = False) -> float:
    "Peak resident memory in MB; with `start`, the count begins anew where the system can"
    if start:
        gc.collect()
        try: Path("/proc/self/clear_refs").write_text("5")
        except OSError: pass
    try: lines = Path("/proc/self/status").read_text().splitlines()
    except OSError: return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def apart(name: str, *arguments) -> dict:
    "What `python -m benchmarks.name` prints last, which is JSON, in a process of its own"
    command = [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])
