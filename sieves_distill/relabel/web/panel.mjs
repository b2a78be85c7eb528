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

const rendering = Editor => ({
  render({ model, el }) {
    const editor = new Editor(model, el);
    return () => editor.close();
  },
});
