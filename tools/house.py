"""The plan of the package: its wings, and the rules that imports between them keep. Prints what breaks a rule.

    python tools/house.py

A wing is a folder of modules, or a single module; a room is a module, written in the notebook of the same name. Imports
are read from the code, those inside functions too, so nothing is imported to find them.
"""
from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

# A wing may import those before it in this list, and no other.
WINGS = ["basics", "tasks", "documents", "export", "strata", "split", "teach", "heads", "evaluate", "students", "train",
         "relabel", "decide", "watch", "deploy", "shell", "cli", "testing"]

# Rooms that take names from the package's root, which finds them in whatever wing they are when they are asked for.
FROM_ROOT = {
    "tasks.task": {"label_docs", "to_hf_dataset", "distill"},  # methods of a task that open doors to later wings
    "students.student": {"explain", "export_student", "update_student"},  # likewise of a student
    "deploy.packing": {"__version__"},
    "train.distillation": {"__version__"},
}
# Rooms that import modules whose names are computed.
BY_NAME = {
    "basics.checks",  # an optional package, or an error that says how to install it
    "documents.sources",  # what reads rows in a format, when it is first asked for
    "deploy.runtime",  # what answers for a model, when a folder of it is first read, and whose code is copied
    "deploy.formats",  # what writes a format, when it is first asked for
    "tasks.kinds",  # the maker of a kind, when a folder of it is first read
    "students.frameworks",  # the parts of a kind of student, when they are first asked for
    "shell",  # the module of a user that holds a task
}

# Rooms that read the private attributes of another library's objects.
FOREIGN = {
    "tasks.adapt",  # of sieves' own tasks
}

INDEX = "_modidx"  # nbdev's index of the names in each module


@dataclass(frozen=True, order=True)
class Import:
    "An import of something of the package by one of its modules; '' is the root, 'tasks' a wing, 'tasks.task' a room."
    module: str
    target: str
    name: str | None  # what is taken from the target; None where the target itself is
    line: int

    @property
    def place(self) -> str: return f"{self.module or '__init__'}, line {self.line}"


def wing_of(module: str) -> str: return module.partition(".")[0]


def is_private(name: str) -> bool: return name.startswith("_") and not name.endswith("__")


class House:
    "The modules of a package, read but not imported."
    def __init__(self, package: Path):
        self.package = package
        self.paths = {self._module(path): path for path in sorted(package.rglob("*.py")) if path.stem != INDEX}
        self.trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in self.paths.items()}

    def _module(self, path: Path) -> str:
        return ".".join(part for part in path.relative_to(self.package).with_suffix("").parts if part != "__init__")

    def is_door(self, module: str) -> bool:
        "Is it an `__init__.py`, the root's or a wing's?"
        return self.paths[module].name == "__init__.py"

    @property
    def rooms(self) -> list[str]: return [module for module in self.paths if not self.is_door(module)]

    @cached_property
    def imports(self) -> list[Import]:
        "What the modules import of the package, wherever it stands in them."
        imports = {imported for module in self.paths for imported in self._imports_of(module)}
        return sorted(imports, key=lambda each: (each.module, each.target, each.name or "", each.line))

    def _imports_of(self, module: str) -> Iterator[Import]:
        root = self.package.name
        for node in ast.walk(self.trees[module]):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    package, _, target = alias.name.partition(".")
                    if package == root: yield Import(module, target, None, node.lineno)
            elif isinstance(node, ast.ImportFrom):
                source = self._source(module, node)
                if source is None: continue
                for alias in node.names:
                    inner = f"{source}.{alias.name}".strip(".")
                    if inner in self.paths: yield Import(module, inner, None, node.lineno)
                    else: yield Import(module, source, alias.name, node.lineno)

    def _source(self, module: str, node: ast.ImportFrom) -> str | None:
        "The module that `from … import` names; None if it is of another package."
        if not node.level:
            package, _, source = (node.module or "").partition(".")
            return source if package == self.package.name else None
        parts = module.split(".") if module else []
        up = node.level - self.is_door(module)
        return ".".join(parts[:len(parts) - up] + ([node.module] if node.module else []))

    def arrows(self) -> dict[str, set[str]]:
        "For each wing those that it imports."
        arrows = {wing: set() for wing in WINGS if any(wing_of(module) == wing for module in self.paths)}
        for imported in self.imports:
            wing, target = wing_of(imported.module), wing_of(imported.target)
            if wing in arrows and target and wing != target: arrows[wing].add(target)
        return arrows

    def about(self, module: str) -> str:
        "The first line of its docstring."
        return (ast.get_docstring(self.trees[module]) or "").partition("\n")[0]


def without_place(house: House) -> Iterator[str]:
    "Modules of no wing."
    for module in house.rooms:
        wing = wing_of(module)
        if wing not in WINGS: yield f"{module} is in no wing: add {wing!r} to WINGS in tools/house.py"


