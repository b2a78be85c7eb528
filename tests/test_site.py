"""The site builds from a checkout, changes nothing in it, every link in it leads somewhere, and its API reads well."""
from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from enum import Enum
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import entries
import house
import nbformat
import pytest
import yaml
from execnb.nbio import mk_cell, read_nb
from fastcore.basics import AttrDict
from nbformat.v4 import new_markdown_cell, new_notebook

from conftest import ROOT, changes, contents, copy_checkout, run

CONFIG = yaml.safe_load((ROOT / "_quarto.yml").read_text(encoding="utf-8"))
HOME = CONFIG["website"]["site-url"].rstrip("/") + "/"


class Page(HTMLParser):
    "The anchors of a page, the addresses it refers to, and the headings, prose and code in its main part."
    def __init__(self, html: str):
        super().__init__()
        self.anchors, self.links = {""}, []
        self.headings, self.prose, self.code = [], [], []
        self.open = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors |= {attrs[k] for k in ("id", "name") if attrs.get(k)}
        self.links += [attrs[k] for k in ("href", "src") if attrs.get(k) is not None]
        if tag in ("main", "pre", "script", "style") or re.fullmatch("h[2-6]", tag):
            self.open.append(tag)
            if re.fullmatch("h[2-6]", tag): self.headings.append("")

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag: self.open.pop()

    def handle_data(self, data):
        if "main" not in self.open or {"script", "style"} & {*self.open}: return
        (self.code if "pre" in self.open else self.prose).append(data)
        if re.fullmatch("h[2-6]", self.open[-1]): self.headings[-1] += data


def parsed(site: Path) -> dict[str, Page]:
    "The pages of a site, by their addresses in it."
    return {p.relative_to(site).as_posix(): Page(p.read_text(encoding="utf-8")) for p in site.rglob("*.html")}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    checkout = copy_checkout(tmp_path_factory.mktemp("site") / "checkout")
    before = contents(checkout)
    run(sys.executable, "tools/site.py", "--smalldocs", cwd=checkout)
    changed = [name for name in changes(before, contents(checkout)) if not name.startswith(("_docs/", "_proc/"))]
    assert not changed, "building the site changed the checkout"
    return checkout / "_docs"


@pytest.fixture(scope="module")
def pages(site) -> dict[str, Page]:
    return parsed(site)


def broken(site: Path) -> list[str]:
    "Each address in the site's pages that leads to no file or no anchor of the site; other sites are not asked."
    bad, pages = [], parsed(site)
    for name, page in pages.items():
        for link in page.links:
            address, anchor = urldefrag(urljoin(HOME + name, link))
            if urlsplit(address).scheme not in ("http", "https") or not (address + "/").startswith(HOME): continue
            target = unquote(address[len(HOME):]) or "index.html"
            if not (site / target).is_file(): bad.append(f"{name}: {link}: no such file")
            elif target in pages and unquote(anchor) not in pages[target].anchors:
                bad.append(f"{name}: {link}: no such anchor")
    return bad


def listed(contents: list) -> list[str]:
    "The pages that a sidebar names, in its order."
    return [page for item in contents for page in (listed(item["contents"]) if isinstance(item, dict) else [item])]


def test_sidebar_lists_every_notebook_once():
    notebooks = {p.relative_to(ROOT / "nbs").as_posix() for p in (ROOT / "nbs").rglob("[!_.]*.ipynb")}
    assert sorted(listed(CONFIG["website"]["sidebar"]["contents"])) == sorted(notebooks)


def test_every_notebook_is_a_page(site):
    for name in listed(CONFIG["website"]["sidebar"]["contents"]):
        assert (site / name).with_suffix(".html").is_file()


def test_every_link_anchor_and_picture_resolves(site):
    assert not broken(site)


def test_public_names_have_an_entry(pages):
    "An API entry is a heading of its own, which nbdev's links from everywhere else lead to."
    import sieves_distill
    anchors = {anchor.lower() for page in pages.values() for anchor in page.anchors}
    assert {name.lower() for name in sieves_distill.__all__} <= anchors


def twice(page: Page) -> list[str]:
    "The headings that a page has more than once"
    headings = [heading.strip() for heading in page.headings]
    return sorted({heading for heading in headings if headings.count(heading) > 1})


def raw(page: Page) -> list[str]:
    "Marks of Markdown that a reader would see: links and code marks in prose, linked names in code"
    in_code = re.findall(r"\[`[^`]*`\]\(\S*", "".join(page.code))
    return re.findall(r"\S*\]\(\S*|\S*`\S*|\*\*\w+\*\*", " ".join(page.prose)) + in_code


