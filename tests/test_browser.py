"""`Review` in JupyterLab, in a real browser: labels, spans and records are corrected with the mouse and the keyboard,
and are there after the kernel was restarted.

Needs the extra `browser` (jupyterlab, playwright), and Chromium as the system has it: `apt-get install chromium`.
Screenshots are left in build/browser.
"""
from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest

from chromium import browser, needs_chromium, playwright  # noqa: F401, a fixture
from conftest import ROOT

pytest.importorskip("jupyterlab", reason="jupyterlab is missing: pip install -e '.[browser]'")
playwright.expect.set_options(timeout=30_000)  # a busy machine
pytestmark = needs_chromium

SCREENSHOTS, TOKEN = ROOT / "build/browser", "review"
EVIL = ("A script </pre><script>window.hacked = 'script'</script><img src=x onerror=\"window.hacked = 'image'\"> "
        "& <b>no bold</b>")
CODE = f"""
import pandas as pd
from sieves_distill import Classification, Review
frame = pd.DataFrame({{
    "text": [{EVIL!r}, "The keeper saved a penalty.", "Rates were raised.", "A new chip.", "A late goal."],
    "teacher": ["tech", "money", "tech", "tech", "sports"], "student": ["sports", "sports", "money", "tech", "tech"],
    "reason": [{EVIL!r}, "", "", "", ""], "proba": [{{"sports": .7, "tech": .2, "money": .1}}] * 5}})
topic = Classification(["sports", "tech", "money"], multi_label=False, task_id="topic")
review = Review(frame, topic, "corrections.jsonl")
review
""".strip()
LETTER = "🙂 Ada Lovelace wrote to Babbage in London."
SPANS = f"""
import pandas as pd
from sieves_distill import NER, Review
frame = pd.DataFrame({{"text": [{LETTER!r}, "Tim is in Oslo."],
                      "teacher": [[{{"start": 6, "end": 14, "entity_type": "PLACE"}}], []]}})
review = Review(frame, NER(["PERSON", "PLACE"], task_id="names"), "spans.jsonl")
review
""".strip()
BILL = "Invoice A-17 </pre><script>window.hacked = 'script'</script>, due 1 May 2026: 1.234,56 EUR, paid."
RECORDS = f"""
import datetime as dt
import pandas as pd
from pydantic import BaseModel
from typing import Literal
from sieves_distill import InformationExtraction, Review
class Invoice(BaseModel):
    number: str
    total: float | None = None
    due: dt.date | None = None
    state: Literal["open", "paid"] | None = None
bills = pd.DataFrame({{"text": [{BILL!r}, "Hello!"],
                      "teacher": [Invoice(number="A-17", total=12.34, due="2026-05-01"), Invoice(number="!")],
                      "student": [Invoice(number="A-17", total=1234.56, due="2026-05-01"), None]}})
review = Review(bills, InformationExtraction(Invoice, mode="single", task_id="invoice"), "records.jsonl")
review
""".strip()


