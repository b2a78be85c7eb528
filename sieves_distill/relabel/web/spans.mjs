// The spans of a text, marked, moved and taken away with the mouse or the keys: the browser's side of a SpanPanel.
// A place in a text is a UTF-16 unit in here, as JavaScript counts, and a code point, as Python counts, in all that is
// sent. Whatever stands in a text is shown as text: nothing of it becomes HTML.

const ACTIONS = [["a", "accept"], ["c", "save"], ["s", "skip"], ["u", "undo"], ["<", "previous"], [">", "next"]];
const EDITS = [["n", "next span"], ["p", "previous span"], ["e", "other edge"], ["x", "delete span"]];
const HELP = `Select words with the mouse, or with Shift and the arrows, and press the key of a type. The marked span is
  then the current one: Shift with ← or → moves its edge by a character, with Ctrl (or Alt) as well by a word; e moves to
  its other edge, the key of a type changes its type, x or Delete takes it away, Escape leaves it. A click into a span,
  Enter, n and p make a span the current one; its edges can be dragged. u takes back the last edit and, where there is
  none, the last answer.`;

// Places in a text: code points to units and back, and where characters and words begin and end
class Places {
  constructor(text) {
    this.text = text;
    this.units = [0];
    for (const point of text) this.units.push(this.units.at(-1) + point.length);
    this.points = new Map(this.units.map((unit, point) => [unit, point]));
    this.cuts = {};
  }
  unit(point) { return this.units[point]; }
  point(unit) { return this.points.get(unit) ?? this.points.get(unit - 1); }  // half a pair is where the pair begins
  boundaries(by, edge) {
    return this.cuts[by + edge] ??= this.cut(by, edge);
  }
  cut(by, edge) {
    const pieces = [...new Intl.Segmenter(undefined, { granularity: by }).segment(this.text)]
      .filter(piece => by === "grapheme" || piece.isWordLike);
    const ends = pieces.map(piece => piece.index + piece.segment.length);
    return by === "word" && edge === "end" ? ends : [...pieces.map(piece => piece.index), ...ends.slice(-1)];
  }
  step(from, forward, by, edge) {
    const cuts = this.boundaries(by, edge);
    return forward ? cuts.find(cut => cut > from) : cuts.findLast(cut => cut < from);
  }
  snap(unit) { return this.boundaries("grapheme", "start").findLast(cut => cut <= unit) ?? 0; }
  trim(start, end) {
    while (start < end && /\s/.test(this.text[start])) start++;
    while (end > start && /\s/.test(this.text[end - 1])) end--;
    return [start, end];
  }
}

const same = (a, b) => a && b && a.start === b.start && a.end === b.end && a.type === b.type;
const overlap = (a, b) => a.start < b.end && b.start < a.end;
const inOrder = spans => spans.sort((a, b) => a.start - b.start || b.end - a.end || (a.type < b.type ? -1 : 1));
const onlyOnce = spans => spans.filter((span, i) => spans.findIndex(other => same(span, other)) === i);

class Editor extends View {
  constructor(model, el) {
    super(model);
    this.history = [];
    this.current = null;  // The span whose edges the keys move
    this.edge = "end";  // Which of its edges
    this.caret = { anchor: 0, focus: 0 };  // The selection in the text, also while something else has the focus
    this.build(el);
    this.listen();
    this.turn();
    this.hearPages();
  }

