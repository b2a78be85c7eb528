"""Entries of the API as a reader wants them: a short signature, what it does, and a table of its parameters.

nbdev writes the comments on parameters into the signature, where their links and code marks stay raw, gives each entry
a heading of its own below the heading that names it already, and drops what stands below a page's title in the same
cell. `Pages` is nbdev's own list of processors with these mended; smalldocs and Quarto read what comes of it alike.
"""
from __future__ import annotations

import ast
import html
import inspect
import re
from dataclasses import is_dataclass
from enum import Enum
from functools import cached_property
from importlib import import_module
from inspect import Parameter
from pathlib import Path

import nbdev.showdoc
from execnb.nbio import mk_cell, read_nb
from fastcore.docments import docments
from nbdev.config import get_config
from nbdev.doclinks import NbdevLookup
from nbdev.process import Processor
from nbdev.processors import FilterDefaults, add_links, exec_show_docs

WIDTH = 76  # of a signature: so much fits beside the two sidebars
HOMES = {"__main__", get_config().lib_path.name}  # of what the pages define
PROPERTY = property | cached_property
CODE = re.compile(r"(`+)(.+?)\1")
LINK = re.compile(r"\[[^\[\]]*\]\([^()]*\)")


def in_table(text: str) -> str:
    "`text`, which is Markdown, for one cell of a table: a pipe ends none, and only code and links are marks."
    def prose(part: str) -> str: return re.sub(r"([*|])", r"\\\1", part.replace("<", "&lt;"))
    def code(part: str) -> str:  # a pipe in code is read otherwise by each Markdown, as HTML it is read alike
        return part if "|" not in part else f"<code>{html.escape(part.strip('`')).replace('|', '&#124;')}</code>"
    pieces, end = [], 0
    for match in CODE.finditer(text):
        pieces += [prose(text[end:match.start()]), code(match[0])]
        end = match.end()
    return " ".join("".join([*pieces, prose(text[end:])]).split())


