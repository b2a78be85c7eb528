"""Measure how the exported code of notebooks reads: one table for all of them, and the worst places by name.

    python tools/style.py [--nbs FOLDER] [NOTEBOOK ...]     (default: every notebook under nbs/)

With notebooks named, the places worth a look are listed for each. A line is counted where it is not blank; names of a
function are those that it, and what stands in it, assigns to, its parameters aside.
"""
from __future__ import annotations

import argparse
import ast
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

WIDTH, LINES, NAMES, PRIVATE = 120, 40, 15, 10  # what a line, a cell, a function, the head of a page may have
VAGUE = {"found", "said", "one", "of", "own", "its"}  # as names of variables they do not say what a thing is
EXPORT = re.compile(r"^#\|\s*export[is]?\b.*$", re.M)
DIRECTIVE = re.compile(r"^#\|.*$\n?", re.M)
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Cell:
    "An exported cell: its code without directives, parsed."
    code: str
    tree: ast.Module = field(init=False)

    def __post_init__(self): self.tree = ast.parse(self.code)

    @property
    def lines(self) -> list[str]: return [line for line in self.code.splitlines() if line.strip()]

    @property
    def name(self) -> str:
        "What the cell defines first: what is public before what is not, functions and classes before the rest."
        names = sorted(definitions(self.tree), key=lambda pair: (pair[0].startswith("_"), not pair[1]))
        return names[0][0] if names else self.lines[0][:40]

    def functions(self) -> Iterator[tuple[str, FUNCTION]]:
        "Each function and method, by its dotted name."
        return functions(self.tree)


@dataclass
class Page:
    "The exported cells of one notebook, and how many characters of prose stand beside them."
    path: Path
    cells: list[Cell]
    prose: int
    long_elsewhere: list[tuple[str, int]]  # the kind and length of each line over the width that is not exported

    def long_lines(self) -> list[tuple[Cell, str]]:
        return [(cell, line) for cell in self.cells for line in cell.lines if len(line) > WIDTH]

    def imports(self) -> list[tuple[str, ast.Import | ast.ImportFrom]]:
        "Each import statement, with the function that it stands in ('' for none)."
        return [pair for cell in self.cells for pair in imports(cell.tree)]

    def private_imports(self) -> list[str]:
        return [alias.name for _, node in self.imports() if isinstance(node, ast.ImportFrom) for alias in node.names
                if is_private(alias.name)]

    def private_first(self) -> int:
        "How many private functions and classes are defined before the first public name; 0 where nothing is public."
        count = 0
        for name, is_code in (pair for cell in self.cells for pair in definitions(cell.tree)):
            if not name.startswith("_"): return count
            count += is_code
        return 0

    def names(self) -> list[tuple[int, str]]:
        "How many local names each function has, most first."
        counts = [(len(stored(node)), name) for cell in self.cells for name, node in cell.functions()]
        return sorted(counts, reverse=True)

    def vague(self) -> list[tuple[str, list[str]]]:
        "The functions that use names which do not say what a thing is."
        used = [(name, sorted(VAGUE & (stored(node) | parameters(node))))
                for cell in self.cells for name, node in cell.functions()]
        return [(name, names) for name, names in used if names]


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, FUNCTION]]:
    for node in ast.iter_child_nodes(tree):
        inner = prefix
        if isinstance(node, FUNCTION | ast.ClassDef): inner = f"{prefix}{node.name}."
        if isinstance(node, FUNCTION): yield inner[:-1], node
        yield from functions(node, inner)


def definitions(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    "Each name that the cell's top level defines, and whether it is a function or class."
    for node in tree.body:
        if isinstance(node, FUNCTION | ast.ClassDef): yield node.name, True
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (name for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))
            yield from ((name.id, False) for name in names)


def imports(tree: ast.AST, function: str = "") -> Iterator[tuple[str, ast.Import | ast.ImportFrom]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom): yield function, node
        else: yield from imports(node, node.name if isinstance(node, FUNCTION) and not function else function)


def stored(node: FUNCTION) -> set[str]:
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}


def parameters(node: FUNCTION) -> set[str]: return {arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)}


def is_private(name: str) -> bool: return name.startswith("_") and not name.startswith("__")


