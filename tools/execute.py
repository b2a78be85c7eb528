"""Run notebooks in a kernel and save their outputs, the same bytes each time.

    python tools/execute.py [--skip-slow] [NOTEBOOK ...]     (default: every notebook under nbs/)

Cells marked `#| eval: false` are not run, nor with --skip-slow those marked `#| slow`: they keep the outputs they have.
What is no result is dropped: stderr (logs, warnings, bars drawn in text) and widgets (progress bars); a cell that
wants to show a warning prints it. The notebook is cleaned as by `nbdev_clean`. If a cell raises, the file stays as it
was.
"""
from __future__ import annotations

import argparse
import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbdev.clean import nbdev_clean
from nbdev.doclinks import nbglob
from nbdev.process import extract_directives

SKIP = "skip-execution"  # nbclient's own tag; nbdev_clean takes it off again
WIDGET = "application/vnd.jupyter.widget-view+json"


def is_skipped(cell, skip_slow: bool) -> bool:
    "Is this a code cell that its directives keep from running?"
    if cell.cell_type != "code": return False
    directives = extract_directives(cell, remove=False)
    return directives.get("eval:", [""])[0].lower() == "false" or (skip_slow and "slow" in directives)


def is_result(output) -> bool:
    return output.get("name") != "stderr" and WIDGET not in output.get("data", {})


def execute(path: Path, skip_slow: bool = False) -> None:
    "Run the notebook at `path` in its own folder and save its outputs in place."
    nb = nbformat.read(path, as_version=4)
    for cell in nb.cells:
        if is_skipped(cell, skip_slow): cell.metadata["tags"] = [SKIP]
    NotebookClient(nb, timeout=None, kernel_name="python3", coalesce_streams=True, store_widget_state=False,
                   resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in nb.cells:
        if cell.cell_type == "code": cell.outputs = [o for o in cell.outputs if is_result(o)]
    nbformat.write(nb, path)
    nbdev_clean(fname=str(path))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--skip-slow", action="store_true", help="leave `#| slow` cells, with the outputs they have")
    args = parser.parse_args()
    os.environ.setdefault("PYTHONHASHSEED", "0")  # the kernel inherits it: sets print in one order
    for path in args.notebooks or sorted(nbglob(as_path=True)):
        print(f"executing {path}", flush=True)
        execute(path.resolve(), args.skip_slow)
