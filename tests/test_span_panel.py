"""`Review` of spans in a real browser: they are marked, moved and taken away with the mouse and with the keyboard
alone, with the offsets that Python counts, and are there again in a new review.

The widget's code runs in a bare page, whose model is a `SpanPanel` of this process; `test_browser.py` opens it in
JupyterLab. Needs playwright of the extra `browser`, and Chromium as the system has it: `apt-get install chromium`.
Screenshots are left in build/browser; nbs/relabel/spans.png is spans-page.png of these.
"""
from __future__ import annotations

from functools import partial

import pandas as pd
import pytest
from sieves_distill import NER, Doc, PIIMasking, Review, with_corrections

from chromium import browser, needs_chromium, playwright  # noqa: F401, a fixture
from panel_page import SCREENSHOTS, PanelPage, empty_page, lines

playwright.expect.set_options(timeout=30_000)  # a busy machine
pytestmark = needs_chromium

ADA = "👩‍🚀 Ada Lovelace (e\u0301lève, 1815) wrote\nto Babbage\r\nin London & Turin."
LETTER = "Ada Lovelace wrote to Charles Babbage from London in 1843.\nHe had been to Turin."
HTML = "<b onclick=\"window.hacked = 1\">Ada</b> <img src=x onerror=\"window.hacked = 1\"> wrote &amp; left."
HEBREW = "עדה כתבה מלונדון אל 👩‍🚀 דוד."
SCRIPT = """
window.rect = (words, at) => {
    const pane = document.querySelector(".text"), start = pane.textContent.indexOf(words) + (at ?? 0);
    const texts = document.createTreeWalker(pane, NodeFilter.SHOW_TEXT), range = document.createRange();
    for (let before = 0; texts.nextNode(); before += texts.currentNode.length) {
        if (start >= before + texts.currentNode.length) continue;
        range.setStart(texts.currentNode, start - before);
        range.setEnd(texts.currentNode, start - before);
        break;
    }
    const { x, y, height } = range.getBoundingClientRect();
    return { x, y: y + height / 2 };
};
window.cells = () => [...document.querySelectorAll(".piece.marked")].map(node => node.textContent);
"""


def span(text: str, words: str, name: str) -> dict:
    start = text.index(words)
    return {"start": start, "end": start + len(words), "entity_type": name}


def named(spans) -> list[tuple[str, str]]: return [(each["text"], each["entity_type"]) for each in spans]


class Desk(PanelPage):
    states = "page", "draft", "types", "overlaps"

    def __init__(self, page): super().__init__(page, "spans", SCRIPT)

    @property
    def spans(self) -> list[tuple[str, str]]:
        "The words of the spans in the list, and their types."
        rows = self.page.locator(".spans button").evaluate_all(
            "rows => rows.map(row => [row.querySelector('bdi').textContent, row.querySelector('b').textContent])")
        return [tuple(row) for row in rows]

    def press_mouse(self, start: dict, end: dict):
        self.page.mouse.move(start["x"], start["y"])
        self.page.mouse.down()
        self.page.mouse.move((start["x"] + end["x"]) / 2, end["y"], steps=2)
        self.page.mouse.move(end["x"], end["y"], steps=2)
        self.page.mouse.up()

    def place(self, words: str, at: int = 0) -> dict:
        return self.page.evaluate("([words, at]) => rect(words, at)", [words, at])

    def select(self, words: str):
        units = len(words.encode("utf-16-le")) // 2
        self.press_mouse(self.place(words), self.place(words, units))

    def picture(self, name: str):
        self.page.screenshot(path=SCREENSHOTS / f"spans-{name}.png")


@pytest.fixture
def desk(browser):
    with empty_page(browser) as page: yield Desk(page)


def review_of(path, *texts: str, task=None, spans=None, **columns) -> Review:
    frame = pd.DataFrame({"text": list(texts), "teacher": spans or [[] for _ in texts], **columns})
    return Review(frame, task or NER(["PERSON", "PLACE", "YEAR"]), path)


