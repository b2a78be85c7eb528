"""tools/execute.py saves what a cell gives, leaves out what is no result, and does so alike each time."""
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from conftest import copy_checkout, run

CELLS = {
    "prints": "import sys, warnings\nprint('one'); print('two'); print('noise', file=sys.stderr); warnings.warn('old')",
    "draws": "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2]);",
    "shows a bar": "from tqdm.auto import tqdm\nfor _ in tqdm(range(3)): pass\nprint('done')",
    "shows an address": "object()",
    "orders a set": "print(list({'a', 'b', 'c', 'd', 'e'}))",
    "is slow": "#| slow\nprint('slow')",
    "is not run": "#| eval: false\nraise SystemExit",
}


def execute(path: Path, *options) -> None:
    run(sys.executable, "tools/execute.py", path, *options, cwd=path.parents[1])


def cells_of(path: Path) -> dict:
    "The cells of a notebook by name."
    return {cell.id.replace("-", " "): cell for cell in nbformat.read(path, as_version=4).cells}


@pytest.fixture(scope="module")
def executed(tmp_path_factory) -> Path:
    "A notebook of these cells in a copy of the checkout, which was run once."
    path = copy_checkout(tmp_path_factory.mktemp("execute") / "checkout") / "nbs/probe.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(code, id=name.replace(" ", "-"))
                                       for name, code in CELLS.items()]), path)
    execute(path)
    return path


@pytest.fixture
def probe(executed, request) -> Path:
    "The same for one test, which may change it."
    path = executed.with_name(f"{request.node.name}.ipynb")
    path.write_bytes(executed.read_bytes())
    return path


def test_outputs(executed):
    cells = cells_of(executed)
    shown = {name: ["".join(o.get("text") or o.data["text/plain"]) for o in cell.outputs]
             for name, cell in cells.items()}
    assert shown["prints"] == ["one\ntwo\n"] and shown["shows a bar"] == ["done\n"]
    assert shown["shows an address"] == ["<object>"] and shown["is slow"] == ["slow\n"] and shown["is not run"] == []
    assert "image/png" in cells["draws"].outputs[0].data
    assert not any(cell.metadata for cell in cells.values())


def test_same_bytes_each_time(probe):
    once = probe.read_bytes()
    execute(probe)
    assert probe.read_bytes() == once


def test_skipped_slow_cells_keep_their_outputs(probe):
    nb = nbformat.read(probe, as_version=4)
    slow = next(c for c in nb.cells if c.id == "is-slow")
    slow.source = "#| slow\nraise SystemExit"
    nbformat.write(nb, probe)
    execute(probe, "--skip-slow")
    assert cells_of(probe)["is slow"].outputs[0].text == "slow\n"


def test_a_failing_notebook_is_left_as_it_was(probe):
    nb = nbformat.read(probe, as_version=4)
    nb.cells.append(new_code_cell("1 / 0"))
    nbformat.write(nb, probe)
    before = probe.read_bytes()
    with pytest.raises(pytest.fail.Exception, match="ZeroDivisionError"): execute(probe)
    assert probe.read_bytes() == before
