"""A bare page with the browser's side of a panel of `Review`, whose model is the panel of this process."""
from __future__ import annotations

import json
import time
from contextlib import contextmanager

from chromium import playwright
from conftest import ROOT

SCREENSHOTS = ROOT / "build/browser"
MODEL = """
const model = {
    listeners: new Set(),
    get: name => model.state[name],
    set: (name, value) => { model.state[name] = value; toPython(name, value); },
    save_changes: () => {},
    on: (name, listener) => model.listeners.add(listener),
    off: (name, listener) => model.listeners.delete(listener),
    send: async content => {
        await window.held;
        model.take(await answer(content));
    },
    take: state => { Object.assign(model.state, state); for (const listener of model.listeners) listener(); },
};
window.hold = () => { window.held = new Promise(done => { window.release = done; }); };
window.show = state => {
    window.close_?.();
    model.state = state;
    document.body.replaceChildren();
    window.close_ = view.render({ model, el: document.body });
};
"""
CLICK_AT_ONCE = """name => {
    const click = () => {
        seen.disconnect();
        const button = [...document.querySelectorAll("button")].find(({ textContent }) => textContent.includes(name));
        button.dispatchEvent(new MouseEvent("click", { detail: 1 }));
    };
    const seen = new MutationObserver(click);
    seen.observe(document.querySelector(".counts"), { childList: true });
}"""


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


@contextmanager
def empty_page(browser):
    "A page without a network; raises AssertionError at the end for an error of its scripts, or one that a text held"
    context = browser.new_context(viewport={"width": 760, "height": 560}, offline=True)
    page = context.new_page()
    page.set_default_timeout(10_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        yield page
        assert not errors and page.evaluate("window.hacked") is None
    finally: context.close()


class PanelPage:
    "A page that shows the panel of a review, and what a reviewer does on it."
    states = "page", "draft"  # what the browser reads of the widget

    def __init__(self, page, name: str, script: str = ""):
        from sieves_distill.relabel.panel import browser_code
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page, self.panel = page, None
        code, style = browser_code(name)
        page.expose_function("toPython", lambda name, value: setattr(self.panel.box, name, value))
        page.expose_function("answer", self.answer)
        page.set_content(f"<!doctype html><meta charset=utf-8><title>{name}</title><body>")
        page.add_style_tag(content="body { font-family: sans-serif }" + style)
        code = code.replace("export default", "const view =") + MODEL + script
        page.add_script_tag(type="module", content=code)
        page.wait_for_function("window.show !== undefined")

    def state(self) -> dict: return {name: getattr(self.panel.box, name) for name in self.states}

    def answer(self, content: dict) -> dict:
        self.panel.hear(self.panel.box, content, [])
        return self.state()

    def open(self, review):
        from sieves_distill.relabel.reviewing import review_panel
        from sieves_distill.tasks.kinds import kind_of
        self.panel = review._panel = review_panel(kind_of(review.task), review)
        self.page.evaluate("state => show(state)", self.state())

    def hold(self):
        "Python hears of no answer until `release`, however slow this machine is."
        self.page.evaluate("hold()")

    def release(self): self.page.evaluate("release()")

    def press_composed(self, key: str, **event):
        "A key that an input method takes, for whatever has the focus."
        self.page.evaluate("""event => document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { ...event, bubbles: true, cancelable: true }))""", {"key": key, **event})

    def fits(self, width: int = 400, height: int = 700):
        "All of the panel is as wide as a narrow window, and its answers stand in it."
        self.page.set_viewport_size({"width": width, "height": height})
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"the panel is {wide} pixels wide"
        answers = self.page.get_by_role("button", name="accept", exact=False).last.bounding_box()
        assert answers["y"] + answers["height"] <= height

    def until(self, holds):
        "Wait until Python has heard of what was typed."
        end = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < end
            self.page.wait_for_timeout(20)

    def click_at_once(self, name: str):
        "Click on a button as soon as the next document is there, sooner than anyone can have seen it."
        self.page.evaluate(CLICK_AT_ONCE, name)

    def keys(self, *keys: str):
        for key in keys: self.page.keyboard.press(key)

    def says(self, words: str): playwright.expect(self.page.locator(".status")).to_contain_text(words)

    def shows(self, words: str): playwright.expect(self.page.locator(".counts")).to_contain_text(words)
