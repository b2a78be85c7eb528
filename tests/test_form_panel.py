"""`Review` of labels, scores, records, answers, triplets and texts in a real browser: what is on disk is what was on
the screen when it was saved, however slow Python is, and nothing that was typed for a document stands in another.

The widget's code runs in a bare page, whose model is a `ReviewPanel` of this process; `test_browser.py` opens it in
JupyterLab. Needs playwright of the extra `browser`, and Chromium as the system has it: `apt-get install chromium`.
Screenshots are left in build/browser.
"""
from __future__ import annotations

from typing import Literal

import pandas as pd
import pytest
from pydantic import BaseModel
from sieves_distill import (
    Classification, InformationExtraction, QuestionAnswering, RelationExtraction, Review, SentimentAnalysis,
    Summarization,
)

from chromium import browser, needs_chromium, playwright  # noqa: F401, a fixture
from panel_page import SCREENSHOTS, PanelPage, empty_page, lines

playwright.expect.set_options(timeout=30_000)  # a busy machine
pytestmark = needs_chromium
expect = playwright.expect

TAGS = Classification(["sports", "tech", "money"], task_id="tags")
TOPIC = Classification(["sports", "tech", "money"], multi_label=False, task_id="topic")

class Bill(BaseModel):
    number: str
    total: float | None = None
    note: str | None = None
    state: Literal["open", "paid", "lost"] | None = None


BILLS = InformationExtraction(Bill, mode="single", task_id="bill")


class Desk(PanelPage):
    def __init__(self, page): super().__init__(page, "form")

    def click(self, name: str):
        self.page.wait_for_timeout(350)  # as a reader does, who has to see the document first
        self.page.get_by_role("button", name=name, exact=True).click()

    def field(self, name: str): return self.page.get_by_label(name, exact=True)


@pytest.fixture
def desk(browser):
    with empty_page(browser) as page: yield Desk(page)


def review_of(task, path, teacher: list, **columns) -> Review:
    return Review(pd.DataFrame({"text": [f"text {i}" for i in range(len(teacher))], "teacher": teacher, **columns}),
                  task, path)


def labels(path) -> list: return [event.get("label") for event in lines(path)]


def test_key_and_click_answer_for_what_is_shown(desk, tmp_path):
    path = tmp_path / "c.jsonl"
    desk.open(review_of(TOPIC, path, ["tech"] * 6, proba=[{"sports": .7, "tech": .2, "money": .1}] * 6))
    desk.hold()
    desk.page.get_by_role("button", name="1 sports 0.70").dblclick()
    desk.release()
    desk.shows("1 of 6")
    desk.hold()
    desk.keys("3", "3")  # the second is for a document that is not there yet
    desk.says("Waiting for Python to take the last answer")
    desk.release()
    desk.shows("2 of 6")
    expect(desk.page.locator(".status")).to_have_text("")
    desk.keys("x")
    desk.says("No such key: x")
    desk.click_at_once("sports")
    desk.keys("1")
    desk.says("Pressed just as this document came, and not taken: press again")
    desk.click("a accept")
    desk.shows("4 of 6")
    desk.keys("u")
    desk.shows("3 of 6")
    assert [event["action"] for event in lines(path)] == ["correct", "correct", "correct", "accept", "undo"]
    assert labels(path)[:3] == ["sports", "money", "sports"]
    expect(desk.page.locator(".text")).to_have_text("text 3")


def test_what_is_taken_back_is_there_as_it_was_saved(desk, tmp_path):
    path = tmp_path / "c.jsonl"
    bill = {"number": "A-7", "total": 3.5, "note": "line\r\nline", "state": "open"}
    desk.open(review_of(BILLS, path, [bill]))
    desk.field("total").fill("1.234,5")
    desk.field("state").select_option("paid")
    desk.click("c save")
    desk.shows("1 of 1")
    desk.keys("u")
    desk.says("Taken back: what was answered is not saved any more")
    expect(desk.field("total")).to_have_value("1234.5")
    desk.keys("a")
    desk.says("Something was edited and is not saved")
    desk.field("number").fill("A-8")
    desk.click("c save")
    desk.shows("1 of 1")
    assert labels(path)[-1] == bill | {"number": "A-8", "total": 1234.5, "state": "paid"}
    desk.keys("u")
    expect(desk.field("number")).to_have_value("A-8")
    desk.open(review_of(SentimentAnalysis(task_id="mood"), tmp_path / "s.jsonl", [{"overall": .5}]))
    desk.field("overall").fill("0,123456789")
    desk.click("c save")
    desk.shows("1 of 1")
    desk.keys("u")
    desk.shows("0 of 1")
    desk.keys("c")
    desk.shows("1 of 1")
    assert labels(tmp_path / "s.jsonl") == [{"overall": .123456789}, None, {"overall": .123456789}]