def test_mouse_marks_drags_and_saves(desk, tmp_path):
    wrong = [span(ADA, "Lovelace", "PLACE"), span(ADA, "Turin", "PLACE")]
    review = review_of(tmp_path / "c.jsonl", ADA, "Next.", spans=[wrong, []])
    desk.open(review)
    click = lambda name: desk.page.get_by_role("button", name=name, exact=True).click()
    desk.select("Ada Lovelace ")  # the space behind is not meant
    click("1 PERSON")
    assert desk.spans == [("Ada Lovelace", "PERSON"), ("Turin", "PLACE")]  # what it overlaps is replaced
    desk.select("1815")
    click("3 YEAR")
    desk.select("Babbage\r\nin")
    click("1 PERSON")
    edge = desk.page.locator(".edge.end.current").bounding_box()
    desk.press_mouse({"x": edge["x"] + 1, "y": edge["y"] + 5}, desk.place("Babbage", 7))
    assert ("Babbage", "PERSON") in desk.spans
    desk.page.locator(".piece", has_text="Turin").click()
    click("x delete span")
    desk.select("e\u0301l")
    click("2 PLACE")
    assert ("e\u0301l", "PLACE") in desk.spans
    click("u undo")
    click("c save")
    desk.shows("1 of 2")
    (event,) = lines(tmp_path / "c.jsonl")
    assert event["action"] == "correct"
    assert named(event["label"]) == [("Ada Lovelace", "PERSON"), ("1815", "YEAR"), ("Babbage", "PERSON")]
    assert all(ADA[each["start"]:each["end"]] == each["text"] for each in event["label"])


def test_each_answer_is_for_what_is_shown(desk, tmp_path):
    path = tmp_path / "c.jsonl"
    desk.open(review_of(path, *(f"Text {i} is from London." for i in range(8))))
    button = lambda name: desk.page.get_by_role("button", name=name, exact=True)
    desk.hold()
    button("c save").dblclick()
    desk.release()
    desk.shows("1 of 8")
    desk.hold()
    desk.keys("a", "a")  # the second is for a document that is not there yet
    desk.release()
    desk.shows("2 of 8")
    desk.select("London")
    desk.hold()
    desk.keys("2", "c", "x")  # what is saved cannot be edited
    desk.says("Waiting for Python to take the last answer")
    desk.release()
    desk.shows("3 of 8")
    desk.click_at_once("accept")
    desk.keys("a")
    desk.says("Pressed just as this document came, and not taken: press again")
    for _ in range(3): desk.page.keyboard.down("a")  # held down
    desk.shows("5 of 8")
    desk.page.keyboard.up("a")
    desk.keys("u")
    desk.shows("4 of 8")
    for _ in range(3): desk.page.keyboard.down("u")
    desk.shows("3 of 8")
    actions = ["accept", "accept", "correct", "accept", "accept", "undo", "undo"]
    assert [event["action"] for event in lines(path)] == actions
    assert named(lines(path)[2]["label"]) == [("London", "PLACE")]
    playwright.expect(desk.page.locator(".text")).to_have_text("Text 3 is from London.")


def test_next_may_be_clicked_fast(desk, tmp_path):
    desk.open(review_of(tmp_path / "c.jsonl", *(f"Text {i}" for i in range(4))))
    desk.click_at_once("next")
    desk.page.get_by_role("button", name="> next").click()
    playwright.expect(desk.page.locator(".text")).to_have_text("Text 2")


def test_what_is_taken_back_is_there_as_it_was_saved(desk, tmp_path):
    path, given = tmp_path / "c.jsonl", span(LETTER, "Ada", "PERSON")
    desk.open(review_of(path, LETTER, spans=[[given]]))
    desk.select("London")
    desk.keys("2", "c")
    desk.shows("1 of 1")
    desk.keys("u")
    desk.says("Taken back: what was answered is not saved any more")
    assert desk.spans == [("Ada", "PERSON"), ("London", "PLACE")]
    desk.keys("a")
    desk.says("Something was edited and is not saved")
    desk.keys("u")  # an edit, until nothing is edited
    assert desk.spans == [("Ada", "PERSON")]
    desk.keys("u")
    desk.says("expected an answer to take back, found none")
    desk.keys("a")
    desk.shows("1 of 1")
    assert [event["action"] for event in lines(path)] == ["correct", "undo", "accept"]


