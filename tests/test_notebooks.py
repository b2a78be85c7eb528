"""Notebooks are the source of truth: each one runs, each is clean, and the package is what they export."""
import sys
from pathlib import Path

import pytest
from execnb.nbio import nb2str, read_nb
from nbdev.clean import clean_nb
from nbdev.process import NBProcessor

from conftest import ROOT, changes, contents, run

BIN = Path(sys.executable).parent
NOTEBOOKS = sorted((ROOT / "nbs").rglob("[!_.]*.ipynb"))
SLOW = [p for p in NOTEBOOKS if any("slow" in c.directives_ for c in NBProcessor(p, rm_directives=False).nb.cells)]
by_name = {"ids": lambda path: path.stem}


def nbdev_test(path: Path, flags: str) -> None:
    "Run one notebook with nbdev's own runner, in a process of its own: nothing of it leaks into the next, nor into pytest."
    assert "Success." in run(BIN / "nbdev_test", "--path", path, "--flags", flags, cwd=ROOT)


@pytest.mark.parametrize("path", NOTEBOOKS, **by_name)
def test_runs(path):
    nbdev_test(path, flags="")


@pytest.mark.parametrize("path", SLOW, **by_name)
def test_runs_with_its_slow_cells(path):
    nbdev_test(path, flags="slow")


@pytest.mark.parametrize("path", NOTEBOOKS, **by_name)
def test_is_clean(path):
    nb = read_nb(path)
    clean_nb(nb)
    assert path.read_text(encoding="utf-8") == nb2str(nb), f"{path.name}: run `make prepare`"


@pytest.mark.parametrize("path", NOTEBOOKS, **by_name)
def test_saved_outputs_can_be_shown(path):
    "No error, no stderr, no folder of the machine that ran it."
    outputs = [(c.source, o) for c in read_nb(path).cells if c.cell_type == "code" for o in c.outputs]
    private = str(ROOT), str(Path.home()), "/tmp/", "site-packages"
    bad = [source for source, o in outputs if o["output_type"] == "error" or o.get("name") == "stderr" or any(p in str(o) for p in private)]
    assert not bad, f"{path.name}: run `make execute NB=nbs/{path.name}`, or print less, in:\n\n" + "\n\n".join(bad)


def test_package_is_what_the_notebooks_export(checkout):
    package = checkout / "sieves_distill"
    committed = contents(package)
    for module in package.rglob("*.py"):
        if module.name != "__init__.py": module.unlink()  # a module whose notebook is gone must not pass
    run(BIN / "nbdev_export", cwd=checkout)
    assert not changes(committed, contents(package)), "run `make prepare` and commit; take away a module that has no notebook"


def test_there_is_one_quarto_file():
    "nbdev silently writes a default nbs/_quarto.yml where it finds none."
    link = ROOT / "nbs/_quarto.yml"
    assert link.is_symlink() and link.resolve() == ROOT / "_quarto.yml"