def test_no_heading_stands_twice(pages):
    assert not {name: headings for name, page in pages.items() if (headings := twice(page))}


def test_no_markdown_is_left(pages):
    assert not {name: marks for name, page in pages.items() if (marks := raw(page))}


def test_broken_links_are_seen(tmp_path):
    "The check itself: it finds a missing page, anchor and picture, and lets what is right pass."
    (tmp_path / "b.html").write_text("<h1 id='here'></h1>")
    (tmp_path / "a.html").write_text(f"""
        <a href="b.html#here"><a href="{HOME}b.html"><a href="https://example.org/c.html"><a href="mailto:a@b.c">
        <a href="#"><a href="c.html"><a href="b.html#there"><a href="{HOME}b.html#gone"><img src="d.png">""")
    assert broken(tmp_path) == ["a.html: c.html: no such file", "a.html: b.html#there: no such anchor",
                                f"a.html: {HOME}b.html#gone: no such anchor", "a.html: d.png: no such file"]


def test_raw_marks_and_double_headings_are_seen():
    "The other two checks: what they find, and what they let pass."
    bad = Page("<main><h2><code>fit</code></h2><h3>fit</h3><p>[a](b.html) and `c`</p><pre># [`d`](d.html)</pre>")
    assert (twice(bad), raw(bad)) == (["fit"], ["[a](b.html)", "`c`", "[`d`](d.html)"])
    good = Page("<h2>fit</h2><main><h2>fit</h2><h3>Fit</h3><p><a href='b'>a</a> (b)</p><pre>d[`0`] = e[f](g)")
    assert (twice(good), raw(good)) == ([], [])


def plain(texts: list[str], n: int = 3): return texts[:n]


def explained(
    texts: list[str] | None,  # Texts, as in `Doc`; *all* of them, `a | b`
    *rest,
    seed=0,  # A number < 10
) -> dict[str, int | None]:  # How often each | occurs
    "Count texts.\n\nRaises `ValueError` for none."


class Colour(Enum):
    "A colour"
    red = "r"


class Thing:
    def name(self): "What it is called"


@dataclass
class Point(Thing):
    x: float  # From the left
    y: float = 0.0

    @property
    def norm(self): "How far away it is. In no unit."

    def move(self): "Another place"

    def _hidden(self): "Not for readers"


def entry(sym) -> str: return entries.Entry(sym)._repr_markdown_()


def test_entry_has_a_signature_and_a_table_of_parameters():
    "Comments are read as Markdown, in cells that no pipe ends; types stand in the table alone."
    assert entry(explained) == """### `explained`

::: {.entry}

```python
explained(texts, *rest, seed=0)
```

Count texts.

Raises `ValueError` for none.

| parameter | type | default | what it is |
| --- | --- | --- | --- |
| `texts` | `list[str]` or `None` |  | Texts, as in `Doc`; \\*all\\* of them, <code>a &#124; b</code> |
| `rest` |  |  |  |
| `seed` |  | `0` | A number &lt; 10 |
| returns | <code>dict[str, int &#124; None]</code> |  | How often each \\| occurs |

:::"""


def test_entry_without_comments_shows_types_in_the_signature():
    assert entry(plain) == "### `plain`\n\n::: {.entry}\n\n```python\nplain(texts: list[str], n: int = 3)\n```\n\n:::"


def test_entry_may_name_what_comes_later():
    def early(a: Later) -> Later: pass  # noqa: F821
    assert "early(a: Later) -> Later" in entry(early)


def test_long_signature_is_wrapped():
    def long(*, a_parameter_with_a_name_of_length=1, another_parameter_of_that_length=(2, 3), a_third=None): pass
    assert """long(
    *, a_parameter_with_a_name_of_length=1,
    another_parameter_of_that_length=(2, 3), a_third=None,
)""" in entry(long)


def test_entry_of_a_class():
    "Members of an enumeration; fields, methods and properties of a class, each with its first sentence."
    assert "class Colour\n```\n\nA colour\n\n| member | value |\n| --- | --- |\n| `red` | `'r'` |" in entry(Colour)
    point = entry(Point)
    assert "Point(x, y=0.0)" in point and "| `x` | `float` |  | From the left |" in point
    rows = "| `.norm` | How far away it is. |\n| `.move()` | Another place |\n| `.name()` | What it"
    assert rows in point and "hidden" not in point
    assert "Point(x:" not in point, "the docstring that dataclasses make up is left out"


