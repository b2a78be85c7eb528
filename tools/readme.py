"""Write README.md from the index notebook: the text that Quarto's `gfm` render gives, without the Quarto program.

    python tools/readme.py

Saved outputs are shown, not made anew: run tools/execute.py first. Pictures go to index_files/ beside README.md.
"""
from __future__ import annotations

import base64
import re
import shutil
from pathlib import Path
from textwrap import indent

import yaml
from execnb.nbio import read_nb
from nbdev.config import get_config
from nbdev.processors import FilterDefaults


def code(cell) -> list[str]:
    "A code cell as a fenced block, without its directives; nothing where it is not to be shown."
    if "#| echo: false" in cell.source: return []
    lines = [line for line in cell.source.splitlines() if not line.startswith("#|")]
    return ["```python\n" + "\n".join(lines).strip() + "\n```"] if lines else []


def output(out, picture: Path, alt: str) -> str:
    "One saved output as Markdown; a picture is written to the path `picture`, and `alt` says what is on it."
    data = out.get("data", {"text/plain": out.get("text", "")})
    if "text/markdown" in data: return "".join(data["text/markdown"]).strip()
    if "image/png" in data:
        picture.parent.mkdir(exist_ok=True)
        picture.write_bytes(base64.b64decode("".join(data["image/png"])))
        return f"![{alt}]({picture.parent.name}/{picture.name})"
    return indent("".join(data.get("text/plain", "")).rstrip(), "    ")


def markdown(source: str) -> str:
    "A cell's Markdown, with links to other notebooks as they are a folder above them, where README.md lies."
    return re.sub(r"\]\(([\w/]+\.ipynb)", r"](nbs/\1", source.strip())


def alt(cell) -> str:
    "What a cell says is on its picture"
    match = re.search(r'^#\| fig-alt: "(.*)"$', cell.source, re.M)
    return match[1] if match else ""


def render(nb, files: Path) -> str:
    "The processed notebook `nb` as Markdown; its pictures are written to the folder `files`."
    blocks = []
    for i, cell in enumerate(nb.cells):
        if cell.cell_type == "raw":
            front = yaml.safe_load(cell.source.strip("-\n "))
            blocks += [f"# {front['title']}", front.get("description", "")]
        elif cell.cell_type == "markdown": blocks.append(markdown(cell.source))
        elif cell.cell_type == "code":
            blocks += code(cell)
            outputs = enumerate(cell.get("outputs", []))
            blocks += [output(out, files / f"cell-{i}-{j}.png", alt(cell)) for j, out in outputs]
    return "\n\n".join(filter(None, blocks)) + "\n"


if __name__ == "__main__":
    cfg = get_config()
    nb = read_nb(cfg.nbs_path / cfg.readme_nb)
    FilterDefaults()(nb)
    files = cfg.config_path / "index_files"
    shutil.rmtree(files, ignore_errors=True)
    (cfg.config_path / "README.md").write_text(render(nb, files), encoding="utf-8")
