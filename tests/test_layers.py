"""The house keeps its plan: imports lead one way, notebook and module have one name, the picture is up to date."""
from pathlib import Path

import house
import pytest
import wings

from conftest import ROOT

# A package that keeps all rules: `tasks` and `evaluate` are wings of two rooms, `split` is a wing of one.
RIGHT = {
    "__init__.py": "from .tasks.task import Task\n",
    "tasks/__init__.py": "'What is asked'\nfrom .task import Task\nfrom .labels import Classification\n",
    "tasks/task.py": "class Task:\n    def door(self):\n        import sieves_distill\n        sieves_distill.distill",
    "tasks/labels.py": "from .task import Task\n_n = 1\nclass Classification(Task):\n    def _read(self): self._read",
    "split.py": "'Parts'\nfrom .tasks import Task\nfrom .tasks.labels import Classification\n",
    "evaluate/__init__.py": "'How good'\nfrom .figures import f1\n",
    "evaluate/figures.py": "import os\nfrom sieves_distill import split\nf1 = os._exit, split.Task\n",
    "evaluate/report.py": "from .figures import f1\nfrom ..tasks.task import Task\n",
}


def package(path: Path, files: dict[str, str] = {}) -> house.House:
    "The right package, with these files added to or put in the place of its own."
    for name, text in {**RIGHT, **files}.items():
        file = path / "sieves_distill" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return house.House(path / "sieves_distill")


def test_imports_keep_the_plan():
    assert house.problems(house.House(house.PACKAGE), house.NBS) == []


def test_exceptions_are_needed():
    "An exception of the plan whose reason is gone goes too."
    plan, package = house.FROM_ROOT, house.House(house.PACKAGE)
    uses = {module: {node.attr for node in house.attributes(package.trees[module])} for module in plan}
    assert all(plan[module] <= uses[module] for module in plan)
    assert all("import_module" in package.paths[module].read_text(encoding="utf-8") for module in house.BY_NAME)
    assert set(house.FOREIGN) <= set(package.rooms) and set(house.WINGS) == set(package.arrows())


def test_what_is_right_passes(tmp_path):
    assert house.problems(package(tmp_path)) == []


@pytest.mark.parametrize("files, sentence", [
    ({"tasks/labels.py": "from ..evaluate.figures import f1"},
     "tasks.labels, line 1, imports evaluate.figures: evaluate rests on tasks, not tasks on evaluate"),
    ({"tasks/labels.py": "def late():\n    from sieves_distill.split import Task"},
     "tasks.labels, line 2, imports split: split rests on tasks, not tasks on split"),
    ({"tasks/labels.py": "import sieves_distill.split as s"},
     "tasks.labels, line 1, imports split: split rests on tasks, not tasks on split"),
    ({"tasks/labels.py": "from .. import split"},
     "tasks.labels, line 1, imports split: split rests on tasks, not tasks on split"),
    ({"tasks/__init__.py": "'What is asked'\nfrom .task import Task\nfrom ..split import Classification"},
     "tasks, line 3, imports split: split rests on tasks, not tasks on split"),
], ids=["an arrow up", "in a function", "as a module", "from the root's folder", "in a door"])
def test_an_arrow_up_is_seen(tmp_path, files, sentence):
    assert sentence in house.problems(package(tmp_path, files))


@pytest.mark.parametrize("files, circle", [
    ({"evaluate/figures.py": "f1 = 1\ndef late():\n    from .report import Task"},
     {"evaluate.figures", "evaluate.report"}),
    ({"evaluate/figures.py": "from . import f1"}, {"evaluate", "evaluate.figures"}),
    ({"evaluate/plots.py": "from . import plots"}, {"evaluate.plots"}),
    ({"evaluate/figures.py": "from .plots import a", "evaluate/plots.py": "from .report import a"},
     {"evaluate.figures", "evaluate.plots", "evaluate.report"}),
], ids=["two rooms", "a room and its door", "a room alone", "three rooms"])
def test_a_circle_is_seen(tmp_path, files, circle):
    [sentence] = house.problems(package(tmp_path, files))
    start, _, way = sentence.partition(": ")
    rooms = way.split(" imports ")
    assert start == "imports go in a circle" and set(rooms) == circle and rooms[0] == rooms[-1]
    imports = {(i.module, i.target) for i in house.House(tmp_path / "sieves_distill").imports}
    assert set(zip(rooms, rooms[1:])) <= imports, "the circle is not told in the direction of its imports"