def table(columns: list[str], rows: list[list[str]]) -> str:
    "A table in Markdown, without the columns that are empty in all rows; nothing where there are no rows."
    if not rows: return ""
    kept = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    lines = [[columns[i] for i in kept], ["---"] * len(kept), *([in_table(row[i]) for i in kept] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def as_code(annotation) -> str:
    "An annotation as it is written, empty for none."
    if annotation is Parameter.empty: return ""
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def alternatives(annotation: str) -> str:
    "An annotation for a table: `dict | None` as `dict` or `None`, so that each can be a link."
    def split(node) -> list[str]:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr): return split(node.left) + split(node.right)
        return [f"`{ast.unparse(node)}`"]
    return " or ".join(split(ast.parse(annotation, mode="eval").body)) if annotation else ""


def default(parameter: Parameter) -> str:
    "The default value as code, empty for none."
    value = parameter.default
    if value is Parameter.empty: return ""
    return str(value) if isinstance(value, Enum) else getattr(value, "__name__", None) or repr(value)


def short(parameter: Parameter, typed: bool) -> str:
    "A parameter as it stands in a signature."
    stars = {Parameter.VAR_POSITIONAL: "*", Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    kind = f": {as_code(parameter.annotation)}" if typed and as_code(parameter.annotation) else ""
    value = f"{' = ' if kind else '='}{default(parameter)}" if default(parameter) else ""
    return stars + parameter.name + kind + value


def in_brackets(parameters: list[Parameter], typed: bool) -> list[str]:
    "What stands between the brackets of a signature."
    parts, before = [], None
    for parameter in parameters:
        if before == Parameter.POSITIONAL_ONLY != parameter.kind: parts.append("/")
        starred = before in (Parameter.KEYWORD_ONLY, Parameter.VAR_POSITIONAL)
        if parameter.kind == Parameter.KEYWORD_ONLY and not starred: parts.append("*")
        parts.append(short(parameter, typed))
        before = parameter.kind
    return parts


def signature(name: str, parts: list[str], returns: str = "") -> str:
    "`name(…)` in one line or, where that is too long, in as many as it takes."
    end = f") -> {returns}" if returns else ")"
    if len(line := f"{name}({', '.join(parts)}{end}") <= WIDTH: return line
    lines = [""]
    for part in parts:
        if lines[-1] and len(lines[-1]) + len(part) + 6 > WIDTH: lines.append("")
        lines[-1] += f" {part}," if lines[-1] else f"{part},"
    return "\n".join([f"{name}(", *("    " + line for line in lines), end])


def exported(sym):
    """What stands in the package for a dataclass of a notebook, which has no file that its comments could be read from;
    any other `sym` as it is."""
    known = NbdevLookup()[sym.__qualname__] if is_dataclass(sym) else None
    return getattr(import_module(known[1].removesuffix(".py").replace("/", ".")), sym.__name__) if known else sym


def members(cls: type) -> dict[str, object]:
    "The public methods and properties of a class by name, those of its parents in this package after its own."
    ours = [parent for parent in cls.__mro__ if parent.__module__.partition(".")[0] in HOMES | {cls.__module__}]
    named = {name: getattr(cls, name) for parent in ours for name in vars(parent) if not name.startswith("_")}
    return {name: member for name, member in named.items() if callable(member) or isinstance(member, PROPERTY)}


class Lookup(NbdevLookup):
    "nbdev's index of names, which knows a method by the class that defines it, with those that a class inherits."
    def doc(self, sym: str) -> str | None:
        name, _, attribute = sym.partition(".")
        known = super().doc(sym)
        if known or not attribute.isidentifier() or not isinstance(self[name], tuple): return known
        page, path, _ = self[name]
        home = getattr(import_module(path.removesuffix(".py").replace("/", ".")), name, None)
        return f"{page}.{attribute.lower()}" if isinstance(home, type) and hasattr(home, attribute) else None


class Entry:
    "What `show_doc` gives for the site. Annotations are shown as written: what they name may come later on the page."
    def __init__(self, sym, name: str | None = None, title_level: int = 3):
        self.sym = getattr(sym, "fget", None) or inspect.unwrap(sym)
        self.name, self.title_level, self.is_class = name or self.sym.__qualname__, title_level, isinstance(sym, type)

    def call(self) -> tuple[str, str]:
        "The signature and, where parameters carry comments, the table of parameters."
        if self.is_class and issubclass(self.sym, Enum):
            members = [[f"`{member.name}`", f"`{member.value!r}`"] for member in self.sym]
            return f"class {self.name}", table(["member", "value"], members)
        try: made = inspect.signature(self.sym)
        except ValueError: return self.name, ""  # a class whose signature C keeps to itself
        parameters = [p for p in made.parameters.values() if p.name not in ("self", "cls")]
        returns = "" if self.is_class else as_code(made.return_annotation)
        comments = docments(exported(self.sym), args_kwargs=True)
        if not any(comments.get(p.name) for p in parameters):
            return signature(self.name, in_brackets(parameters, typed=True), returns), ""
        rows = [[f"`{p.name}`", alternatives(as_code(p.annotation)), f"`{default(p)}`" if default(p) else "",
                 comments.get(p.name) or ""] for p in parameters]
        if returns not in ("", "None"):
            rows.append(["returns", alternatives(returns), "", comments.get("return") or ""])
        columns = ["parameter", "type", "default", "what it is"]
        return signature(self.name, in_brackets(parameters, typed=False)), table(columns, rows)

    def about(self) -> str:
        "The docstring, where there is one: nothing that Python makes up or that is said of all functions."
        if not self.sym.__doc__ or self.sym.__doc__.startswith(f"{self.sym.__name__}("): return ""  # as dataclasses do
        return inspect.getdoc(self.sym)

    def methods(self) -> str:
        "A table of the public methods and properties of a class, each with the first sentence of its docstring."
        rows = []
        for name, member in members(self.sym).items() if self.is_class else ():
            if doc := inspect.getdoc(member):
                sentence, *_ = re.split(r"(?<=[.!?])\s|\n\n", doc)
                rows.append([f"`.{name}`" if isinstance(member, PROPERTY) else f"`.{name}()`", sentence])
        return table(["method", "what it does"], rows)

    def _repr_markdown_(self) -> str:
        path = self.sym.__qualname__
        module = self.sym.__module__
        names = [f"{module}.{path}", path] if module.partition(".")[0] in HOMES else []  # others may share a name
        source = next(filter(None, map(NbdevLookup().code, names)), None)
        link = f'[source]({source}){{.source target="_blank"}}' if source else ""
        call, parameters = self.call()
        parts = [f"{'#' * self.title_level} `{self.name}`", "::: {.entry}", link, f"```python\n{call}\n```",
                 self.about(), parameters, self.methods(), ":::"]
        return "\n\n".join(filter(None, parts))


class keep_opening(Processor):
    "What a page's first cell says below its title and description is text as well, which nbdev would drop."
    def begin(self):
        cells = self.nb.cells
        title, opening = re.fullmatch(r"((?:# [^\n]*\s*)?(?:>[^\n]*\s*)?)(.*)", cells[0].source, re.S).groups()
        if title and opening: cells[0].source, cells[1:1] = title.strip(), [mk_cell(opening, "markdown")]


class show_entries(exec_show_docs):
    "Run `show_doc` for each name, with `Entry` as its renderer."
    def begin(self):
        nbdev.showdoc.BasicMarkdownRenderer = Entry  # which `show_doc` looks up when it is called
        super().begin()

    def __call__(self, cell):
        "A method is shown under the name that the page gives it, which says the class even where that inherits it."
        if cell.cell_type == "code":
            cell.source = re.sub(r"^show_doc\((\w+\.\w+)\)", r"show_doc(\1, name='\1')", cell.source, flags=re.M)
        super().__call__(cell)


def headings(text: str) -> list[str]:
    "The headings in Markdown, without their marks; the title of a page is none."
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    lines = re.findall(r"^#{2,}\s+(.*?)\s*(?:\{.*\})?$", prose, re.M)
    return [re.sub(r"[`*]", "", line).strip() for line in lines]


def entry_names(nb) -> set[str]:
    "The anchors of a page's headings that are names: `Student.load` has `student.load`."
    texts = [cell.source for cell in nb.cells if cell.cell_type == "markdown"]
    outputs = [output for cell in nb.cells for output in cell.get("outputs", [])]
    texts += ["".join(output.get("data", {}).get("text/markdown", "")) for output in outputs]
    return {heading.lower() for text in texts for heading in headings(text)}


class one_heading(Processor):
    "Where a heading of the page names what an entry is about, the entry needs none of its own."
    def begin(self): self.seen = set()

    def cell(self, cell):
        if cell.cell_type == "markdown": self.seen |= set(headings(cell.source))
        for output in cell.get("outputs", []):
            if "show_doc(" not in cell.source or "text/markdown" not in output.get("data", {}): continue
            text = "".join(output["data"]["text/markdown"])
            if set(headings(text)[:1]) & self.seen: text = text.partition("\n")[2].lstrip()
            output["data"]["text/markdown"] = text.splitlines(keepends=True)


def link_names(cell):
    "Names of the API in prose and tables become links to their entries; in headings, links and code they stay as is."
    def link(text: str) -> str:
        hidden = LINK.sub(lambda match: match[0].replace("`", "\0"), text)
        lines = zip(text.splitlines(), Lookup().linkify(hidden).split("\n"), strict=True) if text else []
        return "\n".join(line if line.startswith("#") else linked.replace("\0", "`") for line, linked in lines)
    if cell.cell_type == "markdown": cell.source = link(cell.source)
    for output in cell.get("outputs", []):
        if "text/markdown" in (data := output.get("data", {})):
            data["text/markdown"] = link("".join(data["text/markdown"])).splitlines(keepends=True)


class Pages(FilterDefaults):
    "nbdev's processors of a notebook for the site, with entries, links and headings as above."
    def base_procs(self):
        ours = {exec_show_docs: [show_entries, one_heading], add_links: [link_names]}
        return [keep_opening, *(new for old in super().base_procs() for new in ours.get(old, [old]))]


def settle_links(proc: Path, site_url: str) -> None:
    """nbdev links a method to an entry of its own. Where it has none, link to that of its class, which has a table of
    the methods."""
    paths = list(proc.rglob("*.ipynb"))
    known = {path.relative_to(proc).with_suffix(".html").as_posix(): entry_names(read_nb(path)) for path in paths}
    method = re.compile(rf"\({re.escape(site_url)}/([\w/]+\.html)#(\w+)(\.\w+)\)")
    def settled(match) -> str:
        page, name, attribute = match.groups()
        return match[0] if name + attribute in known.get(page, ()) else f"({site_url}/{page}#{name})"
    for path in paths: path.write_text(method.sub(settled, path.read_text(encoding="utf-8")), encoding="utf-8")
