// A document, and what is pressed, switched, typed in or chosen for it: the browser's side of a ReviewPanel. Edits stay
// in here until they are saved, and an answer goes out with all that is on the screen. Whatever stands in a text is
// shown as text.

const HELP = `The keys beside the buttons work wherever the focus in here is, but in a field, which Escape leaves for
  the text; Tab leads on. What was edited is given up where another answer, or another document, is asked for twice.`;

const FORMS = {
  button: (form, { name }) => {
    const node = make("button", { type: "button" }), press = () => form.answer("press", { label: name });
    form.hearClicks(node, press, true);
    return { node, read: () => null, write: () => {}, press };
  },
  switch: form => {
    const node = make("button", { type: "button", className: "switch" });
    const read = () => node.getAttribute("aria-pressed") === "true";
    const write = value => node.setAttribute("aria-pressed", value);
    const press = () => { if (!form.waiting) { write(!read()); form.edit(); } };
    node.addEventListener("click", press);
    return { node, read, write, press };
  },
  text: (form, { rows, placeholder }) => {
    const input = rows ? make("textarea", { rows }) : make("input", { type: "text" });
    Object.assign(input, { placeholder, title: placeholder, dir: "auto", spellcheck: false, autocomplete: "off" });
    input.addEventListener("input", () => form.edit());
    // a field shows \n where the value may have \r\n, which stays unless it is edited
    const shown = () => input.value, write = value => { input.value = value; entry.value = value; entry.as = shown(); };
    const entry = { node: input, input, write, read: () => shown() === entry.as ? entry.value : shown() };
    return entry;
  },
  choice: (form, { options }) => {
    const input = make("select", {}, ...options.map(words => make("option", {}, words)));
    input.addEventListener("change", () => form.edit());
    return { node: input, input, read: () => input.selectedIndex, write: value => { input.selectedIndex = value; } };
  },
};

class Form extends View {
  constructor(model, el) {
    super(model);
    this.groups = { controls: new Map(), line: new Map() };
    this.keys = {};
    this.adding = 0;  // So many triplets Python has not heard of yet
    this.build(el);
    this.root.addEventListener("keydown", event => this.press(event));
    this.turn();
    this.hearPages();
  }

  build(el) {
    const id = `sieves-form-${Math.random().toString(36).slice(2)}`;
    this.progress = make("div", { className: "counts" });
    this.pane = make("pre", { className: "text", dir: "auto", tabIndex: 0, role: "document", "aria-label": "Text",
      "aria-describedby": id });
    this.opinions = make("ul", { className: "opinions" });
    this.rows = {
      controls: make("div", { role: "group", "aria-label": "Answer" }),
      line: make("div", { className: "row", role: "group", "aria-label": "Add" }),
    };
    this.actionRow = make("div", { className: "row", role: "group", "aria-label": "What to do" });
    this.status = make("div", { className: "status", role: "status", "aria-live": "polite" });
    const help = make("details", {}, make("summary", {}, "Keys"), make("p", { id }, HELP));
    const about = { className: "sieves-panel sieves-form", tabIndex: -1, "data-lm-suppress-shortcuts": "true" };
    this.root = make("div", about, this.progress, this.pane, this.opinions, this.rows.controls, this.rows.line,
      this.actionRow, this.status, help);
    this.buttons = this.model.get("page").actions.map(action => this.actionButton(...action));
    el.append(this.root);
  }
  actionButton(key, name) {
    const button = make("button", { type: "button", "aria-keyshortcuts": key }, make("kbd", {}, key), " ", name);
    this.hearClicks(button, () => this.ask(name), ANSWERS.includes(name));
    (name === "add" ? this.rows.line : this.actionRow).append(button);
    return { name, key, button };
  }

  // A document comes, or the same one with other words about it; what was edited in it and not saved stays