def arrows_up(house: House) -> Iterator[str]:
    "Imports of a wing that comes later."
    order = {wing: i for i, wing in enumerate(WINGS)}
    for imported in house.imports:
        wing, target = wing_of(imported.module), wing_of(imported.target)
        if wing in order and order.get(target, -1) > order[wing]:
            yield f"{imported.place}, imports {imported.target}: {target} rests on {wing}, not {wing} on {target}"


def circles(house: House) -> Iterator[str]:
    "A circle of modules, if there is one."
    graph = {module: set() for module in filter(None, house.paths)}
    for imported in house.imports:
        if imported.module and imported.target: graph[imported.module].add(imported.target)
    try: TopologicalSorter(graph).prepare()
    except CycleError as error: yield f"imports go in a circle: {' imports '.join(reversed(error.args[1]))}"


def private_names(house: House) -> Iterator[str]:
    "Private names of another module: imported, or used as an attribute of a module or of an object from there."
    for imported in house.imports:
        for name in filter(is_private, [imported.name or "", *imported.target.split(".")]):
            yield f"{imported.place}, imports {name}: a name that another room uses has no underscore"
    homes = {module: private_attributes(tree) for module, tree in house.trees.items()}
    for module, tree in house.trees.items():
        elsewhere = {attribute: other for other, names in homes.items() for attribute in names - homes[module]}
        for node in attributes(tree):
            if node.attr not in elsewhere or module in FOREIGN: continue
            if ast.unparse(node.value) in {"self", "cls", "super()"}: continue  # inherited
            yield (f"{module}, line {node.lineno}, uses {ast.unparse(node)[-60:]}, which is private in "
                   f"{elsewhere[node.attr]}: a name that another room uses has no underscore")


def attributes(tree: ast.AST) -> list[ast.Attribute]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]


def private_attributes(tree: ast.Module) -> set[str]:
    "The private names that a module gives to objects, classes and itself."
    functions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    methods = {node.name for outer in ast.walk(tree) if isinstance(outer, ast.ClassDef | ast.Module)
               for node in outer.body if isinstance(node, functions)}
    stored = {node.attr for node in attributes(tree) if isinstance(node.ctx, ast.Store)}
    fields = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return set(filter(is_private, methods | stored | fields))


def from_root(house: House) -> Iterator[str]:
    "Names taken from the root, but for those that are allowed; modules imported by a computed name."
    for imported in house.imports:
        if imported.target or not imported.module: continue
        if imported.name or imported.module not in FROM_ROOT:
            yield f"{imported.place}, imports the package itself: import the room that defines the name"
    for module in house.rooms:
        for node in attributes(house.trees[module]):
            if ast.unparse(node.value) != house.package.name or node.attr in FROM_ROOT.get(module, ()): continue
            yield f"{module}, line {node.lineno}, uses {ast.unparse(node)}: import the room that defines the name"
        for node in ast.walk(house.trees[module]):
            if not isinstance(node, ast.Call) or "import_module" not in ast.unparse(node.func): continue
            if module not in BY_NAME: yield f"{module}, line {node.lineno}, imports a module by a computed name"


def doors(house: House) -> Iterator[str]:
    "A wing's `__init__.py` hands on names of its own rooms and does nothing else."
    for module in filter(None, house.paths):
        if not house.is_door(module): continue
        if not house.about(module): yield f"{module}/__init__.py has no docstring that says what the wing is for"
        for node in house.trees[module].body:
            is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            is_own = isinstance(node, ast.ImportFrom) and node.level == 1 and f"{module}.{node.module}" in house.paths
            if not (is_docstring or is_own):
                yield f"{module}/__init__.py, line {node.lineno}, does more than hand on names: from .room import name"


def notebooks(house: House, nbs: Path) -> Iterator[str]:
    "Notebooks and modules that are not each other's namesakes."
    exports = {}
    for path in sorted(nbs.rglob("[!_.]*.ipynb")):
        text = path.read_text(encoding="utf-8")
        if match := re.search(r'"#\|\s*default_exp\s+([\w.]+)', text):  # at the start of a line
            name = ".".join(path.relative_to(nbs).with_suffix("").parts)
            exports[match[1]] = name
            if match[1] != name: yield f"{name}.ipynb exports to {match[1]}: notebook and module have one name"
    for module in sorted(set(house.rooms) - set(exports)): yield f"{module} has no notebook"
    for module in sorted(set(exports) - set(house.rooms)): yield f"{exports[module]}.ipynb is not exported"


RULES = [without_place, arrows_up, circles, private_names, from_root, doors]


def problems(house: House, nbs: Path | None = None) -> list[str]:
    "What breaks a rule, as sentences."
    broken = [sentence for rule in RULES for sentence in rule(house)]
    return broken + (list(notebooks(house, nbs)) if nbs else [])


ROOT = Path(__file__).resolve().parents[1]
PACKAGE, NBS = ROOT / "sieves_distill", ROOT / "nbs"


if __name__ == "__main__":
    if broken := problems(House(PACKAGE), NBS): sys.exit("\n".join(broken))