def test_what_is_in_doubt_is_said(desk, tmp_path):
    spans = [span(LETTER, *each) for each in (("Ada Lovelace", "PERSON"), ("Babbage", "PERSON"), ("London", "PLACE"))]
    turin, babbage = span(LETTER, "Turin", "PLACE"), spans[1]
    doubts = pd.DataFrame([
        {**turin, "fault": "missing", "entity": "Turin", "student": "Turin (PLACE)", "doubt": .93},
        {**babbage, "fault": "named otherwise", "entity": "Babbage", "student": "Charles Babbage (PERSON)",
         "doubt": .71}])
    desk.open(review_of(tmp_path / "c.jsonl", LETTER, LETTER, spans=[spans, spans], **doubts))
    desk.shows("0 of 1")  # two things in doubt, one text
    playwright.expect(desk.page.locator(".opinions li")).to_have_text([
        "missing: Turin (PLACE), doubt 0.93 mark",
        "named otherwise: Babbage (PERSON); the student names Charles Babbage (PERSON), doubt 0.71 "])
    assert desk.page.locator(".edge.end.doubtful").evaluate_all("nodes => nodes.map(n => n.dataset.type)") == ["PERSON"]
    desk.page.locator(".text").focus()
    desk.keys("n", "n")
    desk.page.locator("summary").hover()
    height = desk.page.locator(".sieves-spans").bounding_box()["height"] + 16
    desk.page.screenshot(path=SCREENSHOTS / "spans-page.png", clip={"x": 0, "y": 0, "width": 760, "height": height})
    desk.keys("e", "Control+Shift+ArrowLeft")
    desk.page.get_by_role("button", name="mark Turin as PLACE").click()
    playwright.expect(desk.page.get_by_role("button", name="mark Turin as PLACE")).to_have_count(0)
    desk.page.get_by_role("button", name="PLACE London").click()
    playwright.expect(desk.page.locator(".text")).to_be_focused()
    desk.keys("Delete", "c")
    desk.shows("1 of 1")
    names = [("Ada Lovelace", "PERSON"), ("Charles Babbage", "PERSON"), ("Turin", "PLACE")]
    assert named(lines(tmp_path / "c.jsonl")[0]["label"]) == names


def test_keyboard_alone_does_it_all(desk, tmp_path):
    path = tmp_path / "c.jsonl"
    desk.open(review_of(path, ADA, "Tim is in Oslo.", "It rained."))
    desk.keys("Tab")  # into the text, with nothing but keys from here
    playwright.expect(desk.page.get_by_role("textbox", name="Text with its spans")).to_be_focused()
    desk.keys("Home", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "1")
    assert desk.spans == [("Ada", "PERSON")]  # the astronaut is one character
    desk.keys("Control+Shift+ArrowRight")
    assert desk.spans == [("Ada Lovelace", "PERSON")]
    desk.keys("Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowRight")
    assert desk.spans == [("Ada Lovelac", "PERSON")]
    desk.keys("e", "Control+Shift+ArrowRight", "Shift+ArrowLeft")
    assert desk.spans == [(" Lovelac", "PERSON")]
    desk.keys("Shift+ArrowLeft", "Control+Shift+ArrowLeft", "e", "Alt+Shift+ArrowRight", "2")
    assert desk.spans == [("Ada Lovelace", "PLACE")]
    desk.keys("u")
    assert desk.spans == [("Ada Lovelace", "PERSON")]
    line = ADA.split("\n")[0]
    desk.keys("Escape", "End", "Shift+Home", "3")  # instead of what it overlaps
    assert desk.spans == [(line, "YEAR")]
    desk.keys("Control+z", "Escape", "o", "End", "Shift+Home", "3")  # beside it
    assert desk.spans == [(line, "YEAR"), ("Ada Lovelace", "PERSON")]
    desk.picture("nested")
    desk.keys("n")
    desk.says("PERSON: Ada Lovelace")
    desk.keys("p")
    desk.says("YEAR: 👩‍🚀 Ada Lovelace")
    desk.keys("x", "n")
    assert desk.spans == [("Ada Lovelace", "PERSON")]
    desk.says("PERSON: Ada Lovelace")
    desk.keys("Delete", "1")
    assert desk.spans == []
    desk.says("select some words first")
    desk.keys("u", "7")
    desk.says("No such key: 7")
    desk.keys("a")  # would lose the edit
    desk.says("c saves it; accept once more gives it up")
    desk.keys("c")
    desk.shows("1 of 3")
    text = desk.page.locator(".text")  # a key for a document that is not shown any more would be dropped, so look first
    playwright.expect(text).to_have_text("Tim is in Oslo.")
    desk.keys(">")
    playwright.expect(text).to_have_text("It rained.")
    desk.keys("<")
    playwright.expect(text).to_have_text("Tim is in Oslo.")
    desk.keys("s")
    desk.shows("1 skipped")
    desk.keys("u")
    desk.shows("0 skipped")
    desk.keys("a")
    desk.shows("2 of 3")
    desk.keys("a")
    desk.shows("3 of 3")
    playwright.expect(text).to_have_text("Nothing left to review.")
    desk.keys("u")
    desk.shows("2 of 3")
    assert [event["action"] for event in lines(path)] == ["correct", "skip", "undo", "accept", "accept", "undo"]
    assert named(lines(path)[0]["label"]) == [("Ada Lovelace", "PERSON")]