  build(el) {
    const id = `sieves-spans-${Math.random().toString(36).slice(2)}`;
    this.progress = make("div", { className: "counts" });
    this.pane = make("div", { className: "text", id, dir: "auto", role: "textbox", spellcheck: false, tabIndex: 0,
      inputMode: "none",
      "aria-multiline": "true", "aria-readonly": "true", "aria-label": "Text with its spans",
      "aria-describedby": `${id}-help` });
    this.typeRow = make("div", { className: "row", role: "group", "aria-label": "Types" });
    this.actionRow = make("div", { className: "row", role: "group", "aria-label": "Answer" });
    this.editRow = make("div", { className: "row", role: "group", "aria-label": "Edit" });
    this.list = make("ul", { className: "spans", "aria-label": "Spans" });
    this.opinions = make("ul", { className: "opinions", "aria-label": "In doubt" });
    this.status = make("div", { className: "status", role: "status", "aria-live": "polite" });
    const help = make("details", {}, make("summary", {}, "Mouse and keys"), make("p", { id: `${id}-help` }, HELP));
    const about = { className: "sieves-panel sieves-spans", "data-lm-suppress-shortcuts": "true" };
    this.root = make("div", about, this.progress, this.pane, this.typeRow, this.actionRow, this.editRow, this.status,
      this.list, this.opinions, help);
    this.keys = {};
    this.buttons = {};
    for (const [i, type] of this.model.get("types").entries()) this.addType(type, i);
    for (const [key, name] of ACTIONS) this.addButton(this.actionRow, key, name, () => this.ask(name));
    const edits = [() => this.choose(1), () => this.choose(-1), () => this.otherEdge(), () => this.remove()];
    for (const [i, [key, name]] of EDITS.entries()) this.addButton(this.editRow, key, name, edits[i]);
    if (this.model.get("overlaps")) this.addOverlaps();
    el.append(this.root);
  }

  addType({ name, key, colour }) {
    const button = this.addButton(this.typeRow, key, name, () => this.mark(name));
    button.classList.add("type");
    button.style.setProperty("--colour", colour);
  }
  addButton(row, key, name, press) {
    const button = make("button", { type: "button", ...(key && { "aria-keyshortcuts": key }) },
      ...(key ? [make("kbd", {}, key), " "] : []), name);
    button.addEventListener("mousedown", event => this.keepSelection(event));
    this.hearClicks(button, press, row === this.actionRow && ANSWERS.includes(name));
    if (key) this.keys[key] = press;
    this.buttons[name] = button;
    row.append(button);
    return button;
  }
  addOverlaps() {
    this.overlaps = make("input", { type: "checkbox" });
    this.keys.o = () => {
      this.overlaps.checked = !this.overlaps.checked;
      this.say(`a new span ${this.overlaps.checked ? "stands beside" : "replaces"} those that it overlaps`);
    };
    this.editRow.append(make("label", { "aria-keyshortcuts": "o" }, this.overlaps, make("kbd", {}, "o"),
      " keep what a new span overlaps"));
  }