def write_notebook(path, *codes: str):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(code) for code in codes]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    "The address of a JupyterLab that sees nothing of the user's own settings, and the folder it serves."
    tmp_path = tmp_path_factory.mktemp("lab")
    (tmp_path / "work").mkdir()
    write_notebook(tmp_path / "work/review.ipynb", CODE, 'review.corrections[["text", "label", "action"]]')
    write_notebook(tmp_path / "work/spans.ipynb", SPANS, "review.counts")
    write_notebook(tmp_path / "work/records.ipynb", RECORDS, "review.counts")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR",
               "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    settings = {name: str(tmp_path / name) for name in folders}
    env = {**os.environ, **settings,
           "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
               f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={tmp_path / 'work'}",
               "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=env, cwd=tmp_path / "work", stdout=log, stderr=log)
    try:
        for _ in range(240):
            try: urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token={TOKEN}", timeout=5).close()
            except OSError: time.sleep(.5)
            else: break
            if server.poll() is not None: break
        else: pytest.fail("JupyterLab did not answer within two minutes:\n" + (tmp_path / "lab.log").read_text())
        if server.poll() is not None: pytest.fail("JupyterLab ended:\n" + (tmp_path / "lab.log").read_text())
        yield f"http://127.0.0.1:{port}", tmp_path / "work"
    finally:
        server.terminate()
        try: server.wait(30)
        except subprocess.TimeoutExpired: server.kill()


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(60_000)
    try: yield page
    finally: page.close()


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run_first_cell(page, address: str):
    page.goto(address)
    idle = page.get_by_text("Python 3 (ipykernel) | Idle").first
    playwright.expect(idle).to_be_visible(timeout=120_000)  # run before there is a kernel, a cell is not run later
    prompt = page.locator(".jp-CodeCell .jp-InputPrompt").first
    for _ in range(3):  # JupyterLab, while it is loading, loses keys now and then
        page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        try: playwright.expect(prompt).not_to_have_text("[ ]:", timeout=15_000)
        except AssertionError: continue
        break
    playwright.expect(prompt).to_have_text("[1]:", timeout=60_000)  # until then the focus may go to the next cell
    playwright.expect(idle).to_be_visible()


def test_labels_corrected_in_jupyterlab_outlive_the_kernel(lab, page):
    (url, folder), expect = lab, playwright.expect
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    file, panel = folder / "corrections.jsonl", page.locator(".sieves-review")
    shown = panel.locator("pre")
    def progress(text): expect(panel).to_contain_text(text, timeout=60_000)
    try:
        run_first_cell(page, f"{url}/lab/tree/review.ipynb?token={TOKEN}&reset")
        progress("0 of 5")
        expect(shown).to_have_text(EVIL)  # as text, character by character
        page.screenshot(path=SCREENSHOTS / "review-1-first.png")

        panel.get_by_role("button", name="1 sports 0.70").click()  # the mouse
        progress("1 of 5")
        assert [event["label"] for event in lines(file)] == ["sports"], "on disk at once"
        expect(shown).to_have_text("The keeper saved a penalty.")
        expect(shown).to_be_focused()  # a click on a button leaves the text ready for keys
        page.keyboard.press("1")
        progress("2 of 5")
        page.keyboard.press("s")
        progress("1 skipped")
        page.keyboard.press("u")
        progress("0 skipped")
        page.keyboard.press("3")
        progress("3 of 5")
        page.keyboard.press("x")
        expect(panel).to_contain_text("No such key: x")
        page.keyboard.press("d")
        page.keyboard.press("d")
        expect(page.locator(".jp-CodeCell")).to_have_count(2)  # no letter has reached JupyterLab's own commands
        assert page.evaluate("window.hacked") is None, "nothing in a document is run"
        page.screenshot(path=SCREENSHOTS / "review-2-corrected.png")

        page.get_by_role("menuitem", name="Kernel", exact=True).click()
        page.get_by_role("menuitem", name="Restart Kernel and Run All Cells").click()
        page.get_by_role("button", name="Confirm Kernel Restart").click()
        table = page.locator(".jp-RenderedHTMLCommon table")
        expect(table).to_contain_text("Rates were raised.", timeout=90_000)
        progress("3 of 5")
        expect(shown).to_have_text("A new chip.")
        rows = [row.split("\t")[-2:] for row in table.inner_text().splitlines()[1:]]
        assert rows == [["sports", "correct"], ["sports", "correct"], ["money", "correct"]]
        page.screenshot(path=SCREENSHOTS / "review-3-after-restart.png")

        shown.click()
        page.keyboard.press("a")
        progress("4 of 5")
        page.keyboard.press("a")
        progress("5 of 5")
        expect(shown).to_have_text("Nothing left to review.")
        actions = ["correct", "correct", "skip", "undo", "correct", "accept", "accept"]
        assert [event["action"] for event in lines(file)] == actions
        assert page.evaluate("window.hacked") is None
    except BaseException:
        page.screenshot(path=SCREENSHOTS / "review-failed.png")
        raise


def test_spans_marked_in_jupyterlab(lab, page):
    "The editor hears its keys, and JupyterLab does not; test_span_panel.py tests what the editor does."
    (url, folder), expect = lab, playwright.expect
    panel = page.locator(".sieves-spans")
    text, progress = panel.locator(".text"), panel.locator(".counts")
    try:
        run_first_cell(page, f"{url}/lab/tree/spans.ipynb?token={TOKEN}&reset")
        expect(progress).to_contain_text("0 of 2")
        expect(text).to_have_text(LETTER)
        text.click(position={"x": 5, "y": 5})
        page.keyboard.press("n")
        expect(panel.locator(".status")).to_have_text("PLACE: Lovelace")
        for key in ("1", "e", "Control+Shift+ArrowLeft"): page.keyboard.press(key)
        expect(panel.locator(".spans")).to_have_text("PERSON Ada Lovelace")
        text.locator(".piece", has_text="wrote").dblclick(position={"x": 65, "y": 8})
        panel.get_by_role("button", name="1 PERSON").click()
        page.screenshot(path=SCREENSHOTS / "review-4-spans.png")
        for key in ("x", "z", "c"): page.keyboard.press(key)  # x cuts a cell, z takes that back, c copies one
        expect(progress).to_contain_text("1 of 2")
        expect(page.locator(".jp-CodeCell")).to_have_count(2)
        (event,) = lines(folder / "spans.jsonl")
        assert event["label"] == [{"start": 2, "end": 14, "entity_type": "PERSON", "text": "Ada Lovelace"}]
    except BaseException:
        page.screenshot(path=SCREENSHOTS / "spans-failed.png")
        raise


def test_record_typed_in_jupyterlab(lab, page):
    "What is typed in a field reaches no key of the panel, and what is refused stays."
    (url, folder), expect = lab, playwright.expect
    panel = page.locator(".sieves-review")
    field = {name: panel.get_by_label(name, exact=True) for name in ("number", "total", "due", "state")}
    try:
        run_first_cell(page, f"{url}/lab/tree/records.ipynb?token={TOKEN}&reset")
        expect(panel).to_contain_text("0 of 2", timeout=60_000)
        expect(panel.locator("pre")).to_have_text(BILL)
        expect(panel.locator("pre mark[title=due]")).to_have_text("1 May 2026")
        page.screenshot(path=SCREENSHOTS / "review-5-record.png")
        field["total"].fill("1,234")
        field["state"].select_option("paid")
        panel.get_by_role("button", name="c save").click()
        expect(panel).to_contain_text("total: found '1,234', which may be 1.234 or 1234")
        expect(field["total"]).to_have_value("1,234")
        field["total"].fill("")
        field["total"].press_sequentially("1.234,56")
        page.keyboard.press("Escape")
        page.keyboard.press("c")
        expect(panel).to_contain_text("1 of 2")
        field["number"].fill("")
        panel.locator("pre").click()
        page.keyboard.press("c")
        expect(panel).to_contain_text("2 of 2")
        assert [event["label"] for event in lines(folder / "records.jsonl")] == [
            {"number": "A-17", "total": 1234.56, "due": "2026-05-01", "state": "paid"}, None]
        assert page.evaluate("window.hacked") is None
    except BaseException:
        page.screenshot(path=SCREENSHOTS / "records-failed.png")
        raise
