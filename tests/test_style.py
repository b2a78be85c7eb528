"""Code is laid out for reading: short lines everywhere, exported cells of a size that a reader takes in at once."""
import json

import pytest
import style

from conftest import ROOT

FILES = sorted(path for folder in ("tests", "tools", "benchmarks") for path in (ROOT / folder).rglob("*.py"))

# Lines that may be longer than style.WIDTH, by the file and what they begin with. Add one only with a reason.
LONG_LINES: dict[str, tuple[str, ...]] = {}
# Exported cells that may have more than style.LINES lines, by what they define first: classes of many short methods,
# tables, and the signature of `distill`, which says what each option is for.
LONG_CELLS = {"AnswerCache", "Cascade", "CascadeThreshold", "EmbeddingTeacher", "Entities", "Framework",
              "InFolder", "Kind", "LLMTeacher", "Layout", "LearningCurve", "Metered", "Prompt", "Recipe",
              "Records", "Reply", "Review", "Rows", "Scores", "SetFitStudent", "Task", "Triplets", "_Asker",
              "_Queue", "distill"}


def too_long(name: str, lines: list[str]) -> list[str]:
    "The lines of the file or notebook of this name that are too long, each with its place."
    return [f"{name}: {len(line)} characters: {line.strip()[:70]}…" for line in lines
            if len(line) > style.WIDTH and not line.strip().startswith(LONG_LINES.get(name, "\0"))]


@pytest.fixture(scope="module")
def pages() -> list[style.Page]: return style.read_pages(ROOT / "nbs")


def test_lines_of_exported_code_are_short(pages):
    bad = [line for page in pages for cell in page.cells
           for line in too_long(page.path.relative_to(ROOT).as_posix(), cell.lines)]
    assert not bad, f"{len(bad)} lines are too long:\n" + "\n".join(bad)


def test_lines_of_tests_tools_and_benchmarks_are_short():
    bad = [line for path in FILES
           for line in too_long(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8").splitlines())]
    assert not bad, f"{len(bad)} lines are too long:\n" + "\n".join(bad)


def test_exported_cells_are_of_a_size_to_read(pages):
    long = {cell.name: f"{page.path.relative_to(ROOT)}: {cell.name}, {len(cell.lines)} lines" for page in pages
            for cell in page.cells if len(cell.lines) > style.LINES}
    assert not set(long) - LONG_CELLS, "cut in two, or move to a room:\n" + "\n".join(sorted(long.values()))
    assert not LONG_CELLS - set(long), "no longer an exception"
    assert style.median(len(cell.lines) for page in pages for cell in page.cells) <= 13


def test_a_page_tells_its_public_names_early(pages):
    late = [f"{page.path.relative_to(ROOT)}: {page.private_first()}" for page in pages
            if page.private_first() > style.PRIVATE]
    assert not late, "private definitions before the first public one:\n" + "\n".join(late)


def test_exceptions_are_needed():
    "An exception whose line is gone goes too."
    for name, starts in LONG_LINES.items():
        lines = [line.strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
        for start in starts: assert any(line.startswith(start) for line in lines), f"{name}: {start}"


def notebook(path, *cells: tuple[str, str]):
    "A notebook of these cells at `path`, each a type and a source."
    content = {"cells": [{"cell_type": kind, "source": source.splitlines(keepends=True)} for kind, source in cells]}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_meter_measures(tmp_path):
    "On a page where each figure can be counted by hand."
    long_line = f"    a = {'x' * 120!r}"
    body = f"    import os\n{long_line}\n    for b in a: pass\n    [c for c in a]"
    first = f"import re\nfrom .b import _c\n\ndef _f(n, found):\n{body}"
    page = style.read_page(notebook(
        tmp_path / "page.ipynb", ("markdown", "# Title"), ("code", "#| default_exp page"),
        ("code", f"#| export\n{first}"), ("code", "#| export\nclass _C:\n    def m(self): own = 1"),
        ("code", "#|export\nD = 1\ndef _e(): pass"),
        ("code", f"assert {'y' * 120!r}")))
    assert [cell.name for cell in page.cells] == ["_f", "_C", "D"]
    assert [len(cell.lines) for cell in page.cells] == [7, 2, 2]
    assert [(cell.name, len(line)) for cell, line in page.long_lines()] == [("_f", len(long_line))]
    assert page.long_elsewhere == [("test or example", 129)]
    assert page.private_first() == 2 and page.private_imports() == ["_c"]
    assert page.names() == [(3, "_f"), (1, "_C.m"), (0, "_e")]
    assert page.vague() == [("_f", ["found"]), ("_C.m", ["own"])]
    figures = style.figures([page])
    assert figures["exported cell, lines: median, max"] == "2, 7 (_f)"
    assert figures["lines over 120 characters"] == f"{1 / 11:.1%} (1)"
    assert figures["imports inside functions"] == "33%"
    code = sum(len(cell.code) for cell in page.cells)
    assert figures["prose to exported code, characters"] == f"{len('# Title') / code:.2f}"
    places = list(style.places(page))
    assert places[0] == f"line of {len(long_line)} characters in _f: {long_line.strip()[:60]}…"
    assert places[-1] == "imports inside functions: import os (_f)"


def test_long_lines_are_seen():
    assert too_long("a.py", ["x" * 120, "y" * 121]) == [f"a.py: 121 characters: {'y' * 70}…"]