def shown(*cells) -> list:
    "Cells after `one_heading`: strings are Markdown, entries the output of `show_doc`"
    made = [mk_cell(text, "markdown") if isinstance(text, str) else mk_cell("show_doc(f)") for text in cells]
    for cell, text in zip(made, cells):
        if not isinstance(text, str): cell.outputs = [AttrDict(data={"text/markdown": text[0].splitlines(True)})]
    one_heading = entries.one_heading(AttrDict(cells=made))
    one_heading.begin()
    for cell in made: one_heading(cell)
    return ["".join(cell.outputs[0]["data"]["text/markdown"]) for cell in made if cell.cell_type == "code"]


def test_entry_below_a_heading_of_its_name_has_none():
    "Nor has one whose name a heading before has; a heading in code is no heading, and the page's title is no section."
    made = ["### `fit`\n\n::: {.entry}"]
    assert shown("# Fit", made, "```\n## fit\n```", made) == ["### `fit`\n\n::: {.entry}"] * 2
    assert shown("## `fit` {#fit}", "## Others", made) == ["::: {.entry}"]
    assert shown("## Fit", made) == [made[0]], "a word is not a name"


def test_method_is_known_by_a_class_that_inherits_it():
    from sieves_distill import Student
    assert "load" not in vars(Student), "the test would test nothing"
    lookup = entries.Lookup()
    assert lookup.doc("Student.load") == lookup.doc("Student") + ".load"
    assert lookup.doc("Student.fly") is lookup.doc("Student.load(path)") is lookup.doc("nothing.load") is None


def test_link_to_a_method_without_an_entry_leads_to_its_class(tmp_path):
    def link(anchor): return f"(https://example.org/docs/a/b.html#{anchor})"
    links = new_markdown_cell(f"{link('c.fit')} {link('c.other')}")
    page = new_notebook(cells=[new_markdown_cell("### `C.fit`"), links])
    (tmp_path / "a").mkdir()
    nbformat.write(page, tmp_path / "a/b.ipynb")
    entries.settle_links(tmp_path, "https://example.org/docs")
    assert nbformat.read(tmp_path / "a/b.ipynb", 4).cells[1].source == f"{link('c.fit')} {link('c')}"


@pytest.mark.parametrize("source, title, opening", [
    ("# A page\n\n> What it is\n\nIt begins\n\n- so: well", "# A page\n\n> What it is", "It begins\n\n- so: well"),
    ("# A page\nIt begins", "# A page", "It begins"),
    ("# A page\n> What it is", "# A page\n> What it is", None),
    ("It begins", "It begins", None),
], ids=["all", "no description", "no opening", "no title"])
def test_opening_of_a_page_is_kept(source, title, opening):
    nb = AttrDict(cells=[mk_cell(source, "markdown"), mk_cell("1")])
    entries.keep_opening(nb).begin()
    assert [cell.source for cell in nb.cells] == [title, *filter(None, [opening]), "1"]


def test_names_are_linked_in_prose_and_tables_only(monkeypatch):
    monkeypatch.setattr(entries.Lookup, "doc", lambda self, name: "doc.html#doc" if name == "Doc" else None)
    text = "## `Doc`\nA `Doc`, a `text`:\n```\n`Doc`\n```\n[`Doc` as\nhere](here.html) | `Doc` |"
    linked = text.replace("A `Doc`", "A [`Doc`](doc.html#doc)").replace("| `Doc`", "| [`Doc`](doc.html#doc)")
    prose, output = mk_cell(text, "markdown"), mk_cell("show_doc(f)")
    output.outputs = [AttrDict(data={"text/markdown": text.splitlines(True)})]
    blank = mk_cell("\n\n", "markdown")
    for cell in prose, output, blank: entries.link_names(cell)
    assert prose.source == "".join(output.outputs[0]["data"]["text/markdown"]) == linked


def test_map_shows_the_rooms_of_today():
    "Its table is made by a cell, whose saved output the site shows."
    outputs = [output for cell in read_nb(ROOT / "nbs/map.ipynb").cells for output in cell.get("outputs", [])]
    table = "".join(line for output in outputs for line in output.data.get("text/markdown", []))
    rooms = {room.replace(".", "/") + ".ipynb" for room in house.House(house.PACKAGE).rooms}
    assert set(re.findall(r"\]\((\S+)\)", table)) == rooms, "run `make execute NB=nbs/map.ipynb`"