def test_switches_and_choices_are_saved_as_shown(desk, tmp_path):
    path = tmp_path / "c.jsonl"
    desk.open(review_of(TAGS, path, [["tech"], [], ["money"]]))
    for _ in range(3): desk.page.get_by_role("button", name="1 sports").click()
    desk.keys("c")  # the focus is on the switch
    desk.shows("1 of 3")
    for name in "sports", "tech", "money":
        expect(desk.page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "false")
    desk.keys("1", "2", "2", "a")
    desk.says("Something was edited and is not saved")
    desk.keys("c")
    desk.shows("2 of 3")
    assert labels(path) == [["sports", "tech"], ["sports"]]
    desk.open(review_of(BILLS, tmp_path / "b.jsonl", [{"number": "A"}] * 2))
    for state in "open", "lost", "paid": desk.field("state").select_option(state)
    desk.page.locator(".text").click()
    desk.keys("c")
    desk.shows("1 of 2")
    expect(desk.field("state")).to_have_value("")
    assert labels(tmp_path / "b.jsonl")[0]["state"] == "paid"


def test_nothing_typed_is_lost_or_stands_in_another_document(desk, tmp_path):
    path = tmp_path / "c.jsonl"
    desk.open(review_of(BILLS, path, [{"number": "A", "note": "x\r\n y "}, {"number": "B"}, {"number": "C"}]))
    total = desk.field("total")
    total.press_sequentially("12")
    desk.keys("Enter")
    total.press_sequentially("34,5")
    desk.hold()
    desk.keys("Escape", "c")
    total.press_sequentially("99")  # while the first document is still shown
    desk.release()
    desk.shows("1 of 3")
    expect(total).to_have_value("")
    assert lines(path)[0]["label"] == {"number": "A", "total": 1234.5, "note": "x\r\n y ", "state": None}
    total.fill("1,234")
    desk.click("c save")
    desk.says("total: found '1,234', which may be 1.234 or 1234")
    expect(total).to_have_value("1,234")
    total.fill("1234")
    desk.click("> next")
    desk.says("Something was edited and is not saved: c saves it; next once more gives it up")
    desk.field("note").fill("Some words")
    desk.until(lambda: desk.panel.box.draft.get("controls", {}).get("note") == "Some words")
    desk.page.evaluate("state => show(state)", desk.state())  # the cell is run again
    expect(desk.field("note")).to_have_value("Some words")
    expect(total).to_have_value("1234")
    desk.keys("Tab", "c")
    desk.shows("2 of 3")
    assert lines(path)[1]["label"] == {"number": "B", "total": 1234, "note": "Some words", "state": None}
    expect(desk.field("note")).to_have_value("")
    desk.page.screenshot(path=SCREENSHOTS / "form-record.png")


def test_scores_answers_and_texts(desk, tmp_path):
    rated = review_of(SentimentAnalysis(["the food", "the staff"], task_id="mood"), tmp_path / "m.jsonl",
                      [{"the food": 2 / 3, "the staff": None, "overall": .5}])
    desk.open(rated)
    desk.field("the staff").fill("0,25")
    desk.keys("Escape", "c")
    desk.shows("1 of 1")
    assert labels(tmp_path / "m.jsonl") == [{"the food": 2 / 3, "the staff": .25, "overall": .5}]
    question = "Is it over $100 or under $50, and what does the writer of the letter that follows say about <b>it</b>?"
    desk.open(review_of(QuestionAnswering([question, "Who?"], task_id="q"), tmp_path / "q.jsonl", [["over", "Bo"]]))
    expect(desk.page.locator(".name").first).to_have_text(question)
    desk.field(question).fill("under")
    desk.page.screenshot(path=SCREENSHOTS / "form-answers.png")
    desk.click("c save")
    desk.shows("1 of 1")
    assert labels(tmp_path / "q.jsonl") == [["under", "Bo"]]
    desk.open(review_of(Summarization(9, task_id="s"), tmp_path / "s.jsonl", ["It rose.", "It fell."]))
    written = desk.field("summary")
    written.fill("It rose\nand rose.")
    desk.keys("Shift+Enter", "Escape", "c")
    desk.shows("1 of 2")
    expect(written).to_have_value("It fell.")
    assert labels(tmp_path / "s.jsonl") == ["It rose\nand rose.\n".strip()]


