"""The site builds from a checkout, changes nothing in it, and every link in it leads somewhere."""
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
import yaml

from conftest import ROOT, changes, contents, copy_checkout, run

CONFIG = yaml.safe_load((ROOT / "_quarto.yml").read_text(encoding="utf-8"))
HOME = CONFIG["website"]["site-url"].rstrip("/") + "/"


class Page(HTMLParser):
    "The anchors of a page and the addresses it refers to."
    def __init__(self, html: str):
        super().__init__()
        self.anchors, self.links = {""}, []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors |= {attrs[k] for k in ("id", "name") if attrs.get(k)}
        self.links += [attrs[k] for k in ("href", "src") if attrs.get(k) is not None]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    checkout = copy_checkout(tmp_path_factory.mktemp("site") / "checkout")
    before = contents(checkout)
    run(sys.executable, "tools/site.py", "--smalldocs", cwd=checkout)
    changed = [name for name in changes(before, contents(checkout)) if not name.startswith(("_docs/", "_proc/"))]
    assert not changed, "building the site changed the checkout"
    return checkout / "_docs"


def broken(site: Path) -> list[str]:
    "Each address in the site's pages that leads to no file or no anchor of the site; other sites are not asked."
    pages = {p.relative_to(site).as_posix(): Page(p.read_text(encoding="utf-8")) for p in site.rglob("*.html")}
    bad = []
    for name, page in pages.items():
        for link in page.links:
            address, anchor = urldefrag(urljoin(HOME + name, link))
            if urlsplit(address).scheme not in ("http", "https") or not (address + "/").startswith(HOME): continue
            target = unquote(address[len(HOME):]) or "index.html"
            if not (site / target).is_file(): bad.append(f"{name}: {link}: no such file")
            elif target in pages and unquote(anchor) not in pages[target].anchors: bad.append(f"{name}: {link}: no such anchor")
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


def test_public_names_have_an_entry(site):
    "An API entry is a heading of its own, which nbdev's links from everywhere else lead to."
    import sieves_distill
    anchors = {a for p in site.glob("*.html") for a in Page(p.read_text(encoding="utf-8")).anchors}
    assert {name.lower() for name in sieves_distill.__all__} <= {a.lower() for a in anchors}


def test_broken_links_are_seen(tmp_path):
    "The check itself: it finds a missing page, anchor and picture, and lets what is right pass."
    (tmp_path / "b.html").write_text("<h1 id='here'></h1>")
    (tmp_path / "a.html").write_text(f"""<a href="b.html#here"><a href="{HOME}b.html"><a href="https://example.org/c.html"><a href="mailto:a@b.c"><a href="#">
        <a href="c.html"><a href="b.html#there"><a href="{HOME}b.html#gone"><img src="d.png">""")
    assert broken(tmp_path) == ["a.html: c.html: no such file", "a.html: b.html#there: no such anchor",
                                f"a.html: {HOME}b.html#gone: no such anchor", "a.html: d.png: no such file"]