def test_texts_of_all_kinds(desk, tmp_path):
    "HTML is shown as text, a text from right to left is edited as it reads, half an emoji is never marked."
    desk.open(review_of(tmp_path / "c.jsonl", HTML, HEBREW, spans=[[span(HTML, "Ada", "PERSON")], []]))
    assert desk.page.locator(".text").evaluate("node => node.textContent") == HTML
    desk.select("wrote &amp;")
    desk.keys("2", "c")
    desk.shows("1 of 2")
    desk.keys("Home", "Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft", "1")  # leftwards is forwards
    assert desk.spans == [("עדה", "PERSON")]
    desk.keys("Control+Shift+ArrowLeft", "Control+Shift+ArrowRight")
    assert desk.spans == [("עדה", "PERSON")]
    desk.select("👩‍🚀 דוד")
    desk.keys("1")
    desk.picture("right-to-left")
    desk.keys("c")
    desk.shows("2 of 2")
    html, hebrew = (event["label"] for event in lines(tmp_path / "c.jsonl"))
    assert named(html) == [("Ada", "PERSON"), ("wrote &amp;", "PLACE")]
    assert named(hebrew) == [("עדה", "PERSON"), ("👩‍🚀 דוד", "PERSON")]


def test_an_input_method_and_a_finger(desk, tmp_path):
    "What an input method writes is not in the text, its keys are no answers; an edge is drawn with a finger."
    path = tmp_path / "c.jsonl"
    desk.open(review_of(path, LETTER, "Next.", spans=[[span(LETTER, "Ada", "PERSON")], []]))
    text, touch = desk.page.locator(".text"), desk.page.context.new_cdp_session(desk.page)
    text.focus()
    desk.press_composed("a", keyCode=229)
    touch.send("Input.imeSetComposition", {"text": "え", "selectionStart": 1, "selectionEnd": 1})
    touch.send("Input.insertText", {"text": "絵"})
    desk.says("An input method is on: the keys are heard without it")
    assert text.evaluate("node => node.textContent") == LETTER
    touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    def put_finger(kind, *points): touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    edge = desk.page.locator(".edge.end").bounding_box()
    put_finger("touchStart", {"x": edge["x"] + 2, "y": edge["y"] + 8})
    for at in 2, 5, 8: put_finger("touchMove", desk.place("Lovelace", at))
    put_finger("touchEnd")
    playwright.expect(desk.page.locator(".spans")).to_have_text("PERSON Ada Lovelace")
    desk.keys("c")
    desk.shows("1 of 2")
    assert named(lines(path)[0]["label"]) == [("Ada Lovelace", "PERSON")]