  listen() {
    const stop = event => event.preventDefault();
    for (const name of ["beforeinput", "paste", "cut", "drop", "dragstart"]) this.pane.addEventListener(name, stop);
    this.pane.addEventListener("compositionend", () => {
      this.draw();
      this.say("An input method is on: the keys are heard without it");
    });
    this.root.addEventListener("keydown", event => this.press(event));
    this.pane.addEventListener("pointerdown", event => this.grab(event));
    const keep = event => { if (this.dragged) event.preventDefault(); };  // a finger on an edge does not scroll
    this.pane.addEventListener("touchstart", keep, { passive: false });
    this.pane.addEventListener("pointermove", event => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.pane.addEventListener(name, () => this.drop());
    this.pane.addEventListener("click", () => { this.follow(); this.chooseAtCaret(); });
    this.onSelect = () => this.follow();
    document.addEventListener("selectionchange", this.onSelect);
  }
  close() {
    document.removeEventListener("selectionchange", this.onSelect);
    super.close();
  }

  // A document comes, or the same one with other words about it; what was edited in it and not saved stays

  turn() {
    const page = this.model.get("page"), draft = this.model.get("draft");
    this.progress.textContent = page.progress;
    if (!this.page || page.key !== this.page.key) {
      const inside = this.root.contains(document.activeElement);
      this.places = new Places(page.text ?? "Nothing left to review.");
      this.drop();
      this.current = null;
      this.caret = { anchor: 0, focus: 0 };
      this.given = this.read(page.spans);
      const drafted = page.key !== null && draft.key === page.key;
      this.spans = drafted ? this.read(draft.spans) : [...this.given];
      this.history = drafted ? [this.given] : [];
      this.pane.scrollTop = 0;
      this.page = page;
      this.enable();
      this.draw();
      if (inside) this.pane.focus();
    } else {
      this.page = page;
      this.enable();
    }
    this.asked = null;
    this.drawOpinions();
    this.say(page.message);
  }
  enable() {
    const open = this.page.key !== null;
    if (open) this.pane.contentEditable = "true";
    else this.pane.removeAttribute("contenteditable");
    for (const [name, button] of Object.entries(this.buttons)) button.disabled = !open && name !== "undo";
  }
  read(spans) {
    return inOrder(spans.map(({ start, end, entity_type: type }) =>
      ({ start: this.places.unit(start), end: this.places.unit(end), type })));
  }
  written() {
    return this.spans.map(({ start, end, type }) =>
      ({ start: this.places.point(start), end: this.places.point(end), entity_type: type }));
  }
  isEdited() { return this.spans.length !== this.given.length || this.spans.some((s, i) => !same(s, this.given[i])); }

  // What is shown

  draw() {
    this.pane.replaceChildren(...this.pieces());
    this.drawList();
    this.drawOpinions();
    this.restore();
  }
  pieces() {
    const text = this.places.text, at = name => this.spans.map(span => span[name]), nodes = [];
    const cuts = [...new Set([0, text.length, ...at("start"), ...at("end")])].sort((a, b) => a - b);
    for (const [i, cut] of cuts.entries()) {
      nodes.push(...this.edges(cut, "end"), ...this.edges(cut, "start"));
      if (i + 1 < cuts.length) nodes.push(this.piece(text.slice(cut, cuts[i + 1]), cut));
    }
    return nodes;
  }
  edges(cut, edge) {
    return this.spans.filter(span => span[edge] === cut).map(span => {
      const node = make("span", { className: `edge ${edge}`, "data-type": span.type });
      node.span = [span];
      return this.paint(node, span);
    });
  }
  piece(words, start) {
    const node = make("span", { className: "piece" }, words);
    node.span = this.spans.filter(span => span.start <= start && start < span.end);
    if (!node.span.length) return node;
    const [inner, outer] = [...node.span].sort((a, b) => (a.end - a.start) - (b.end - b.start));
    if (outer) node.style.setProperty("--outer", this.colour(outer));
    return this.paint(node, inner);
  }
  paint(node, span) {
    node.classList.add("marked");
    node.classList.toggle("doubtful", this.doubtOf(span) !== undefined);
    node.style.setProperty("--colour", this.colour(span));
    this.light(node);
    return node;
  }
  light(node) {
    const current = this.current !== null && node.span?.includes(this.current);
    node.classList.toggle("current", current);
    node.classList.toggle("active", current && node.classList.contains(this.edge));
  }
  colour(span) { return this.model.get("types").find(({ name }) => name === span.type).colour; }
  doubtOf(span) {
    const { unit } = Places.prototype;
    return this.page.doubts.find(doubt => unit.call(this.places, doubt.start) === span.start &&
      unit.call(this.places, doubt.end) === span.end && doubt.entity_type === span.type);
  }
  words(span) { return this.places.text.slice(span.start, span.end); }
  drawList() {
    const row = span => {
      const button = make("button", { type: "button", className: "marked", "aria-pressed": span === this.current },
        make("b", {}, span.type), " ", make("bdi", {}, this.words(span)));
      button.style.setProperty("--colour", this.colour(span));
      button.addEventListener("click", () => { this.select(span); this.pane.focus(); this.restore(); });
      return make("li", {}, button);
    };
    this.list.replaceChildren(...this.spans.map(row));
  }
  drawOpinions() {
    const rows = this.page.doubts.map(doubt => {
      const [span] = this.read([doubt]), row = make("li", {}, doubt.words, " ");
      if (doubt.offered && !this.spans.some(other => same(other, span))) row.append(this.offer(span));
      return row;
    });
    this.opinions.replaceChildren(...this.page.opinions.map(words => make("li", {}, words)), ...rows);
  }
  offer(span) {
    const button = make("button", { type: "button", "aria-label": `mark ${this.words(span)} as ${span.type}` }, "mark");
    button.addEventListener("click", () => { this.add(span); this.pane.focus(); });
    return button;
  }

  // The selection in the text

  unitAt(node, k) {
    const before = document.createRange();
    before.setStart(this.pane, 0);
    before.setEnd(node, k);
    return before.toString().length;
  }
  nodeAt(unit) {
    const texts = document.createTreeWalker(this.pane, NodeFilter.SHOW_TEXT);
    let node = null, before = 0;
    while (texts.nextNode()) {
      node = texts.currentNode;
      if (unit <= before + node.length) return [node, unit - before];
      before += node.length;
    }
    return node ? [node, node.length] : [this.pane, 0];
  }
  follow() {
    const { anchorNode, anchorOffset, focusNode, focusOffset } = document.getSelection();
    if (this.dragged || !anchorNode || document.activeElement !== this.pane) return;
    if (![anchorNode, focusNode].every(node => this.pane.contains(node))) return;
    this.caret = { anchor: this.unitAt(anchorNode, anchorOffset), focus: this.unitAt(focusNode, focusOffset) };
    const [start, end] = this.selected();
    if (this.current && (start !== this.current.start || end !== this.current.end)) this.setCurrent(null);
  }
  selected() { return [this.caret.anchor, this.caret.focus].sort((a, b) => a - b); }
  keepSelection(event) {  // and the next key is heard in here
    event.preventDefault();
    if (this.root.contains(document.activeElement)) return;
    this.pane.focus();
    this.restore();
  }
  restore() {
    if (document.activeElement !== this.pane) return;
    const { anchor, focus } = this.caret;
    document.getSelection().setBaseAndExtent(...this.nodeAt(anchor), ...this.nodeAt(focus));
  }
  setCurrent(span) {
    this.current = span;
    for (const node of this.pane.children) this.light(node);
    for (const [i, row] of [...this.list.children].entries())
      row.firstChild.setAttribute("aria-pressed", this.spans[i] === span);
  }
  select(span, edge = "end") {
    this.edge = edge;
    const ends = [span.start, span.end];
    const [anchor, focus] = edge === "end" ? ends : ends.reverse();
    this.caret = { anchor, focus };
    this.setCurrent(span);
    this.restore();
    this.say(`${span.type}: ${this.words(span)}`);
  }
  spanAt(unit) {
    const there = this.spans.filter(span => span.start <= unit && unit <= span.end);
    return there.sort((a, b) => (a.end - a.start) - (b.end - b.start))[0];
  }
  target() {
    const [start, end] = this.selected();
    return this.current ?? (start === end ? this.spanAt(start) : undefined);
  }
  chooseAtCaret() {
    const [start, end] = this.selected(), span = start === end && this.spanAt(start);
    if (span && this.page.key !== null) this.select(span);
  }
  choose(step) {
    if (!this.spans.length) return this.say("there is no span");
    const from = this.current ? this.spans.indexOf(this.current) : this.beforeCaret() + (step > 0 ? 0 : 1);
    this.select(this.spans.at((from + step) % this.spans.length));
    this.pane.focus();
    this.restore();
    this.nodeAt(this.caret.focus)[0].parentElement.scrollIntoView({ block: "nearest" });
  }
  beforeCaret() { return this.spans.filter(span => span.start < this.caret.focus).length - 1; }

  // Edits

  change(spans, current, keep = true) {
    if (keep) this.history.push(this.spans);
    this.spans = inOrder(onlyOnce(spans));
    this.current = current && this.spans.find(span => same(span, current));
    this.asked = null;
    this.store();
    this.draw();
  }
  store() {
    this.model.set("draft", { key: this.page.key, spans: this.written() });
    this.model.save_changes();
  }
  replace(old, span, keep = true) {
    this.change([...this.spans.filter(other => other !== old), span], span, keep);
    this.select(this.current, this.edge);
  }
  mark(type) {
    if (this.isWaiting()) return;
    const old = this.target();
    if (old) { this.replace(old, { ...old, type }); return; }
    const [start, end] = this.places.trim(...this.selected());
    if (start === end) this.say("select some words first, then the type");
    else this.add({ start, end, type });
  }
  add(span) {
    if (this.isWaiting()) return;
    const kept = this.overlaps?.checked ? this.spans : this.spans.filter(other => !overlap(other, span));
    this.change([...kept, span], span);
    this.select(this.current);
  }
  remove() {
    if (this.isWaiting()) return;
    const old = this.target();
    if (!old) return this.say("no span is here to delete");
    this.caret = { anchor: old.start, focus: old.start };
    this.change(this.spans.filter(span => span !== old), null);
    this.say(`deleted ${old.type}: ${this.words(old)}`);
  }
  otherEdge() {
    const span = this.target();
    if (!span) return this.say("no span is here: n and p lead to one");
    this.select(span, this.current && this.edge === "end" ? "start" : "end");
    this.say(`${this.edge} of ${span.type}: ${this.words(span)}`);
  }
  moveEdge(forward, by) { this.putEdge(this.places.step(this.current[this.edge], forward, by, this.edge)); }
  putEdge(unit, keep = true) {
    const old = this.current, span = { ...old, [this.edge]: unit };
    const crossing = unit === undefined || !(span.start < span.end);
    const others = this.overlaps ? [] : this.spans.filter(other => other !== old);
    if (crossing || others.some(other => overlap(other, span)) || this.isWaiting()) return;
    if (unit !== old[this.edge]) this.replace(old, span, keep);
  }
  undo() {
    if (!this.history.length) return this.answer("undo");
    if (this.isWaiting()) return;
    const before = this.history.pop();
    this.change(before, null, false);
    this.say("took back the last edit");
  }

  // Edges dragged with the mouse

  grab(event) {
    const edge = event.target.closest?.(".edge");
    if (!edge || this.page.key === null || event.button || this.isWaiting()) return;
    event.preventDefault();
    this.pane.focus();
    this.select(edge.span[0], edge.classList.contains("start") ? "start" : "end");
    this.dragged = { before: this.spans };
    this.pane.classList.add("dragging");
    this.pane.setPointerCapture(event.pointerId);
  }
  drag(event) {
    if (!this.dragged) return;
    const unit = this.unitUnder(event.clientX, event.clientY);
    if (unit !== null) this.putEdge(this.places.snap(unit), false);
  }
  drop() {
    if (!this.dragged) return;
    if (this.dragged.before !== this.spans) this.history.push(this.dragged.before);
    this.dragged = null;
    this.pane.classList.remove("dragging");
  }
  unitUnder(x, y) {
    const standard = document.caretPositionFromPoint?.(x, y), range = !standard && document.caretRangeFromPoint?.(x, y);
    const [node, k] = standard ? [standard.offsetNode, standard.offset]
      : range ? [range.startContainer, range.startOffset] : [];
    return node && this.pane.contains(node) ? this.unitAt(node, k) : null;
  }

  // Keys, and answers

  press(event) {
    if (isComposed(event)) return;
    this.follow();  // the browser tells of a selection later than of the key that follows it
    const arrow = { ArrowLeft: false, ArrowRight: true }[event.key], command = event.ctrlKey || event.metaKey;
    const isButton = event.target.tagName === "BUTTON" || event.target.tagName === "SUMMARY";
    if (arrow !== undefined && event.shiftKey && this.current) {
      const forward = arrow === (getComputedStyle(this.pane).direction !== "rtl");
      this.moveEdge(forward, event.ctrlKey || event.altKey ? "word" : "grapheme");
    } else if (command && event.key.toLowerCase() === "z") this.pressLetter("u", event.repeat);
    else if (command || event.altKey || event.target.type === "checkbox" && event.key === " ") return;
    else if (event.key === "Escape") this.leave();
    else if (event.key === "Delete" || event.key === "Backspace") this.pressLetter("x", event.repeat);
    else if (event.key === "Enter" && !isButton) this.chooseAtCaret();
    else if (event.key.length > 1 || event.key === " " && isButton) return;
    else this.pressLetter(event.key, event.repeat);
    event.preventDefault();
    event.stopPropagation();
  }
  leave() {
    this.caret = { anchor: this.caret.focus, focus: this.caret.focus };
    this.setCurrent(null);
    this.restore();
  }
  ask(name) {
    if (name === "undo") this.undo();
    else if (name === "save") this.answer("correct");
    else if (!this.losesEdits(name, this.isEdited())) this.answer(name);
  }
  answer(name) {
    if (this.isWaiting()) return;
    this.send({ do: name, spans: this.written() });
    this.wait(true);
  }
}

export default rendering(Editor);