  turn() {
    const page = this.model.get("page"), fresh = page.key !== this.page?.key;
    const inside = this.root.contains(document.activeElement);
    this.page = page;
    this.asked = null;
    this.progress.textContent = page.progress;
    this.pane.replaceChildren(...page.text.map(([words, title]) => title ? make("mark", { title }, words) : words));
    this.opinions.replaceChildren(...page.opinions.map(words => make("li", { dir: "auto" }, words)));
    for (const group of Object.keys(this.groups)) this.draw(group, fresh);
    this.nameKeys();
    for (const { name, button } of this.buttons) button.disabled = name === "undo" ? !page.undo : page.key === null;
    this.say(page.message);
    if (this.adding && !fresh && !page.message) this.nextLine();
    this.adding = fresh ? 0 : Math.max(0, this.adding - 1);
    if (!fresh) return;
    this.pane.scrollTop = 0;
    if (inside) this.pane.focus();
  }
  draw(group, fresh) {
    const known = this.groups[group], { key } = this.page, draft = this.model.get("draft");
    const drafted = new Map(Object.entries(fresh && key !== null && draft.key === key ? draft[group] ?? {} : {}));
    const entries = this.page[group].map(control => {
      const before = fresh ? undefined : known.get(control.name), edited = before && before.read() !== before.base;
      const entry = before ?? this.entry(group, control), { value } = control;
      entry.given = control.given;
      const shown = edited ? before.read() : drafted.get(control.name) ?? value;
      if (!before || before.read() !== shown) entry.write(shown);
      entry.base = value;
      this.describe(entry, control);
      return [control.name, entry];
    });
    this.groups[group] = new Map(entries);
    const rows = this.rows[group], fields = entries.some(([, { input }]) => input);
    if (group === "controls") rows.className = fields ? "fields" : "row";
    const nodes = entries.map(([, entry]) => entry.node);
    const there = [...rows.children].filter(node => !node.matches("[aria-keyshortcuts='+']"));
    if (nodes.length === there.length && nodes.every((node, i) => node === there[i])) return;  // the focus stays
    for (const node of there) if (!nodes.includes(node)) node.remove();
    for (const [i, node] of nodes.entries()) {
      if (rows.children[i] !== node) rows.insertBefore(node, rows.children[i] ?? null);
    }
  }
  entry(group, control) {
    const entry = FORMS[control.form](this, control);
    if (!entry.input) return entry;
    entry.input.setAttribute("aria-label", control.name);
    if (group === "line") return entry;
    entry.node = make("label", {}, make("span", { className: "name", dir: "auto" }, control.name), entry.input);
    return entry;
  }
  describe(entry, { name, key, note }) {
    entry.key = key;
    if (entry.input) { entry.input.disabled = this.page.key === null; return; }
    const shownKey = key ? [make("kbd", {}, key), " "] : [];
    entry.node.replaceChildren(...shownKey, make("bdi", {}, name), note ? ` ${note}` : "");
    if (key) entry.node.setAttribute("aria-keyshortcuts", key);
    entry.node.disabled = this.page.key === null;
  }
  emptyLine() {  // what Python refuses comes back
    for (const [name, entry] of this.groups.line) {
      if (name !== "relation") entry.write(entry.given);
      entry.base = entry.read();
    }
  }
  nextLine() {
    const [{ input }] = this.groups.line.values(), active = document.activeElement;
    if (active === this.addedFrom && !active.value) input.focus();
  }
  nameKeys() {
    this.keys = {};
    for (const { key, press } of this.groups.controls.values()) if (key) this.keys[key] = press;
    for (const { key, name } of this.buttons) this.keys[key] = () => this.ask(name);
  }

  // Edits

  edit() {
    this.asked = null;
    this.model.set("draft", { key: this.page.key, ...this.values() });
    this.model.save_changes();
  }
  values() {
    const read = entries => Object.fromEntries([...entries].map(([name, entry]) => [name, entry.read()]));
    return { controls: read(this.groups.controls), line: read(this.groups.line) };
  }
  isEdited() {
    const typed = [...this.groups.line.values()].some(({ input, read }) => input.tagName !== "SELECT" && read().trim());
    return typed || [...this.groups.controls.values()].some(({ given, read }) => read() !== given);
  }

  // Keys, and answers

  press(event) {
    const { key, target } = event, field = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
    if (isComposed(event)) { event.stopPropagation(); return; }
    if (key === "Escape") this.pane.focus();
    else if (key === "Enter" && target.tagName === "INPUT" && this.rows.line.contains(target)) this.ask("add");
    else if (field) { event.stopPropagation(); return; }
    else if (event.ctrlKey || event.metaKey || event.altKey || key.length > 1 || key === " ") return;
    else this.pressLetter(key, event.repeat);
    event.preventDefault();
    event.stopPropagation();
  }
  ask(name) {
    if (name === "undo" && !this.page.undo) return;
    if (name === "save" || name === "add" || !this.losesEdits(name, this.isEdited())) this.answer(name);
  }
  answer(action, more = {}) {
    const adds = action === "add";
    if (this.isWaiting(this.waiting || this.adding > 0 && !adds)) return;  // what is refused of a line comes back
    const values = this.values();
    for (const [group, entries] of Object.entries(this.groups)) {
      for (const [name, entry] of entries) entry.base = values[group][name];
    }
    this.send({ do: action, ...values, ...more });
    if (!adds) return this.wait(true);
    this.adding += 1;
    this.addedFrom = document.activeElement;
    this.emptyLine();
  }
  wait(waiting) {
    super.wait(waiting);
    for (const entries of Object.values(this.groups)) {
      for (const { input } of entries.values()) {
        if (input && input.tagName === "SELECT") input.disabled = waiting;
        else if (input) input.readOnly = waiting;
      }
    }
  }
}

export default rendering(Form);