def read_page(path: Path) -> Page:
    "The page that the notebook at `path` holds."
    cells, prose, long_elsewhere = [], 0, []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and EXPORT.search(source):
            cells.append(Cell(DIRECTIVE.sub("", source).strip("\n")))
            continue
        prose += len(source) * (cell["cell_type"] == "markdown")
        kind = "prose" if cell["cell_type"] == "markdown" else "test or example"
        lines = [line for line in source.splitlines() if not (kind == "prose" and line.startswith("|"))]  # but tables
        long_elsewhere += [(kind, len(line)) for line in lines if len(line) > WIDTH]
    return Page(path, [cell for cell in cells if cell.lines], prose, long_elsewhere)


def read_pages(folder: Path) -> list[Page]:
    "The pages below `folder` that export something."
    paths = sorted(p for p in folder.rglob("[!_.]*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    return [page for page in map(read_page, paths) if page.cells]


def worst(pages: list[Page], count) -> tuple[int, str]:
    "The highest count, and the page that has it."
    return max((count(page), page.path.stem) for page in pages)


def figures(pages: list[Page]) -> dict[str, str]:
    "The table: what is measured, and how these pages do."
    lengths = sorted((len(cell.lines), cell.name) for page in pages for cell in page.cells)
    sizes = [size for size, _ in lengths]
    long = sum(len(page.long_lines()) for page in pages)
    statements = [function for page in pages for function, _ in page.imports()]
    most_names, busiest = max(((n, name) for page in pages for n, name in page.names()), default=(0, "none"))
    private, page_of_private = worst(pages, Page.private_first)
    code = sum(len(cell.code) for page in pages for cell in page.cells)
    return {
        "exported cells": f"{len(sizes)} on {len(pages)} pages",
        "exported cell, lines: median, max": f"{median(sizes):g}, {sizes[-1]} ({lengths[-1][1]})",
        f"exported cells over {LINES} lines": str(sum(size > LINES for size in sizes)),
        f"lines over {WIDTH} characters": f"{long / sum(sizes):.1%} ({long})",
        "private definitions before the first public one, worst page": f"{private} ({page_of_private})",
        "most names in one function": f"{most_names} ({busiest})",
        "private names imported from another module": str(sum(len(page.private_imports()) for page in pages)),
        "imports inside functions": f"{sum(map(bool, statements)) / max(1, len(statements)):.0%}",
        "functions with vague names": str(sum(len(page.vague()) for page in pages)),
        "prose to exported code, characters": f"{sum(page.prose for page in pages) / code:.2f}",
    }


def places(page: Page) -> Iterator[str]:
    "What is worth a look on a page, worst first of each sort."
    for size, name in sorted(((len(c.lines), c.name) for c in page.cells if len(c.lines) > LINES), reverse=True):
        yield f"cell of {size} lines: {name}"
    for cell, line in sorted(page.long_lines(), key=lambda pair: -len(pair[1])):
        yield f"line of {len(line)} characters in {cell.name}: {line.strip()[:60]}…"
    for kind in sorted({kind for kind, _ in page.long_elsewhere}):
        lengths = [n for k, n in page.long_elsewhere if k == kind]
        yield f"{len(lengths)} lines over {WIDTH} characters in {kind} cells, the longest {max(lengths)}"
    if (count := page.private_first()) > PRIVATE: yield f"{count} private definitions before the first public one"
    for count, name in page.names():
        if count > NAMES: yield f"{count} names in {name}"
    for name, names in page.vague(): yield f"vague names in {name}: {', '.join(names)}"
    if names := page.private_imports(): yield f"private names imported: {', '.join(names)}"
    if inner := [(function, node) for function, node in page.imports() if function]:
        yield "imports inside functions: " + "; ".join(f"{ast.unparse(node)} ({function})" for function, node in inner)


def table(rows: Iterable[tuple[str, str]]) -> str:
    rows = list(rows)
    return "\n".join(f"{name:<{max(len(n) for n, _ in rows)}}  {value}" for name, value in rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--nbs", type=Path, default=Path(__file__).parents[1] / "nbs", help="the folder of notebooks")
    args = parser.parse_args()
    pages = [read_page(path) for path in args.notebooks] or read_pages(args.nbs)
    if any(page.cells for page in pages): print(table(figures(pages).items()))
    for page in pages if args.notebooks else []: print(f"\n{page.path}", *places(page), sep="\n  ")
