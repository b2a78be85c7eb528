// What the browser's sides of all panels have in common: nodes, and a page that Python sends

function make(tag, settings = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name in node && !name.includes("-")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const HASTE = 300;  // Milliseconds in which a click is still for the document before
const ANSWERS = ["accept", "save", "skip", "undo"];  // What is done to no document that was not seen

// A page that Python sends. An answer goes out with the key of the document on the screen, once, and until Python has
// heard it there is no other: neither a second click, nor a key that is held down, answers a document unseen.
// Subclasses have a `root`, a `status`, the `keys` and what they do, and `turn`, which shows the page
class View {
  constructor(model) {
    this.model = model;
    this.waiting = false;  // for Python to hear of an answer
    this.asked = null;  // The action that would lose edits, and was asked for once
    this.turned = -Infinity;  // When the page came in the place of another
  }
  hearPages() {
    this.onPage = () => {
      const fresh = this.model.get("page").key !== this.page.key;
      this.wait(false);
      this.turn();
      if (fresh) this.turned = performance.now();
    };
    this.model.on("change:page", this.onPage);
  }
  close() { this.model.off("change:page", this.onPage); }
  say(words) { this.status.textContent = words; }
  hearClicks(button, press, answers) {
    button.addEventListener("keydown", event => { if (event.repeat) event.preventDefault(); });  // Enter, held down
    button.addEventListener("click", event => {
      const keyboard = event.detail === 0, hasty = event.timeStamp - this.turned < HASTE;
      if (answers && hasty && !keyboard) this.say("Pressed just as this document came, and not taken: press again");
      else press();
    });
  }
  pressLetter(key, held) {  // a key that is held down is pressed once
    const press = this.keys[key] ?? this.keys[key.toLowerCase()];
    if (!press && key.trim()) this.say(`No such key: ${key}`);
    else if (press && !held && (this.page.key !== null || press === this.keys.u)) press();
  }
  losesEdits(name, edited) {
    if (!edited || this.asked === name) return false;
    this.asked = name;
    this.say(`Something was edited and is not saved: c saves it; ${name} once more gives it up`);
    return true;
  }
  send(message) {
    this.asked = null;
    this.model.send({ key: this.page.key, ...message });
  }
  wait(waiting) {
    this.waiting = waiting;
    this.root.classList.toggle("waiting", waiting);
    this.root.setAttribute("aria-busy", waiting);
    if (waiting) this.say("…");
  }
  isWaiting(waiting = this.waiting) {
    if (waiting) this.say("Waiting for Python to take the last answer: this was not taken");
    return waiting;
  }
}

// A key that an input method takes: in some browsers the first is not said to be of a composition
const isComposed = event => event.isComposing || event.keyCode === 229;

const rendering = Editor => ({
  render({ model, el }) {
    const editor = new Editor(model, el);
    return () => editor.close();
  },
});