def test_a_key_held_down_edits_once(desk, tmp_path):
    path, text = tmp_path / "c.jsonl", "For 10EUR."
    desk.open(review_of(path, text, spans=[[span(text, "10", "YEAR"), span(text, "EUR", "PLACE")]]))
    desk.keys("Tab", "n")
    for key in "1", "u", "n", "x":
        for _ in range(3): desk.page.keyboard.down(key)
        desk.page.keyboard.up(key)
        if key == "1": assert desk.spans == [("10", "PERSON"), ("EUR", "PLACE")]
        if key == "u": assert desk.spans == [("10", "YEAR"), ("EUR", "PLACE")]
    desk.keys("c")
    desk.shows("1 of 1")
    assert named(lines(path)[0]["label"]) == [("10", "YEAR")]  # beside what is deleted


def test_a_button_held_down_takes_back_no_answer(desk, tmp_path):
    desk.open(review_of(tmp_path / "c.jsonl", "Text 0", "Ada is in London."))
    desk.keys("Tab", "a")
    desk.shows("1 of 2")
    desk.select("London")
    desk.keys("2")
    desk.page.get_by_role("button", name="u undo").focus()
    for _ in range(3): desk.page.keyboard.down("Enter")
    desk.says("took back the last edit")
    desk.page.keyboard.up("Enter")
    assert desk.spans == []
    desk.keys("a")
    desk.shows("2 of 2")
    assert [event["action"] for event in lines(tmp_path / "c.jsonl")] == ["accept", "accept"]


def test_types_of_all_kinds_in_a_narrow_window(desk, tmp_path):
    types = ["<b>bold</b>", "x" * 300, "A WORD " * 60, *(f"TYPE_{i}" for i in range(200))]
    text = "L" * 300 + " end. " + "word " * 300
    spans = [{"start": start, "end": end, "entity_type": types[1]} for start, end in ((0, 200), (400, 900))]
    desk.open(review_of(tmp_path / "c.jsonl", text, task=NER(types), spans=[spans]))
    desk.fits(height=820)
    desk.picture("narrow")


def test_work_is_there_again(desk, tmp_path):
    "A page that is loaded again has what was not saved; a new review goes on, and its file becomes gold."
    path, texts, task = tmp_path / "c.jsonl", ("Ada wrote to Bo.", "Bo is in Oslo."), PIIMasking(["PERSON"])
    doubts = dict(fault=["missing", "never named"], entity=["Bo", "Oslo"], start=[13, 9], end=[15, 13],
                  entity_type=["PERSON", "PII"], student=["Bo (PERSON)", ""], doubt=[.9, .8])
    spans = [[span(texts[0], "Ada", "PERSON")], [span(texts[1], "Oslo", "PII")]]
    review = review_of(path, *texts, task=task, spans=spans, **doubts)
    desk.open(review)
    desk.page.emulate_media(color_scheme="dark")
    desk.page.add_style_tag(content="body { background: #111; color: #fff }")
    desk.picture("dark")
    desk.page.get_by_role("button", name="mark Bo as PERSON").click()
    desk.page.evaluate("state => show(state)", desk.state())  # loaded again
    assert desk.spans == [("Ada", "PERSON"), ("Bo", "PERSON")]
    desk.page.get_by_role("button", name="c save").click()
    desk.shows("1 of 2")
    desk.open(review_of(path, *texts, task=task, spans=spans, **doubts))
    desk.shows("1 of 2")
    assert desk.spans == [("Oslo", "PII")]
    desk.page.locator(".text").focus()
    desk.keys("n", "e", "Control+Shift+ArrowLeft", "Control+Shift+ArrowLeft", "Control+Shift+ArrowLeft", "c")
    desk.shows("2 of 2")
    docs = [Doc(text, results={"PIIMasking": text}) for text in texts]
    gold = [doc.gold["PIIMasking"]["masked_text"] for doc in with_corrections(docs, path, task)]
    assert gold == ["[PERSON] wrote to [PERSON].", "[PII]."]