def test_triplets_are_added_and_switched_off(desk, tmp_path):
    task = RelationExtraction(["born in", "lives in"], entity_types=["PERSON", "CITY"], task_id="r")
    texts = ["Ada was born in London. Charles Babbage lives in Turin.", "Bo was born in Oslo."]
    def triplet(head, relation, tail): return {"head": {"text": head, "entity_type": "PERSON"}, "relation": relation,
                                               "tail": {"text": tail, "entity_type": "CITY"}}
    teacher = [[triplet("Ada", "lives in", "London")], [triplet("Bo", "born in", "Oslo")]]
    review = Review(pd.DataFrame({"text": texts, "teacher": teacher}), task, tmp_path / "c.jsonl")
    desk.open(review)
    desk.keys("Tab")
    desk.keys("1")  # off
    head, tail = desk.field("head"), desk.field("tail")
    head.fill("Ada")
    tail.fill("London")
    desk.field("tail_type").select_option("CITY")
    desk.keys("Escape", "c")
    desk.says("expected an empty line, found 'Ada' and 'London' in it")
    desk.hold()
    desk.click("+ add")
    head.press_sequentially("Charles Babbage")  # at once, before Python has heard of the other
    desk.release()
    expect(desk.page.get_by_role("button", name="2 Ada (PERSON) — born in → London (CITY)")).to_be_visible()
    expect(head).to_have_value("Charles Babbage")
    desk.field("relation").select_option("lives in")
    tail.fill("Turin")
    tail.press("Enter")
    expect(desk.page.get_by_role("button", name="3 Charles Babbage — lives in → Turin")).to_be_visible()
    expect(head).to_have_value("")
    desk.page.screenshot(path=SCREENSHOTS / "form-triplets.png")
    desk.keys("Escape", "c")
    desk.shows("1 of 2")
    assert [(row["head"]["text"], row["relation"], row["tail"]["text"]) for row in labels(tmp_path / "c.jsonl")[0]] == [
        ("Ada", "born in", "London"), ("Charles Babbage", "lives in", "Turin")]
    expect(desk.page.get_by_role("button", name="1 Bo (PERSON) — born in → Oslo (CITY)")).to_be_visible()
    expect(desk.field("relation")).to_have_value("born in")
    desk.keys("1", "s", "s")
    desk.shows("1 skipped")


def test_what_is_refused_of_a_line_is_not_lost(desk, tmp_path):
    task = RelationExtraction(["born in"], task_id="r")
    review = Review(pd.DataFrame({"text": ["Ada was born in London.", "Bo"], "teacher": [[], []]}), task,
                    tmp_path / "c.jsonl")
    desk.open(review)
    head, tail, added = desk.field("head"), desk.field("tail"), desk.page.get_by_role("button", name="Ada — born in")
    head.fill("Anna")
    tail.fill("London")
    desk.hold()
    desk.keys("Enter", "Escape", "c")  # before Python has heard of the triplet
    desk.says("Waiting for Python to take the last answer")
    desk.release()
    desk.says("expected a head in words of the text, found 'Anna'")
    expect(head).to_have_value("Anna")
    head.fill("Ada")
    head.focus()
    desk.press_composed("Enter", isComposing=True)  # of an input method, for the word
    desk.press_composed("Enter", keyCode=229)
    expect(head).to_have_value("Ada")
    desk.hold()
    desk.keys("Enter", "Escape")
    desk.release()
    expect(added).to_be_visible()
    expect(desk.page.locator(".text")).to_be_focused()  # which it was led to meanwhile
    desk.keys("c")
    desk.shows("1 of 2")
    assert [row["head"]["text"] for row in labels(tmp_path / "c.jsonl")[0]] == ["Ada"]


def test_names_of_all_kinds_in_a_narrow_window(desk, tmp_path):
    names = ["constructor", "<b>bold</b> &amp;", "x" * 300, "words " * 60, *(f"label {i}" for i in range(300))]
    desk.open(review_of(Classification(names, task_id="many"), tmp_path / "m.jsonl", [["constructor"]]))
    expect(desk.page.get_by_role("button", name="1 constructor")).to_have_attribute("aria-pressed", "true")
    desk.fits()
    desk.open(review_of(Classification(names, multi_label=False, task_id="one"), tmp_path / "o.jsonl", ["label 1"]))
    desk.fits()
    desk.page.screenshot(path=SCREENSHOTS / "form-narrow.png")
    desk.page.get_by_role("button", name="label 299").click()
    desk.shows("1 of 1")
    question = "What does the writer of the letter that follows say about the price, and what about the colour of it?"
    task = QuestionAnswering([question, "constructor"], task_id="q")
    desk.open(review_of(task, tmp_path / "q.jsonl", [["over", ""]]))
    expect(desk.field("constructor")).to_have_value("")
    desk.fits()
    assert desk.field(question).bounding_box()["width"] > 150
    desk.page.screenshot(path=SCREENSHOTS / "form-narrow-answers.png")


def test_what_texts_hold_is_text(desk, tmp_path):
    evil = "</pre><script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 1\"> A-1"
    frame = pd.DataFrame({"text": [evil], "teacher": [Bill(number="A-1", note=evil)], "student": [Bill(number=evil)],
                          "reason": [evil]})
    desk.open(Review(frame, BILLS, tmp_path / "c.jsonl"))
    expect(desk.page.locator(".text")).to_have_text(evil)
    expect(desk.page.locator(".text mark[title='number, note']").first).to_have_text("A-1")
    expect(desk.page.locator(".opinions li").last).to_have_text(evil)
    expect(desk.field("note")).to_have_value(evil)
    assert desk.page.locator("img, script[src]").count() == 0