NO_UNDERSCORE = "a name that another room uses has no underscore"
DEFINING = "imports the package itself: import the room that defines the name"


@pytest.mark.parametrize("text, sentence", [
    ("from .tasks.labels import _n", "split, line 1, imports _n: " + NO_UNDERSCORE),
    ("from .tasks import labels\nlabels._n",
     "split, line 2, uses labels._n, which is private in tasks.labels: " + NO_UNDERSCORE),
    ("def f(task):\n    return task._read()",
     "split, line 2, uses task._read, which is private in tasks.labels: " + NO_UNDERSCORE),
], ids=["imported", "of a module", "of an object"])
def test_a_private_name_of_another_module_is_seen(tmp_path, text, sentence):
    assert sentence in house.problems(package(tmp_path, {"split.py": text}))


@pytest.mark.parametrize("files, sentence", [
    ({"extra.py": "''"}, "extra is in no wing: add 'extra' to WINGS in tools/house.py"),
    ({"split.py": "import sieves_distill"}, f"split, line 1, {DEFINING}"),
    ({"split.py": "from . import Task"}, f"split, line 1, {DEFINING}"),
    ({"tasks/task.py": "def f():\n    import sieves_distill\n    sieves_distill.compare"},
     "tasks.task, line 3, uses sieves_distill.compare: import the room that defines the name"),
    ({"split.py": "from importlib import import_module as im, import_module\nimport_module('a')"},
     "split, line 2, imports a module by a computed name"),
    ({"tasks/__init__.py": "'What is asked'\nTask = 1"},
     "tasks/__init__.py, line 2, does more than hand on names: from .room import name"),
    ({"tasks/__init__.py": ""}, "tasks/__init__.py has no docstring that says what the wing is for"),
], ids=["no wing", "the root", "its name", "another's name", "by name", "a door that works", "a door unnamed"])
def test_what_else_breaks_the_plan_is_seen(tmp_path, files, sentence):
    assert sentence in house.problems(package(tmp_path, files))


def test_a_notebook_of_another_name_is_seen(tmp_path):
    rooms = package(tmp_path)
    for name, target in {"split": "split", "tasks/task": "tasks.labels", "evaluate/gone": "evaluate.gone"}.items():
        path = tmp_path / "nbs" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"#| default_exp {target}\\n"', encoding="utf-8")
    assert list(house.notebooks(rooms, tmp_path / "nbs")) == [
        "tasks.task.ipynb exports to tasks.labels: notebook and module have one name",
        "evaluate.figures has no notebook", "evaluate.report has no notebook", "tasks.task has no notebook",
        "evaluate.gone.ipynb is not exported"]


def test_picture_shows_the_imports_of_today():
    assert wings.PICTURE.read_text(encoding="utf-8") == wings.picture(house.House(house.PACKAGE)), "run `make prepare`"


def test_picture_changes_with_the_imports(tmp_path):
    "And holds each wing, each room, and an arrow for each import that no way over other wings implies."
    picture = wings.picture(package(tmp_path))
    for name in "tasks", "split", "evaluate", "figures, report", "What is asked", "Parts": assert f">{name}<" in picture
    arrows = house.House(tmp_path / "sieves_distill").arrows()
    assert wings.reduced(arrows) == {"tasks": set(), "split": {"tasks"}, "evaluate": {"split"}}
    assert picture.count("<path") == 2
    assert wings.picture(package(tmp_path, {"evaluate/figures.py": "f1 = 1"})) != picture
