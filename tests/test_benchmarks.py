"""The benchmarks take what they need of the package by public names, and what they recorded is what the tables say."""
import ast
import importlib
import json
import sys
from pathlib import Path

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT))  # as for `python -m benchmarks.NAME`

from benchmarks import RESULTS

FILES = sorted((ROOT / "benchmarks").rglob("*.py"))
# Attributes with an underscore that belong to other packages, by the file.
FOREIGN = {"data.py": {"_load"}, "export_sieves.py": {"_init_bridge"}}


def module_name(path: Path) -> str: return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def is_private(name: str) -> bool: return name.startswith("_") and not name.startswith("__")


def private_uses(tree: ast.Module, foreign: set = frozenset()) -> list[str]:
    "What a module asks for by names that are another's own, and patches: lines with what stands in them."
    out = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute): names = {node.attr} - foreign
        elif isinstance(node, ast.ImportFrom): names = {*(node.module or "").split("."), *(a.name for a in node.names)}
        elif isinstance(node, ast.Import): names = {part for a in node.names for part in a.name.split(".")}
        else: continue
        out += [f"line {node.lineno}: {name}" for name in sorted(names) if is_private(name) or name == "mock"]
    return out


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_takes_what_it_needs_by_public_names(path):
    assert private_uses(ast.parse(path.read_text(encoding="utf-8")), FOREIGN.get(path.name, set())) == []


@pytest.mark.parametrize("code, uses", [
    ("from sieves_distill.train import _secret", ["line 1: _secret"]),
    ("from sieves_distill._inner import public", ["line 1: _inner"]),
    ("import sieves_distill._inner", ["line 1: _inner"]),
    ("student._weight = 1", ["line 1: _weight"]),
    ("from unittest.mock import patch", ["line 1: mock"]),
    ("from unittest import mock", ["line 1: mock"]),
    ("import benchmarks.data\n_own = student.weight\nself.__class__", []),
])
def test_private_uses(code, uses):
    assert private_uses(ast.parse(code)) == uses


def test_foreign_names_are_needed():
    "An exception whose reason is gone goes too."
    for name, attributes in FOREIGN.items():
        tree = ast.parse((ROOT / "benchmarks" / name).read_text(encoding="utf-8"))
        assert attributes <= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("path", [path for path in FILES if path.name != "__main__.py"], ids=module_name)
def test_imports(path):
    module = importlib.import_module(module_name(path).removesuffix(".__init__"))
    assert module.__doc__


def test_parts_of_the_ablation_are_fields_of_the_recipe():
    "A part that names no field is refused; what it changes is another than the default."
    from benchmarks.panel import ablation
    for parts in ablation.PARTS.values():
        whole, *others = parts.values()
        assert whole.left_out() == ablation.DEFAULT and not whole.train_kwargs
        assert all(part.left_out() != ablation.DEFAULT or part.train_kwargs for part in others)
    with pytest.raises(TypeError, match="renamed"): ablation.Part({"renamed": 1}).left_out()


def read_json(name: str): return json.loads((RESULTS / name).read_text(encoding="utf-8"))


def read_lines(name: str) -> list[dict]:
    return [json.loads(line) for line in (RESULTS / name).read_text(encoding="utf-8").splitlines()]


def frame():
    from benchmarks.panel import CELLS, report
    return report.load(CELLS)


TABLES = {  # recorded as a page: the module that makes it, and of what
    "audit.md": ("audit", lambda module: module.table(read_json("audit.json"))),
    "update.md": ("update", lambda module: module.table(read_lines("update.jsonl"))),
    "drift.md": ("drift", lambda module: module.table(read_lines("drift.jsonl"))),
    "calibration.md": ("calibration", lambda module: module.table(read_json("calibration.json"))),
    "cascade.md": ("cascade", lambda module: module.table(read_json("cascade.json"))),
    "curve.md": ("curve", lambda module: module.table(module.summary(read_json("curve.json")["cells"]))),
    "deploy.md": ("deploy", lambda module: module.table(read_json("deploy.json")["lines"])),
    "deploy_tags.md": ("deploy_tags", lambda module: module.table(read_json("deploy_tags.json")["lines"])),
    "serve.md": ("serve", lambda module: module.table(read_json("serve.json")["lines"])),
    "slips.md": ("slips", lambda module: module.table(read_lines("slips.jsonl"))),
    "suspects.md": ("suspects", lambda module: module.report(read_lines("suspects.jsonl"))),
    "tasks.md": ("tasks", lambda module: module.table()),
    "scores.md": ("scores", lambda module: module.table(read_lines("scores.jsonl"))),
    "entities.md": ("entities", lambda module: module.table(read_lines("entities.jsonl"))),
    "pii.md": ("pii", lambda module: module.table(read_lines("pii.jsonl"))),
    "records.md": ("records", lambda module: module.table(read_lines("records.jsonl"))),
    "answers.md": ("answers", lambda module: module.table(read_lines("answers.jsonl"))),
    "questions.md": ("questions", lambda module: module.table(read_lines("questions.jsonl"))),
    "writing.md": ("writing", lambda module: module.table(read_lines("writing.jsonl"))),
    "relations.md": ("relations", lambda module: module.table(read_lines("relations.jsonl"))),
    "novelty.md": ("novelty", lambda module: module.table(read_lines("novelty.jsonl"))),
    "panel/table.md": ("panel.report", lambda module: module.table(frame())),
    "panel/short.md": ("panel.report", lambda module: module.short_table(frame())),
    "panel/reporting.md": (
        "panel.report", lambda module: module.reporting(module.load(RESULTS / "panel" / "reporting.jsonl"))),
    "panel/soft.md": ("panel.soft", lambda module: module.table(read_lines("panel/soft.jsonl"))),
    "panel/unlabelled.md": ("panel.unlabelled", lambda module: module.table(read_lines("panel/unlabelled.jsonl"))),
    "panel/ablation.md": (
        "panel.ablation", lambda module: module.table(read_lines("panel/ablation.jsonl"), "model2vec")),
    "panel/ablation_setfit.md": (
        "panel.ablation", lambda module: module.table(read_lines("panel/ablation_setfit.jsonl"), "setfit")),
}


@pytest.mark.parametrize("page", TABLES)
def test_tables_say_what_was_recorded(page):
    name, make = TABLES[page]
    module = importlib.import_module(f"benchmarks.{name}")
    assert make(module) == (RESULTS / page).read_text(encoding="utf-8")


def test_the_figure_of_tasks_draws_what_was_recorded():
    from benchmarks import tasks
    recorded = [row["f1"] for row in read_lines("entities.jsonl")
                if (row["set"], row["student"], row["size"]) == ("attack", "crf", 300)]
    assert len(recorded) == 3 and tasks.points(tasks.PANELS[0])["crf"][300] == recorded
    drawn = [tasks.points(panel) for panel in tasks.PANELS]
    assert all({*sizes} <= {*tasks.SIZES} for panel in drawn for sizes in panel.values())
    assert all("without a student" in panel and {*panel} <= {*tasks.COLOURS} for panel in drawn)


def test_all_recorded_pages_are_tested():
    assert {path.relative_to(RESULTS).as_posix() for path in RESULTS.rglob("*.md")} == set(TABLES)
