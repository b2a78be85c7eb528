"""A student in a web page, opened from disk in a real browser: it answers as Python does, and sends nothing anywhere.

Needs playwright of the extra `browser`, and Chromium as the system has it: `apt-get install chromium`. Screenshots are
left in build/browser.
"""
from __future__ import annotations

import random
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
from sieves_distill import Classification, Doc, Student
from sieves_distill.deploy.parity import HARD_TEXTS
from sieves_distill.testing import tiny_static_model

import old_folders
import web_tokenizer
from chromium import browser, needs_chromium, playwright  # noqa: F401, a fixture
from conftest import ROOT

pytestmark = needs_chromium

SCREENSHOTS = ROOT / "build/browser"
GROUPS = {"sports": "goal match cup team coach", "tech": "phone chip code screen app"}
SENDING = """async url => {
    const load = element => new Promise((yes, no) => {
        element.onload = yes;
        element.onerror = no;
        document.body.append(element);
    });
    const ways = { fetch: () => fetch(url + "?fetch"),
                   image: () => load(Object.assign(new Image(), { src: url + "?image" })),
                   script: () => load(Object.assign(document.createElement("script"), { src: url + "?script" })) };
    const out = {};
    for (const [name, go] of Object.entries(ways)) out[name] = await go().then(() => "sent", () => "blocked");
    return out;
}"""
TEXT = "The coach's phone <b>rang</b>: a goal, & the cup was theirs!"


def texts(student: Student, n: int = 500) -> list[str]:
    "Texts of known words and of what tokenizers stumble over."
    draw, known = random.Random(0), " ".join(student.train_data["text"]).split()
    odd = ["Größe", "naïve", "東京", "🙂", "it's", "unknownword", "A.B.C.", "x-y", "\u00a0", "\t", "ﬁne", "I\u0307", "½"]
    made = [" ".join(draw.choice(known if draw.random() < .7 else odd) for _ in range(draw.randint(1, 40)))
            for _ in range(n - len(HARD_TEXTS))]
    return [*HARD_TEXTS, *made]


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 900, "height": 800}, offline=True)
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    try: yield page
    finally: context.close()


def opened(page, folder):
    page.goto((folder / "index.html").as_uri())
    page.wait_for_selector("html[data-ready=yes]", timeout=60_000, state="attached")
    return page


@pytest.fixture(scope="module", params=["topic", "model2vec_single", "model2vec_multi"])
def student(request, tmp_path_factory) -> Student:
    if request.param != "topic": return Student.load(old_folders.FIXTURES / request.param)
    folder = tmp_path_factory.mktemp("student")
    docs = [Doc(f"{first} {second}", results={"topic": label}) for label, group in GROUPS.items()
            for first in group.split() for second in group.split()]
    base = tiny_static_model(folder / "base", [doc.text for doc in docs] + [TEXT, "was their a the rang"])
    topic = Classification(list(GROUPS), multi_label=False, task_id="topic")
    return topic.distill(base, "model2vec", docs, folder / "student", val_frac=.2, seed=0, progress=False)


def test_answers_as_in_python(student, page, tmp_path):
    opened(page, student.export(tmp_path / "page", format="browser"))
    some = texts(student)
    proba = page.evaluate("texts => window.student.predict_proba(texts)", some)
    np.testing.assert_allclose(proba, student.predict_proba(some), rtol=0, atol=1e-5)
    assert page.evaluate("texts => window.student.predict(texts)", some) == student.predict(some)
    assert page.evaluate("() => window.student.labels") == student.labels
    explained = page.evaluate("text => window.student.explain(text)", some[-1])
    theirs = student.explain(some[-1])
    np.testing.assert_allclose(np.sum(explained["vectors"], 0), theirs.shares.sum(0), atol=1e-4)
    assert page.errors == []


def test_one_sees_labels_bars_and_words_as_one_types(student, page, tmp_path):
    if student.labels != list(GROUPS): pytest.skip("for the student whose words mean something")
    expect = playwright.expect
    opened(page, student.export(tmp_path / "page", format="browser"))
    page.get_by_label("Text", exact=True).fill(TEXT)
    (answer,), proba = student.predict([TEXT]), student.predict_proba([TEXT])[0].max()
    bars = page.locator("#bars button")
    expect(bars).to_have_count(len(GROUPS))
    expect(bars.first).to_contain_text(answer)
    expect(bars.first).to_contain_text(f"{round(100 * proba)} %")
    expect(page.locator("#words")).to_have_text(TEXT)  # markup in it is text
    assert page.locator("#words b").count() == 0
    strongest = next(iter(student.explain(TEXT).strongest(answer)))
    opacity = page.evaluate("""() => Object.fromEntries([...document.querySelectorAll("#words span")].map(
        span => [span.textContent, +span.style.background.match(/([\\d.]+)\\)$/)[1]]))""")
    assert strongest in max(opacity, key=opacity.get) and max(opacity.values()) == .8
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "student-1.png")
    other = next(label for label in GROUPS if label != answer)
    bars.filter(has_text=other).click()
    expect(page.locator("#which")).to_have_text(other)
    page.get_by_label("Text", exact=True).fill("")
    assert page.errors == []


@pytest.fixture
def server():
    "A server on this machine, and the paths that it was asked for."
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
        def log_message(self, *args): pass
    asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_nothing_is_sent(browser, server, student, tmp_path):
    url, asked = server
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(url)
        page.evaluate(SENDING, f"{url}/without-policy")
        assert {"/without-policy?fetch", "/without-policy?image"} <= set(asked), "it would arrive"
        asked.clear()
        opened(page, student.export(tmp_path / "page", format="browser"))
        page.get_by_label("Text", exact=True).fill("a secret")
        assert set(page.evaluate(SENDING, f"{url}/from-the-page").values()) == {"blocked"}
        assert asked == []
    finally: context.close()


def test_the_tokenizer_is_what_npm_has():
    for name, expected in web_tokenizer.FILES.values():
        assert web_tokenizer.digest((web_tokenizer.WEB / name).read_bytes()) == expected
